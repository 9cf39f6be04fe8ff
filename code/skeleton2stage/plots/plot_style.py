"""One look for all plots: colours that people with any kind of colour vision tell apart, small plain axes, real text.

Figures are made without pyplot, which keeps a global state and wants a screen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skeleton2stage.files import atomic_path

# Okabe and Ito, "Color Universal Design", 2008, in an order in which neighbours also differ in lightness.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
LINES = ("-", "--", "-.", ":")
LIMIT_COLOUR, QUIET_COLOUR = "#888888", "#dddddd"
HEAT_MAP = "magma_r"  # lightness alone tells its values
FONT_SIZE = 9
_SETTINGS = {
    "font.family": "sans-serif", "font.size": FONT_SIZE, "axes.titlesize": FONT_SIZE + 1, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7,
    "xtick.labelsize": FONT_SIZE - 1, "ytick.labelsize": FONT_SIZE - 1, "legend.frameon": False, "lines.linewidth": 1.4,
    "svg.fonttype": "none",  # text stays text: small, and searched
    "svg.hashsalt": "skeleton2stage",  # the same figure gives the same file
}


@contextmanager
def panels(rows: int, columns: int, panel_inches: tuple[float, float]) -> Iterator[tuple[Figure, list[Axes]]]:
    """Yield a figure of panels and its axes, row by row; what is drawn in the block has the project's look."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(columns * panel_inches[0], rows * panel_inches[1]), layout="constrained")
        yield figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def line_style(number: int) -> dict[str, str]:
    """Return colour and dashes of the n-th of several lines: told apart by both where there are many."""
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": LINES[number // len(COLOURS) % len(LINES)]}


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as its suffix says (.svg, .png, .pdf), atomically; the same one gives the same bytes."""
    kind = Path(path).suffix.removeprefix(".").lower()
    with atomic_path(path) as temporary, matplotlib.rc_context(_SETTINGS):
        figure.savefig(temporary, format=kind, dpi=110, metadata={"Date": None} if kind == "svg" else None)
