"""Metrics of any folder of motion files, whoever made them: `python -m rl_finetune.evaluate`."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from skeleton2stage.body.body_choice import BETAS, BODY_GENDERS, BodyChoice
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.evaluation.judge import load_judge, load_penetration, load_yardstick, write_statistics
from skeleton2stage.evaluation.own_metrics import load_own_metrics
from skeleton2stage.evaluation.side_by_side import compare
from skeleton2stage.evaluation.song_beats import song_beats
from skeleton2stage.metrics.measured_clip import check_motion
from skeleton2stage.metrics.metrics_table import evaluation_table, write_evaluation
from skeleton2stage.metrics.motion_critic import read_critic
from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.checks.checks import doubts
from skeleton2stage.motion.folder import AnyMotion, read_any_folder
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import output_setting, seed_setting, setting

USAGE = (
    "python -m rl_finetune.evaluate motions=DIR out=FILE.json [key=value ...]\n"
    "       python -m rl_finetune.evaluate compare=[A.json,B.json,...] out=FILE.md [labels=[A,B,...]]"
)
EXIT_BAD_FILES = 1


@dataclass(frozen=True)
class EvaluateConfig:
    """The keys of configs/evaluate.yaml, which explains them."""

    motions: Path | None
    out: Path | None = output_setting()
    compare: tuple[Path, ...]
    labels: tuple[str, ...]
    music: Path | None
    reference: str
    stats_out: Path | None = output_setting()
    critic: Path | None
    metrics: tuple[str, ...]
    seed: int = seed_setting()
    format: str
    policy: str
    simulator: str
    simulator_options: SimulatorOptions
    body: str
    gender: str = setting(choices=BODY_GENDERS)
    betas: str = setting(choices=BETAS)
    pen_rate: bool

    def body_choice(self) -> BodyChoice:
        """Return whose body motions have."""
        return BodyChoice(self.body, self.gender, self.betas)


def main(arguments: list[str]) -> int:
    """Evaluate a folder; return 1 where some of its files could not be read, the others being evaluated."""
    if help_wanted(arguments):
        print(help_text(USAGE, "evaluate"))
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
