"""The moment shown in words: its frame, and of each dance the pairs, the reward, and whether it has ended."""

from collections.abc import Sequence

from skeleton2stage.view.dancers import Dancer


def moment_table(dancers: Sequence[Dancer], shown: Sequence[bool], frame: int, fps: float) -> str:
    """Return Markdown about one frame of the dances that are shown."""
    rows = ["| | pairs | reward |", "| --- | ---: | ---: |"]
    for dancer in (dancer for dancer, is_shown in zip(dancers, shown, strict=True) if is_shown):
        own = min(frame, len(dancer) - 1)
        pairs = "" if dancer.pairs is None else f"{dancer.pairs[own]}"
        reward = "" if dancer.score is None else f"{dancer.score[own]:.2f}"
        rows.append(f"| {_cell(named(dancer, frame))} | {pairs} | {reward} |")
    n_frames = max(len(dancer) for dancer in dancers)
    return f"frame {frame} of {n_frames - 1}, {fps:g} a second\n\n" + "\n".join(rows)


def named(dancer: Dancer, frame: int) -> str:
    """Return what a dance is called at a frame: one that is over, and stands in its last pose, says so."""
    return dancer.label if frame < len(dancer) or len(dancer) == 1 else f"{dancer.label} (ended)"


def _cell(text: str) -> str:
    """Return text as a table's cell shows it, letter by letter."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#+-.!|~&" else letter for letter in text)
