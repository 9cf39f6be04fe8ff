"""Clips to score, cut from files, and where the body's performances of them are written."""

from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.motion.clip_windows import end_to_end
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.physics.score.dance_scorer import DanceScorer, DanceScores
from skeleton2stage.physics.score.score_config import ScoreConfig


def score_clips(scorer: DanceScorer, clips: dict[str, Motion], performed: Path | None) -> DanceScores:
    """Return the scores of clips; write what the body made of each to a folder, if one is given."""
    if performed is None:
        return scorer.score(list(clips.values()))
    targets = performed_paths(list(clips), performed)
    scores, motions = scorer.perform(list(clips.values()))
    for target, motion in zip(targets, motions, strict=True):
        write_motion(target, motion)
    return scores


def windows(motions: dict[str, Motion], window_s: float) -> dict[str, Motion]:
    """Return motions cut end to end, named "file@first frame", what is left at their ends dropped.

    Raises UserError where none is as long as a window.
    """
    cut = end_to_end(motions, round(window_s * FPS))
    if not cut:
        raise UserError(f"no motion is as long as window_s={window_s:g}; the longest has {_longest_s(motions):.2f} s")
    return cut


def performed_paths(names: list[str], folder: Path) -> list[Path]:
    """Return where each clip's performance is written; raise UserError where two would share a file."""
    targets = []
    for name in names:
        file, start = origin(name)
        stem = Path(file).with_suffix("")
        targets.append(folder / stem.with_name(f"{stem.name}@{start}.pkl" if start else f"{stem.name}.pkl"))
    for target in targets:
        if targets.count(target) > 1:
            raise UserError(f"several motions would be written to {target}: score them one folder at a time")
    return targets


def check_save(config: ScoreConfig, files: list[str], clips: list[str]) -> None:
    """Raise UserError where a performance would replace a motion that was read."""
    if config.save is None:
        return
    folder = config.motions if config.motions.is_dir() else config.motions.parent
    read = {(folder / file).resolve() for file in files}
    for target in performed_paths(clips, config.save):
        if target.resolve() in read:
            raise UserError(f"save={config.save} would replace {target}, which was read: give another folder")


def origin(name: str) -> tuple[str, str]:
    """Return the file that a clip is from, and the first frame of its window there, empty for a whole file."""
    file, _, start = name.rpartition("@")
    return (file, start) if file and start.isdigit() else (name, "")


def _longest_s(motions: dict[str, Motion]) -> float:
    return max(motion.duration_s for motion in motions.values())
