"""The time line under the viewer, as SVG: penetration, feet and score of each dance, and what a click on it does."""

from collections.abc import Sequence
from html import escape

import numpy as np

from skeleton2stage.render.marks import SLIDING, STILL
from skeleton2stage.view.dancers import Dancer

WIDTH, LEFT = 1000, 110  # the drawing's own units; the page stretches it to its width
ROW_HEIGHT, FOOT_HEIGHT, GAP, AXIS_HEIGHT = 26, 4, 8, 18
PENETRATION, SCORE, STILL_COLOUR, SLIDING_COLOUR = "#cc0d1a", "#222222", "#0072b2", "#e69f00"
HEAD_ID, SURFACE_ID = "s2s-head", "s2s-timeline"
MAX_COLUMNS = 600


def timeline_svg(dancers: Sequence[Dancer], duration_s: float, fps: float, on_click: str) -> str:
    """Return the drawing; all rows of penetration share one scale. on_click: JavaScript, to which `time_s` is known."""
    most = max([int(dancer.pairs.max()) for dancer in dancers if dancer.pairs is not None], default=0)
    n_frames = max(1, round(duration_s * fps))
    rows, y = [], 2.0
    for dancer in dancers:
        rows.append(_row(dancer, y, most, n_frames))
        y += _row_height(dancer) + GAP
    height = y + AXIS_HEIGHT
    click = (
        f"const box=this.getBoundingClientRect(); const at=(event.clientX-box.left)/box.width*{WIDTH};"
        f"const time_s=Math.max(0,(at-{LEFT})/{WIDTH - LEFT})*{duration_s:.6f}; {on_click}"
    )
    head = f'<line id="{HEAD_ID}" x1="{LEFT}" x2="{LEFT}" y1="0" y2="{y}" stroke="#000" stroke-width="1.5"/>'
    return (
        f'<svg id="{SURFACE_ID}" viewBox="0 0 {WIDTH} {height:.0f}" preserveAspectRatio="none" '
        f'style="width:100%;height:{height:.0f}px;cursor:pointer;font:11px sans-serif;user-select:none" '
        f'onclick="{escape(click)}">{"".join(rows)}{_axis(duration_s, y)}{head}</svg>{_legend(dancers, most)}'
    )


def head_x(time_s: float, duration_s: float) -> float:
    """Return where the line of the moment shown stands in the drawing."""
    return LEFT + (WIDTH - LEFT) * min(time_s / max(duration_s, 1e-9), 1.0)


def _row_height(dancer: Dancer) -> float:
    return (ROW_HEIGHT if dancer.pairs is not None or dancer.score is not None else 0) + 2 * FOOT_HEIGHT + 4


def _row(dancer: Dancer, y: float, most: int, n_frames: int) -> str:
    parts = [f'<text x="4" y="{y + 15}">{escape(_shortened(dancer.label))}</text>']
    bottom = y + _row_height(dancer) - 2 * FOOT_HEIGHT - 4
    if bottom > y:
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{WIDTH - LEFT}" height="{ROW_HEIGHT}" fill="#f2f3f5"/>')
    if dancer.pairs is not None and most:
        parts.append(_area(dancer.pairs / most, bottom, n_frames))
    if dancer.score is not None:
        parts.append(_line(dancer.score, bottom, n_frames))
    for foot in range(2):
        # An ankle or a toe that slides makes the foot slide; either that rests makes it stand.
        states = dancer.contacts[:, [foot, foot + 2]].max(axis=1)
        parts += _strip(states, bottom + 3 + foot * FOOT_HEIGHT, n_frames)
    return "".join(parts)


def _shortened(label: str, most: int = 18) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _columns(values: np.ndarray, n_frames: int, reduce: np.ufunc) -> tuple[np.ndarray, np.ndarray]:
    """Return places along the drawing and the values there, no more than can be told apart."""
    every = -(-len(values) // MAX_COLUMNS)
    starts = np.arange(0, len(values), every)
    return LEFT + (WIDTH - LEFT) * starts / n_frames, reduce.reduceat(values, starts)


def _area(shares: np.ndarray, bottom: float, n_frames: int) -> str:
    x, top = _columns(shares, n_frames, np.maximum)
    points = " ".join(f"{a:.1f},{bottom - ROW_HEIGHT * b:.1f}" for a, b in zip(x, top, strict=True))
    end = LEFT + (WIDTH - LEFT) * len(shares) / n_frames
    closed = f"{x[0]:.1f},{bottom} {points} {end:.1f},{bottom - ROW_HEIGHT * top[-1]:.1f} {end:.1f},{bottom}"
    return f'<polygon points="{closed}" fill="{PENETRATION}" fill-opacity="0.8"/>'


def _line(score: np.ndarray, bottom: float, n_frames: int) -> str:
    x, value = _columns(score, n_frames, np.minimum)
    points = " ".join(f"{a:.1f},{bottom - ROW_HEIGHT * b:.1f}" for a, b in zip(x, value, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{SCORE}" stroke-width="1"/>'


def _strip(states: np.ndarray, y: float, n_frames: int) -> list[str]:
    """Return a rectangle for each stretch in which a foot stands or slides."""
    edges = np.flatnonzero(np.diff(states, prepend=-1, append=-1))
    colours = {STILL: STILL_COLOUR, SLIDING: SLIDING_COLOUR}
    scale = (WIDTH - LEFT) / n_frames
    return [
        f'<rect x="{LEFT + scale * start:.1f}" y="{y}" width="{scale * (stop - start):.1f}" height="{FOOT_HEIGHT - 1}" '
        f'fill="{colours[int(states[start])]}"/>'
        for start, stop in zip(edges[:-1], edges[1:], strict=True) if int(states[start]) in colours
    ]


def _axis(duration_s: float, y: float) -> str:
    every = next(step for step in (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600) if duration_s / step <= 20)
    marks = np.arange(0, duration_s + 1e-6, every)
    return "".join(
        f'<text x="{head_x(mark, duration_s):.1f}" y="{y + 12}" text-anchor="middle" fill="#555">{mark:g} s</text>'
        for mark in marks[:-1] if mark < duration_s
    )


def _legend(dancers: Sequence[Dancer], most: int) -> str:
    entries = [(PENETRATION, f"intersecting pairs, at most {most}"), (STILL_COLOUR, "foot rests (left, right)"),
               (SLIDING_COLOUR, "foot slides")]
    if any(dancer.score is not None for dancer in dancers):
        entries.append((SCORE, "imitation reward, 0 to 1"))
    swatches = (f'<span style="color:{colour}">&#9632;</span> {escape(words)} &nbsp; ' for colour, words in entries)
    return f'<div style="font:11px sans-serif;padding:2px 6px">{"".join(swatches)}</div>'
