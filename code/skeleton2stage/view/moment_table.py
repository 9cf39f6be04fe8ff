"""The moment shown in words: its frame, and of each dance the pairs, the reward, and whether it has ended."""

from collections.abc import Sequence

import numpy as np

from skeleton2stage.view.dancers import Dancer


def moment_table(dancers: Sequence[Dancer], shown: Sequence[bool], frame: int, fps: float) -> str:
    """Return Markdown about one frame of the dances that are shown."""
    seen = [dancer for dancer, is_shown in zip(dancers, shown, strict=True) if is_shown]
    columns = {
        "pairs": [_at(dancer.pairs, frame, "d") for dancer in seen],
        "reward": [_at(dancer.score, frame, ".2f") for dancer in seen],
    }
    told = {title: cells for title, cells in columns.items() if any(cells)}
    rows = [["", *told], ["---", *["---:"] * len(told)]]
    rows += [[_cell(named(dancer, frame)), *(cells[row] for cells in told.values())] for row, dancer in enumerate(seen)]
    n_frames = max(len(dancer) for dancer in dancers)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"frame {frame} of {n_frames - 1}, {fps:g} a second\n\n{table}"


def _at(values: np.ndarray | None, frame: int, form: str) -> str:
    """Return a dance's value [T] at a frame, its last after its end, as words."""
    return "" if values is None else format(values[min(frame, len(values) - 1)], form)


def named(dancer: Dancer, frame: int) -> str:
    """Return what a dance is called at a frame: one that is over, and stands in its last pose, says so."""
    return dancer.label if frame < len(dancer) or len(dancer) == 1 else f"{dancer.label} (ended)"


def _cell(text: str) -> str:
    """Return text as a table's cell shows it, letter by letter."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#+-.!|~&" else letter for letter in text)
