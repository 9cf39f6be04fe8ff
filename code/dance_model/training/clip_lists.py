"""Which clips are trained on, held out or left out, by lists of names such as EDGE's of AIST++."""

from dataclasses import dataclass
from pathlib import Path

from dance_model.training.train_edge_config import TrainEdgeConfig
from dance_model.training.windows import DanceWindows
from skeleton2stage.errors import UserError


@dataclass(frozen=True)
class ClipLists:
    """Clip names (file stems) to train on, to hold out, and to leave out; None where there is no such list."""

    train: frozenset[str] | None = None
    test: frozenset[str] | None = None
    ignored: frozenset[str] | None = None

    @property
    def names(self) -> frozenset[str]:
        """All names of all lists."""
        return frozenset().union(*(part for part in (self.train, self.test, self.ignored) if part is not None))


def read_lists(config: TrainEdgeConfig) -> ClipLists:
    """Return the lists that a configuration names; raise UserError where a file of them cannot be read."""
    files = (config.train_list, config.test_list, config.ignore_list)
    return ClipLists(*(None if file is None else read_list(file) for file in files))


def read_list(path: Path) -> frozenset[str]:
    """Return the names of a text file of one a line; blank lines and spaces around names do not count."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path} as a list of clips, one name a line ({error}): give such a file") from None
    return frozenset(line.strip() for line in lines if line.strip())


def select_clips(
    windows: DanceWindows, lists: ClipLists, held_out: tuple[str, ...]
) -> tuple[DanceWindows, list[str]]:
    """Return the windows of the clips that are to be used, and lines that count what the lists left out.

    Ignored clips go; with a training list so do clips that neither it nor `held_out` names.
    """
    clips = frozenset(windows.names)
    ignored = clips & (lists.ignored or frozenset())
    unlisted = clips - ignored - lists.train.union(held_out) if lists.train is not None else frozenset()
    counts = (
        ("clips left out by ignore_list", len(ignored)),
        ("clips left out that are neither to train on nor held out", len(unlisted)),
        ("names in the lists without a clip of 5 s or more", len(lists.names - clips)),
    )
    return windows.split(tuple(ignored | unlisted))[0], [f"{what}: {count}" for what, count in counts if count]
