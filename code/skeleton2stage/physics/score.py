"""The physical verdict on anybody's motions: `python -m skeleton2stage.physics.score motions=DIR out=FILE.json`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage import paths
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import write_json
from skeleton2stage.motion.folder import read_folder
from skeleton2stage.motion.formats import write_motion
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.physics.factory import make_scorer
from skeleton2stage.physics.reference import check_motion
from skeleton2stage.physics.scoring import DanceScorer, DanceScores
from skeleton2stage.physics.simulator_options import SimulatorOptions
from skeleton2stage.settings import setting
from skeleton2stage.tables import bootstrap_error, markdown_table

USAGE = "python -m skeleton2stage.physics.score motions=DIR out=FILE.json [save=DIR] [key=value ...]"
EXIT_BAD_FILES = 1


@dataclass(frozen=True)
class ScoreConfig:
    """The keys of configs/score.yaml, which explains them."""

    motions: Path
    out: Path
    save: Path | None
    format: str
    window_s: float | None = setting(minimum=2 / FPS)
    policy: Path
    simulator: str
    simulator_options: SimulatorOptions
    wrench_scale: float | None = setting(minimum=0)
    body: str
    max_worlds: int | None = setting(minimum=1)


@dataclass(frozen=True)
class Column:
    """A figure of the verdict: its name in the files, DanceScores' name for it, and the digits shown."""

    name: str
    source: str
    decimals: int


COLUMNS = (
    Column("imitation", "imitation", 4),
    Column("success", "success", 3),
    Column("body_error_mm", "body_error_mm", 1),
    Column("residual_effort", "residual_force_share", 4),
    Column("self_contact", "self_contact_mm", 2),
)


def main(arguments: list[str]) -> int:
    """Score a folder; return 1 where some of its files could not be read, the others being scored."""
    if help_wanted(arguments):
        print(help_text(USAGE, "score"))
        return 0
    config = to_dataclass(load_config("score", arguments), ScoreConfig)
    _check(config)
    scorer = make_scorer(
        config.policy, config.simulator, config.body, config.max_worlds, config.wrench_scale,
        show_progress=True, options=config.simulator_options,
    )
    motions, n_bad = read_folder(config.motions, config.format, check_motion)
    clips = motions if config.window_s is None else windows(motions, config.window_s)
    check_save(config, list(motions), list(clips))
    scores = score_clips(scorer, clips, config.save)
    setup = {"policy": paths.shown(config.policy), "simulator": config.simulator, "wrench_scale": scorer.wrench_scale}
    content = verdict(clips, scores, setup)
    write_json(config.out, content)
    print(f"{verdict_table(content)}\nwritten to {config.out}")
    return EXIT_BAD_FILES if n_bad else 0


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
    n = round(window_s * FPS)
    cut = {
        f"{name}@{start}": motion.slice(start, start + n)
        for name, motion in motions.items()
        for start in range(0, len(motion) - n + 1, n)
    }
    if not cut:
        raise UserError(f"no motion is as long as window_s={window_s:g}; the longest has {_longest_s(motions):.2f} s")
    return cut


def performed_paths(names: list[str], folder: Path) -> list[Path]:
    """Return where each clip's performance is written; raise UserError where two would share a file."""
    targets = []
    for name in names:
        file, start = _origin(name)
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


def verdict(clips: dict[str, Motion], scores: DanceScores, setup: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the written file: what was used, means, their standard errors, and each clip's own.

    Standard errors are by bootstrap over files, and left out where there is one file only.
    """
    figures = {column.name: getattr(scores, column.source).double().numpy() for column in COLUMNS}
    files = [_origin(name)[0] for name in clips]
    errors = {name: bootstrap_error(values, files) for name, values in figures.items()}
    return {
        **setup,
        "n_motions": len(clips),
        "n_frames": sum(len(motion) for motion in clips.values()),
        "metrics": {name: float(np.mean(values)) for name, values in figures.items()},
        "standard_errors": {name: error for name, error in errors.items() if error is not None},
        "per_motion": {
            clip: {name: float(values[index]) for name, values in figures.items()} for index, clip in enumerate(clips)
        },
    }


def verdict_table(content: dict[str, Any]) -> str:
    """Return a verdict as Markdown: a row a clip, the means last."""
    rows = [["motion", *(column.name for column in COLUMNS)]]
    for clip, values in content["per_motion"].items():
        rows.append([clip, *(f"{values[column.name]:.{column.decimals}f}" for column in COLUMNS)])
    errors = content["standard_errors"]
    mean = [f"{content['metrics'][column.name]:.{column.decimals}f}" for column in COLUMNS]
    spread = [f" ± {errors[column.name]:.{column.decimals}f}" if column.name in errors else "" for column in COLUMNS]
    rows.append(["mean ± standard error", *(value + error for value, error in zip(mean, spread, strict=True))])
    return markdown_table(rows)


def _origin(name: str) -> tuple[str, str]:
    """Return the file that a clip is from, and the first frame of its window there, empty for a whole file."""
    file, _, start = name.rpartition("@")
    return (file, start) if file and start.isdigit() else (name, "")


def _check(config: ScoreConfig) -> None:
    if config.out.suffix != ".json":
        raise UserError(f"out={config.out} must name a .json file")


def _longest_s(motions: dict[str, Motion]) -> float:
    return max(motion.duration_s for motion in motions.values())


if __name__ == "__main__":
    run_main(main)
