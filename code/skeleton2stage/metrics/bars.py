"""A comparison as a drawing: a panel of bars for every metric, with 95 % intervals. SVG."""

from html import escape

from skeleton2stage.metrics.comparison import Cell, Result, compare
from skeleton2stage.metrics.metrics_table import Metric

COLOURS = ("#2a6f97", "#c2571a", "#5b8c2a", "#7a4d9f", "#444444")
PANEL_WIDTH, LABEL_WIDTH, VALUE_WIDTH = 420, 110, 96
ROW_HEIGHT, HEAD_HEIGHT, GAP = 18, 26, 12
PANELS_ACROSS = 2
# Of a normal distribution, this many standard errors on either side hold 95 %.
INTERVAL = 1.96


def bars_svg(results: list[Result]) -> str:
    """Return the drawing of a comparison; the longest bar or interval of a panel fills its width."""
    panel_height = HEAD_HEIGHT + ROW_HEIGHT * len(results) + GAP
    panels = []
    rows = compare(results)
    for index, (metric, cells) in enumerate(rows):
        x, y = index % PANELS_ACROSS * PANEL_WIDTH, index // PANELS_ACROSS * panel_height
        drawn = _panel(metric, cells, [result.title for result in results])
        panels.append(f'<g transform="translate({x},{y})">\n{drawn}\n</g>')
    height = panel_height * -(-len(rows) // PANELS_ACROSS)
    size = f'width="{PANEL_WIDTH * PANELS_ACROSS}" height="{height}"'
    style = 'font-family="sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>'
    return "\n".join((head, '<rect width="100%" height="100%" fill="white"/>', *panels, "</svg>", ""))


def _panel(metric: Metric, cells: list[Cell], titles: list[str]) -> str:
    """Return one metric's bars, starting at zero, one under the other."""
    longest = max((_end(cell) for cell in cells), default=0.0)
    scale = (PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH) / (longest or 1.0)
    parts = [f'<text x="{LABEL_WIDTH}" y="17" font-weight="bold">{escape(metric.label)}</text>']
    for row, (cell, title) in enumerate(zip(cells, titles, strict=True)):
        parts += _bar(metric, cell, title, HEAD_HEIGHT + row * ROW_HEIGHT, scale, COLOURS[row % len(COLOURS)])
    return "\n".join(parts)


def _end(cell: Cell) -> float:
    """Return how far a bar and its interval reach."""
    return 0.0 if cell.value is None else max(cell.value, 0.0) + INTERVAL * (cell.error or 0.0)


def _bar(metric: Metric, cell: Cell, title: str, y: int, scale: float, colour: str) -> list[str]:
    """Return the elements of one bar; of a metric without a value, a dash."""
    middle = y + ROW_HEIGHT / 2 - 1
    label = f'<text x="{LABEL_WIDTH - 6}" y="{middle + 4}" text-anchor="end">{escape(title)}</text>'
    if cell.value is None:
        return [label, f'<text x="{LABEL_WIDTH + 4}" y="{middle + 4}">–</text>']
    weight = ' font-weight="bold"' if cell.best else ""
    width, end = max(cell.value, 0.0) * scale, LABEL_WIDTH + _end(cell) * scale
    value = f'<text x="{end + 6:.1f}" y="{middle + 4}"{weight}>{cell.value:.{metric.decimals}f}</text>'
    bar = f'<rect x="{LABEL_WIDTH}" y="{y}" width="{width:.1f}" height="{ROW_HEIGHT - 4}" fill="{colour}"/>'
    return [label, bar, value, *_interval(cell, middle, scale)]


def _interval(cell: Cell, middle: float, scale: float) -> list[str]:
    """Return the line of a bar's interval, cut at zero; nothing without a standard error."""
    if cell.error is None:
        return []
    low, high = (max(cell.value + side * INTERVAL * cell.error, 0.0) for side in (-1, 1))
    x1, x2 = LABEL_WIDTH + low * scale, LABEL_WIDTH + high * scale
    return [f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{middle}" y2="{middle}" stroke="black"/>']
