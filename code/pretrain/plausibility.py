"""Does the verdict see damage: `python -m pretrain.plausibility policy=FILE data=DIR [key=value …]`.

Every held-out window is scored beside damaged copies of itself (see `pretrain.damage`). A verdict that means
something ranks the original higher in nearly all pairs, and about as often as not where the change was harmless.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from pretrain.damage import CONTROLS, DAMAGES
from pretrain.data import load_clips
from skeleton2stage import paths
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import write_json
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.score.dance_scorer import DanceScorer, DanceScores
from skeleton2stage.physics.score.make_scorer import make_scorer
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import output_setting, seed_setting, setting
from skeleton2stage.tables import bootstrap_error, markdown_table

USAGE = "python -m pretrain.plausibility policy=FILE data=DIR [key=value ...]"
ORIGINAL = "original"


@dataclass(frozen=True)
class PlausibilityConfig:
    """The keys of configs/plausibility.yaml, which explains them."""

    policy: Path
    data: Path
    held_out: tuple[str, ...]
    out: Path = output_setting()
    simulator: str
    simulator_options: SimulatorOptions
    wrench_scale: float | None = setting(minimum=0)
    body: str
    seed: int = seed_setting()


@dataclass(frozen=True)
class Finding:
    """How the scores of n windows compare with those of their damaged copies.

    seen: share of pairs in which the original scores higher. difference: mean of original minus copy.
    seen_error, difference_error: standard errors of these by bootstrap over clips, None where there is one clip.
    imitation, success, body_error_mm: means of the copies themselves.
    """

    n: int
    seen: float
    seen_error: float | None
    difference: float
    difference_error: float | None
    imitation: float
    success: float
    body_error_mm: float


def main(arguments: list[str]) -> None:
    """Score windows and their damaged copies, write the findings and print them."""
    if help_wanted(arguments):
        print(help_text(USAGE, "plausibility"))
        return
    config = to_dataclass(load_config("plausibility", arguments), PlausibilityConfig)
    if config.out.suffix != ".json":
        raise UserError(f"out={config.out} must name a .json file")
    windows = load_clips(config.data, config.held_out).held_out.windows()
    if not windows:
        raise UserError(f"none of the held-out clips in {config.data} is as long as a window of 5 s")
    scorer = make_scorer(
        config.policy, config.simulator, config.body, wrench_scale=config.wrench_scale,
        show_progress=True, options=config.simulator_options,
    )
    scores = score_copies(scorer, list(windows.values()), config.seed)
    clips = [name.rpartition("@")[0] for name in windows]
    findings = {name: compare(scores[ORIGINAL], copy, clips) for name, copy in scores.items() if name != ORIGINAL}
    write_json(config.out, report(config, scorer, scores[ORIGINAL], findings))
    print(f"{findings_table(findings)}\nwritten to {config.out}")


def score_copies(scorer: DanceScorer, motions: list[Motion], seed: int) -> dict[str, DanceScores]:
    """Return the scores of motions and of their copies, damaged and harmless, all performed together."""
    copies = {ORIGINAL: motions}
    for name, damage in (DAMAGES | CONTROLS).items():
        copies[name] = [damage(motion, seed + index) for index, motion in enumerate(motions)]
    scores = scorer.score([motion for group in copies.values() for motion in group])
    columns = [value.split(len(motions)) for value in vars(scores).values()]
    return {name: DanceScores(*group) for name, group in zip(copies, zip(*columns, strict=True), strict=True)}


def compare(original: DanceScores, damaged: DanceScores, clips: list[str]) -> Finding:
    """Return how scores of windows compare with those of copies; `clips` names what each window is cut from."""
    difference = (original.imitation - damaged.imitation).double().numpy()
    seen = (difference > 0).astype(np.float64)
    return Finding(
        n=len(clips),
        seen=float(seen.mean()),
        seen_error=bootstrap_error(seen, clips),
        difference=float(difference.mean()),
        difference_error=bootstrap_error(difference, clips),
        **_means(damaged),
    )


def report(
    config: PlausibilityConfig, scorer: DanceScorer, original: DanceScores, findings: dict[str, Finding]
) -> dict[str, object]:
    """Return the content of the written file: what was used, the originals' means, and the findings by damage."""
    return {
        "policy": paths.shown(config.policy),
        "simulator": config.simulator,
        "wrench_scale": scorer.wrench_scale,
        "held_out": list(config.held_out),
        "seed": config.seed,
        ORIGINAL: _means(original),
        "damages": {name: asdict(findings[name]) for name in DAMAGES},
        "controls": {name: asdict(findings[name]) for name in CONTROLS},
    }


def findings_table(findings: dict[str, Finding]) -> str:
    """Return findings as Markdown, a row a damage."""
    rows = [["damage", "pairs", "original higher", "mean difference"]]
    for name, finding in findings.items():
        seen = f"{100.0 * finding.seen:.0f} %" + _spread(finding.seen_error, 100.0, 0)
        difference = f"{finding.difference:+.4f}{_spread(finding.difference_error, 1.0, 4)}"
        title = f"{name} (control)" if name in CONTROLS else name
        rows.append([title, str(finding.n), seen, difference])
    return markdown_table(rows)


def _means(scores: DanceScores) -> dict[str, float]:
    return {
        "imitation": float(scores.imitation.mean()),
        "success": float(scores.success.to(torch.float32).mean()),
        "body_error_mm": float(scores.body_error_mm.mean()),
    }


def _spread(error: float | None, scale: float, decimals: int) -> str:
    return "" if error is None else f" ± {scale * error:.{decimals}f}"


if __name__ == "__main__":
    run_main(main)
