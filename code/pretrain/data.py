"""The clips that imitation training uses, and those it must not see."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.motion.clip_windows import end_to_end
from skeleton2stage.motion.formats.file_listing import by_stem, motion_files
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.motion import Motion

WINDOW_FRAMES = 150


@dataclass(frozen=True)
class ClipSet:
    """Clips by name."""

    motions: dict[str, Motion]

    def matching(self, pattern: str) -> "ClipSet":
        """Return the clips whose names match a file-name pattern, or, after a "!", do not; raise UserError for none."""
        other, bare = pattern.startswith("!"), pattern.removeprefix("!")
        chosen = {name: motion for name, motion in self.motions.items() if fnmatch(name, bare) is not other}
        if not chosen:
            raise UserError(f"no clip matches '{pattern}': the clips are {', '.join(sorted(self.motions))}")
        return ClipSet(chosen)

    def with_mirrored(self) -> "ClipSet":
        """Return the clips and their mirror images."""
        return ClipSet(self.motions | {f"{name}_mirrored": m.mirrored() for name, m in self.motions.items()})

    def windows(self) -> dict[str, Motion]:
        """Return the clips cut into 5-second windows end to end, the remainder dropped."""
        return end_to_end(self.motions, WINDOW_FRAMES)


@dataclass(frozen=True)
class SplitClips:
    """Clips to train on and clips held out."""

    training: ClipSet
    held_out: ClipSet


def load_clips(folder: Path, held_out: tuple[str, ...]) -> SplitClips:
    """Read every motion of a folder; the file stems in `held_out` are kept apart.

    Raises UserError where the folder has no motions to train on, or lacks a held-out one: a name that
    matches nothing would be trained on unnoticed under its right name.
    """
    if not folder.is_dir():
        raise UserError(
            f"no prepared motions at {folder}: make some (python -m skeleton2stage.motion.convert), or give data="
        )
    motions = {stem: read_motion(file) for stem, file in by_stem(motion_files(folder)).items()}
    absent = sorted(set(held_out) - set(motions))
    if absent:
        raise UserError(
            f"held_out names {', '.join(absent)}, but {folder} has no such motion (quote names like '60_12')"
        )
    training = {name: motion for name, motion in motions.items() if name not in held_out}
    if not training:
        raise UserError(f"{folder} has no motions to train on besides the held-out ones")
    return SplitClips(ClipSet(training), ClipSet({n: m for n, m in motions.items() if n in held_out}))
