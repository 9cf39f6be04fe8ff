"""Metrics of any folder of motion files, whoever made them: `python -m rl_finetune.evaluate`."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from skeleton2stage.body.body_choice import BodyChoice, BodySettings
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.evaluation.judge import (
    JudgeSettings,
    load_judge,
    load_penetration,
    load_yardstick,
    write_statistics,
)
from skeleton2stage.evaluation.own_metrics import load_own_metrics
from skeleton2stage.evaluation.side_by_side import compare
from skeleton2stage.evaluation.song_beats import song_beats
from skeleton2stage.metrics.measured_clip import check_motion
from skeleton2stage.metrics.metrics_table import evaluation_table, write_evaluation
from skeleton2stage.metrics.motion_critic import read_critic
from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.checks.checks import doubts
from skeleton2stage.motion.folder import AnyMotion, read_any_folder
from skeleton2stage.motion.formats.format_choice import format_setting
from skeleton2stage.physics.simulators.simulator_options import SimulatorSettings
from skeleton2stage.settings import output_setting, seed_setting, setting

USAGE = (
    "python -m rl_finetune.evaluate motions=DIR out=FILE.json [key=value ...]\n"
    "       python -m rl_finetune.evaluate compare=[A.json,B.json,...] out=FILE.md [labels=[A,B,...]]"
)
EXIT_BAD_FILES = 1


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(JudgeSettings, SimulatorSettings, BodySettings):
    """Metrics of a folder of motion files, or several results side by side."""

    motions: Path | None = setting(
        "folder of motion files (or one file), in any of the formats that convert reads, or .npy of joint positions "
        "[T, 24, 3] or [T, 72] m: bailando (y up, 60 fps) or positions (z up, 30 fps)",
        default=None,
    )
    out: Path | None = output_setting(
        "metrics.json to write, and a table for people beside it as .md; of compare: the table, .md, .tex, .json or "
        ".yaml (values alone, for DVC), and bars beside it as .svg",
        default=None,
    )
    compare: tuple[Path, ...] = setting(
        "metrics.json files to set side by side instead, changes against the first", default=()
    )
    labels: tuple[str, ...] = setting("their titles; the names of their folders where empty", default=())
    music: Path | None = setting(
        "folder of songs that the motions' names tell (docs/music.md), for beat alignment (bas); null leaves bas out",
        default=None,
    )
    stats_out: Path | None = output_setting(
        ".npz to write the motions' own statistics to, as a reference for others", default=None
    )
    metrics: tuple[str, ...] = setting(
        "metrics of your own besides, such as [my_metric.py:travelled]: docs/extending.md", default=()
    )
    seed: int = seed_setting("of the resampling behind standard errors", default=0)
    format: str = format_setting()


def main(arguments: list[str]) -> int:
    """Evaluate a folder; return 1 where some of its files could not be read, the others being evaluated."""
    if help_wanted(arguments):
        print(help_text(USAGE, "evaluate", arguments))
        return 0
    config = to_dataclass(load_config("evaluate", arguments), EvaluateConfig)
    _check(config)
    if config.compare:
        return compare(config.compare, config.labels, config.out)
    body = config.body_choice()
    judge = load_judge(config.policy, config.simulator, body, config.simulator_options)
    yardstick = load_yardstick(config.reference)
    critic = None if config.critic is None else read_critic(config.critic)
    own = load_own_metrics(config.metrics)
    motions, n_bad = read_any_folder(config.motions, config.format, partial(check, body))
    warn(motions)
    if config.stats_out is not None:
        write_statistics(config.stats_out, motions, str(config.motions))
    if config.out is not None:
        beats = None if config.music is None else song_beats(config.music, list(motions))
        penetration = load_penetration(config.pen_rate, body)
        evaluation = evaluate_motions(motions, judge, beats, yardstick, critic, config.seed, penetration, own)
        write_evaluation(config.out, evaluation)
        print(f"{evaluation_table(evaluation)}\nwritten to {config.out} and {config.out.with_suffix('.md').name}")
    return EXIT_BAD_FILES if n_bad else 0


def check(body: BodyChoice, motion: AnyMotion) -> None:
    """Raise UserError where a motion cannot be measured, or not on its own body where that is wanted."""
    check_motion(motion)
    body.check(motion)


def _check(config: EvaluateConfig) -> None:
    """Raise UserError where the keys do not say what to do."""
    if not config.compare and config.motions is None:
        raise UserError("give motions=DIR to measure, or compare=[A.json,B.json] to set side by side (see --help)")
    if config.out is None and (config.compare or config.stats_out is None):
        raise UserError("give out=FILE.json for the metrics (see --help)")
    if not config.compare and config.out is not None and config.out.suffix != ".json":
        raise UserError(f"out={config.out} must name a .json file")
    if config.stats_out is not None and config.stats_out.suffix != ".npz":
        raise UserError(f"stats_out={config.stats_out} must name a .npz file")


def warn(motions: dict[str, AnyMotion]) -> None:
    """Name on stderr the motions that look as if their files had been misread."""
    for name, motion in motions.items():
        for doubt in doubts(motion.joints(), CheckLimits()):
            print(f"warning: {name}: {doubt}", file=sys.stderr)


if __name__ == "__main__":
    run_main(main)
