"""Where along the body and when in the dances it passes through itself: a strip for each body part."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skeleton2stage.metrics.measured_clip import FPS
from skeleton2stage.plots.plot_style import HEAT_MAP, panels

BIN_S = 0.5
CELL_WIDTH_IN, ROW_HEIGHT_IN, HEAD_HEIGHT_IN, _MIN_WIDTH_IN = 0.2, 0.17, 0.75, 5.0


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


def heat_strip_figure(pairs: np.ndarray, parts: Sequence[str]) -> Figure:
    """Return the drawing of pairs [S, P]; the darkest cell is the one with the most. Parts without any are left out.

    Behind each part stands its mean over the half seconds.
    """
    shown = [part for part in np.argsort(-pairs.sum(axis=0), kind="stable") if pairs[:, part].any()]
    most = float(pairs.max(initial=0.0))
    size = max(_MIN_WIDTH_IN, CELL_WIDTH_IN * len(pairs)), HEAD_HEIGHT_IN + ROW_HEIGHT_IN * len(shown)
    with panels(1, 1, size) as (figure, (axis,)):
        _draw_strip(axis, pairs[:, shown], [parts[part] for part in shown], most)
    return figure


def _draw_strip(axis: Axes, pairs: np.ndarray, parts: list[str], most: float) -> None:
    """Draw pairs [S, P] of parts, the first one at the top."""
    axis.set_title(f"intersecting pairs a frame, at most {most:.1f} a cell")
    axis.set_xlabel("s")
    axis.set_xlim(0.0, BIN_S * len(pairs))
    axis.set_ylim(max(len(parts), 1), 0)
    edges_s, rows = BIN_S * np.arange(len(pairs) + 1), np.arange(len(parts) + 1)
    if parts:
        axis.pcolormesh(edges_s, rows, pairs.T, cmap=HEAT_MAP, vmin=0.0, vmax=most, edgecolors="white", linewidth=0.3)
    axis.set_yticks(rows[:-1] + 0.5, parts, parse_math=False)
    means = axis.secondary_yaxis("right")
    means.set_yticks(rows[:-1] + 0.5, [f"{mean:.2f}" for mean in pairs.mean(axis=0)])
    for side in (*axis.spines.values(), *means.spines.values()):
        side.set_visible(False)
    for ticks in (axis, means):
        ticks.tick_params(axis="y", length=0)
