"""The time line of a verdict: a strip an axis, red where it is at fault, as SVG in the page."""

from html import escape

import numpy as np

from skeleton2stage.motion.motion import FPS
from skeleton2stage.pages.explained_motion import ExplainedMotion

WIDTH, LABEL, ROW, GAP = 960, 150, 20, 4
_CELLS = 300  # at most so many to a strip


def time_line(explained: ExplainedMotion, marked_s: list[float]) -> str:
    """Return the SVG: a strip for each axis, seconds under them, and a line at each of the marked moments."""
    strips = [_strip(axis.name, axis.frames, row) for row, axis in enumerate(explained.axes)]
    height = len(explained.axes) * (ROW + GAP)
    duration_s = explained.motion.duration_s
    scale = (WIDTH - LABEL) / duration_s
    step = next(step for step in (0.5, 1, 2, 5, 10, 30, 60, 300) if duration_s / step <= 20 or step == 300)
    ticks = [
        f'<text x="{LABEL + scale * time:.1f}" y="{height + 14}" text-anchor="middle">{time:g} s</text>'
        for time in np.arange(0.0, duration_s + 1e-6, step)
    ]
    marks = [
        f'<line x1="{LABEL + scale * time:.1f}" x2="{LABEL + scale * time:.1f}" y1="0" y2="{height}" class="mark"/>'
        for time in marked_s
    ]
    return (
        f'<svg class="time" viewBox="0 0 {WIDTH + 20} {height + 20}" role="img" aria-label="faults over time">'
        f"{''.join(strips)}{''.join(ticks)}{''.join(marks)}</svg>"
    )


def _strip(name: str, frames: np.ndarray, row: int) -> str:
    """Return an axis' strip: its name, and a cell for each frame, or for the worst of several, at fault."""
    top = row * (ROW + GAP)
    per_cell = -(-len(frames) // _CELLS)
    starts = np.arange(0, len(frames), per_cell)
    worst = np.maximum.reduceat(frames, starts)
    width = (WIDTH - LABEL) * per_cell / len(frames)
    cells = [
        f'<rect x="{LABEL + (WIDTH - LABEL) * start / len(frames):.1f}" y="{top}" width="{width + 0.3:.1f}" '
        f'height="{ROW}" fill="rgb(214,40,40)" fill-opacity="{0.15 + 0.85 * share:.2f}">'
        f"<title>{start / FPS:.1f} s: {100 * share:.0f} %</title></rect>"
        for start, share in zip(starts.tolist(), worst.tolist(), strict=True) if share > 0
    ]
    label = escape(name.replace("_", " "))
    ground = f'<rect x="{LABEL}" y="{top}" width="{WIDTH - LABEL}" height="{ROW}" class="strip"/>'
    return f'<text x="{LABEL - 8}" y="{top + 14}" text-anchor="end">{label}</text>{ground}{"".join(cells)}'
