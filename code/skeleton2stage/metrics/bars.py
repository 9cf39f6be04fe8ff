"""A comparison as a drawing: a panel of bars for every metric, with 95 % intervals."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skeleton2stage.metrics.comparison import Cell, Result, compare
from skeleton2stage.metrics.metrics_table import Metric
from skeleton2stage.plots.plot_style import COLOURS, panels

PANELS_ACROSS = 2
PANEL_WIDTH_IN, ROW_HEIGHT_IN, HEAD_HEIGHT_IN = 4.2, 0.2, 0.42
# Of a normal distribution, this many standard errors on either side hold 95 %.
INTERVAL = 1.96
_ROOM = 1.2  # of the longest bar: what is written behind it must fit


def bars_figure(results: list[Result]) -> Figure:
    """Return the drawing of a comparison; a metric's best is bold."""
    rows = compare(results)
    n_rows = -(-len(rows) // PANELS_ACROSS)
    size = PANEL_WIDTH_IN, HEAD_HEIGHT_IN + ROW_HEIGHT_IN * len(results)
    with panels(n_rows, PANELS_ACROSS, size) as (figure, axes):
        for axis, (metric, cells) in zip(axes, rows, strict=False):
            _draw_panel(axis, metric, cells, [result.title for result in results])
        for axis in axes[len(rows):]:
            axis.axis("off")
    return figure


def _draw_panel(axis: Axes, metric: Metric, cells: list[Cell], titles: list[str]) -> None:
    """Draw one metric's bars, starting at zero, one under the other; of a result without a value, a dash."""
    axis.set_title(metric.label)
    # As they are: a name with a dollar sign is no formula.
    axis.set_yticks(range(len(titles)), titles, parse_math=False)
    axis.invert_yaxis()
    axis.set_xticks([])
    axis.spines["bottom"].set_visible(False)
    longest = max((_end(cell) for cell in cells), default=0.0) or 1.0
    axis.set_xlim(0.0, _ROOM * longest)
    for row, cell in enumerate(cells):
        if cell.value is None:
            axis.text(0.02 * longest, row, "–", va="center")
            continue
        axis.barh(row, max(cell.value, 0.0), height=0.72, color=COLOURS[row % len(COLOURS)])
        if cell.error is not None:
            low, high = (max(cell.value + side * INTERVAL * cell.error, 0.0) for side in (-1, 1))
            axis.plot([low, high], [row, row], color="black", linewidth=1.0, solid_capstyle="butt")
        weight = "bold" if cell.best else "normal"
        text = f"{cell.value:.{metric.decimals}f}"
        axis.text(_end(cell) + 0.02 * longest, row, text, va="center", fontweight=weight)


def _end(cell: Cell) -> float:
    """Return how far a bar and its interval reach."""
    return 0.0 if cell.value is None else max(cell.value, 0.0) + INTERVAL * (cell.error or 0.0)
