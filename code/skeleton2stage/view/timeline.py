"""The time line under the viewer: penetration, feet and score of each dance that is shown, and what a click on it does.

Names stand in a column of their own; beside it everything is placed by its share of the time, so that a wide page and a
narrow one show the same. A dance's row ends where the dance does.
"""

from collections.abc import Sequence
from html import escape

import numpy as np

from skeleton2stage.render.clips import PANEL_COLOURS
from skeleton2stage.render.marks import SLIDING, STILL
from skeleton2stage.view.dancers import Dancer

UNITS = 1000  # the drawing's own, from the beginning to the end; the page stretches it to its width
NAMES_WIDTH_PX = 120
ROW_HEIGHT_PX, LOW_ROW_HEIGHT_PX, MAX_HIGH_ROWS = 26, 16, 2
FOOT_HEIGHT, GAP, AXIS_HEIGHT, LEGEND_HEIGHT = 4, 6, 16, 18
PENETRATION, SCORE, STILL_COLOUR, SLIDING_COLOUR, ROW_COLOUR = "#cc0d1a", "#222222", "#0072b2", "#e69f00", "#eceef1"
HEAD_ID, SURFACE_ID = "s2s-head", "s2s-timeline"
MAX_COLUMNS = 600
_FONT = "font:11px sans-serif"
_LEAST_UNITS = 3  # or a dance of one frame would not be seen in a minute
_ROOM_FOR_WORDS = 0.85  # a row that ends after this share of the time has no room to say so


def timeline_html(
    dancers: Sequence[Dancer], shown: Sequence[bool], duration_s: float, fps: float, on_click: str
) -> str:
    """Return the drawing of the dances that are shown; all rows of penetration share one scale.

    on_click: JavaScript, to which `time_s` is known.
    """
    rows = [(number, dancer) for number, dancer in enumerate(dancers) if shown[number]]
    most = max([int(dancer.pairs.max()) for _, dancer in rows if dancer.pairs is not None], default=0)
    n_frames = max(1, round(duration_s * fps))
    names, shapes, words, y = [], [], [], 0.0
    for number, dancer in rows:
        names.append(_name(number, dancer.label, _pitch_px(len(rows))))
        shapes.append(_row(dancer, y, _row_height(len(rows)), most, n_frames))
        words.append(_end(dancer, y + _row_height(len(rows)) / 2 + 4, n_frames, fps))
        y += _pitch_px(len(rows))
    click = (
        "const box=this.getBoundingClientRect();"
        f"const time_s=Math.max(0,(event.clientX-box.left)/box.width)*{duration_s:.6f}; {on_click}"
    )
    return (
        f'<div style="display:flex;{_FONT};user-select:none;padding:0 6px">'
        f'<div style="flex:none;width:{NAMES_WIDTH_PX}px">{"".join(names)}</div>'
        f'<svg id="{SURFACE_ID}" style="flex:1;min-width:0;height:{y + AXIS_HEIGHT:.0f}px;cursor:pointer" '
        f'onclick="{escape(click)}">'
        f'<svg width="100%" height="{y:.0f}" viewBox="0 0 {UNITS} {max(y, 1):.0f}" preserveAspectRatio="none">'
        f'{"".join(shapes)}</svg>{"".join(words)}{_axis(duration_s, y)}'
        f'<line id="{HEAD_ID}" x1="0%" x2="0%" y1="0" y2="{y:.0f}" stroke="#000" stroke-width="1.5"/></svg></div>'
        f"{_legend([dancer for _, dancer in rows], most)}"
    )


def height_px(n_rows: int) -> float:
    """Return how high the drawing of so many dances is, with its legend."""
    return n_rows * _pitch_px(n_rows) + AXIS_HEIGHT + LEGEND_HEIGHT


def share_of(time_s: float, duration_s: float) -> float:
    """Return where along the drawing a moment is, 0 to 1."""
    return min(time_s / max(duration_s, 1e-9), 1.0)


def _row_height(n_rows: int) -> int:
    return ROW_HEIGHT_PX if n_rows <= MAX_HIGH_ROWS else LOW_ROW_HEIGHT_PX


def _pitch_px(n_rows: int) -> int:
    return _row_height(n_rows) + 2 * FOOT_HEIGHT + 2 + GAP


def _name(number: int, label: str, pitch_px: int) -> str:
    """Return a dance's name beside its colour, cut where it is too long, whole where the pointer rests on it."""
    colour = ",".join(f"{round(255 * value)}" for value in PANEL_COLOURS[number % len(PANEL_COLOURS)])
    return (
        f'<div title="{escape(label)}" style="height:{pitch_px}px;line-height:{pitch_px - GAP}px;overflow:hidden;'
        f'white-space:nowrap;text-overflow:ellipsis;padding-right:4px">'
        f'<span style="color:rgb({colour})">&#9632;</span> {escape(label)}</div>'
    )


def _row(dancer: Dancer, y: float, height: int, most: int, n_frames: int) -> str:
    width, bottom = max(UNITS * len(dancer) / n_frames, _LEAST_UNITS), y + height
    parts = [f'<rect x="0" y="{y}" width="{width:.1f}" height="{height}" fill="{ROW_COLOUR}"/>']
    if dancer.pairs is not None and most:
        parts.append(_area(dancer.pairs / most, bottom, height, n_frames))
    if dancer.score is not None:
        parts.append(_line(dancer.score, bottom, height, n_frames))
    for foot in range(2):
        # An ankle or a toe that slides makes the foot slide; either that rests makes it stand.
        states = dancer.contacts[:, [foot, foot + 2]].max(axis=1)
        parts += _strip(states, bottom + 2 + foot * FOOT_HEIGHT, n_frames)
    return "".join(parts)


def _end(dancer: Dancer, baseline: float, n_frames: int, fps: float) -> str:
    """Return the words after a dance that ends before the longest does."""
    share = max(len(dancer) / n_frames, _LEAST_UNITS / UNITS)
    if len(dancer) >= n_frames or share > _ROOM_FOR_WORDS:
        return ""
    words = f"ends at {len(dancer) / fps:.3g} s" if len(dancer) > 1 else "one frame"
    return f'<text x="{100 * share + 0.5:.2f}%" y="{baseline}" fill="#777">{words}</text>'


def _columns(values: np.ndarray, n_frames: int, reduce: np.ufunc) -> tuple[np.ndarray, np.ndarray]:
    """Return places along the drawing and the values there, no more than can be told apart."""
    every = -(-len(values) // MAX_COLUMNS)
    starts = np.arange(0, len(values), every)
    return UNITS * starts / n_frames, reduce.reduceat(values, starts)


def _area(shares: np.ndarray, bottom: float, height: int, n_frames: int) -> str:
    x, top = _columns(shares, n_frames, np.maximum)
    points = " ".join(f"{a:.1f},{bottom - height * b:.1f}" for a, b in zip(x, top, strict=True))
    end = UNITS * len(shares) / n_frames
    closed = f"{x[0]:.1f},{bottom} {points} {end:.1f},{bottom - height * top[-1]:.1f} {end:.1f},{bottom}"
    return f'<polygon points="{closed}" fill="{PENETRATION}" fill-opacity="0.8"/>'


def _line(score: np.ndarray, bottom: float, height: int, n_frames: int) -> str:
    x, value = _columns(score, n_frames, np.minimum)
    points = " ".join(f"{a:.1f},{bottom - height * b:.1f}" for a, b in zip(x, value, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{SCORE}" vector-effect="non-scaling-stroke"/>'


def _strip(states: np.ndarray, y: float, n_frames: int) -> list[str]:
    """Return a rectangle for each stretch in which a foot stands or slides."""
    edges = np.flatnonzero(np.diff(states, prepend=-1, append=-1))
    colours = {STILL: STILL_COLOUR, SLIDING: SLIDING_COLOUR}
    scale = UNITS / n_frames
    return [
        f'<rect x="{scale * start:.1f}" y="{y}" width="{scale * (stop - start):.1f}" height="{FOOT_HEIGHT - 1}" '
        f'fill="{colours[int(states[start])]}"/>'
        for start, stop in zip(edges[:-1], edges[1:], strict=True) if int(states[start]) in colours
    ]


def _axis(duration_s: float, y: float) -> str:
    every = next(step for step in (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600) if duration_s / step <= 13)
    marks = np.arange(0, max(duration_s - every / 2, 1e-9), every)
    return "".join(
        f'<text x="{100 * share_of(mark, duration_s):.2f}%" y="{y + 11}" '
        f'text-anchor="{"middle" if mark else "start"}" fill="#555">{mark:g} s</text>'
        for mark in marks
    )


def _legend(dancers: Sequence[Dancer], most: int) -> str:
    entries = [(PENETRATION, f"intersecting pairs, at most {most}"), (STILL_COLOUR, "foot rests (left, right)"),
               (SLIDING_COLOUR, "foot slides")]
    if any(dancer.score is not None for dancer in dancers):
        entries.append((SCORE, "imitation reward, 0 to 1"))
    swatches = (f'<span style="color:{colour}">&#9632;</span> {escape(words)} &nbsp; ' for colour, words in entries)
    return (
        f'<div style="{_FONT};height:{LEGEND_HEIGHT}px;overflow:hidden;white-space:nowrap;padding:0 6px">'
        f'{"".join(swatches)} a click goes there</div>'
    )
