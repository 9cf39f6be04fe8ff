"""Where along the body and when in the dances it passes through itself: a strip for each body part. SVG."""

from collections.abc import Sequence
from html import escape

import numpy as np

from skeleton2stage.metrics.measured_clip import FPS

BIN_S = 0.5
LABEL_WIDTH, CELL_WIDTH, ROW_HEIGHT, HEAD_HEIGHT, FOOT_HEIGHT = 110, 18, 15, 26, 24
TICK_S = 2
# From the colour of nothing to that of the most, by red, green and blue.
PALE, DARK = np.array([250, 250, 250]), np.array([170, 30, 20])


def penetration_over_time(faces_by_part: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean number of intersecting pairs by half second and body part, [S, P].

    faces_by_part: of each motion [T, P], how many triangles of each part are in such pairs in each frame. A pair
    counts half for each of its triangles' parts, so that a row's sum is the pen_rate of that half second. Motions
    count as long as they last.
    """
    frames_a_bin = round(BIN_S * FPS)
    n_bins = max(-(-len(counts) // frames_a_bin) for counts in faces_by_part)
    total = np.zeros((n_bins, faces_by_part[0].shape[1]))
    frames = np.zeros(n_bins)
    for counts in faces_by_part:
        bins = np.arange(len(counts)) // frames_a_bin
        np.add.at(total, bins, 0.5 * counts)
        np.add.at(frames, bins, 1.0)
    return total / frames[:, None]


def heat_strip_svg(pairs: np.ndarray, parts: Sequence[str]) -> str:
    """Return the drawing of pairs [S, P]; the darkest cell is the one with the most. Parts without any are left out."""
    shown = [part for part in np.argsort(-pairs.sum(axis=0), kind="stable") if pairs[:, part].any()]
    most = float(pairs.max(initial=0.0))
    rows = [_row(pairs[:, part], parts[part], HEAD_HEIGHT + row * ROW_HEIGHT, most) for row, part in enumerate(shown)]
    width, below = LABEL_WIDTH + CELL_WIDTH * len(pairs) + 60, HEAD_HEIGHT + ROW_HEIGHT * len(shown)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{below + FOOT_HEIGHT}" '
        'font-family="sans-serif" font-size="11">'
    )
    words = f"intersecting pairs a frame, at most {most:.1f} a cell"
    title = f'<text x="{LABEL_WIDTH}" y="17" font-weight="bold">{words}</text>'
    white = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join((head, white, title, *rows, *_ticks(len(pairs), below + 14), "</svg>", ""))


def _row(values: np.ndarray, part: str, y: int, most: float) -> str:
    label = f'<text x="{LABEL_WIDTH - 6}" y="{y + 11}" text-anchor="end">{escape(part)}</text>'
    cells = [
        f'<rect x="{LABEL_WIDTH + CELL_WIDTH * i}" y="{y}" width="{CELL_WIDTH}" height="{ROW_HEIGHT - 1}" '
        f'fill="{_colour(value / most)}"/>'
        for i, value in enumerate(values)
    ]
    mean = f'<text x="{LABEL_WIDTH + CELL_WIDTH * len(values) + 6}" y="{y + 11}">{values.mean():.2f}</text>'
    return "\n".join((label, *cells, mean))


def _colour(share: float) -> str:
    red, green, blue = np.rint(PALE + (DARK - PALE) * share).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _ticks(n_bins: int, y: int) -> list[str]:
    every = round(TICK_S / BIN_S)
    return [f'<text x="{LABEL_WIDTH + CELL_WIDTH * i}" y="{y}">{BIN_S * i:g} s</text>' for i in range(0, n_bins, every)]
