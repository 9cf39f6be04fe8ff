"""Does the verdict see damage: `python -m pretrain.plausibility policy=FILE data=DIR [key=value …]`.

Every held-out window is judged beside damaged copies of itself (see `pretrain.damage`), by the imitation policy and by
every axis. A verdict that means something ranks the original higher in nearly all pairs, and about as often as not, or
never, where the change was harmless.
"""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from tqdm import tqdm

from pretrain.damage.catalogue import CONTROLS, DAMAGES, Damage
from pretrain.data import load_clips
from pretrain.findings import IMITATION, Finding, compare, controls_table, damages_table, weakest_found
from pretrain.plausibility_config import PlausibilityConfig
from skeleton2stage import paths
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import write_stamped_json
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes.read_axes import AXES, AxisReader
from skeleton2stage.physics.score.dance_scorer import DanceScorer
from skeleton2stage.physics.score.make_scorer import make_scorer

USAGE = "python -m pretrain.plausibility policy=FILE data=DIR [key=value ...]"
ORIGINAL = "original"
Judged = dict[str, np.ndarray]
Change = Callable[[Motion, int], Motion]


def main(arguments: list[str]) -> None:
    """Judge windows and their damaged copies, write the findings and print them."""
    if help_wanted(arguments):
        print(help_text(USAGE, "plausibility", arguments))
        return
    config = to_dataclass(load_config("plausibility", arguments), PlausibilityConfig)
    if config.out.suffix != ".json":
        raise UserError(f"out={config.out} must name a .json file")
    windows = load_clips(config.data, config.held_out).held_out.windows()
    if not windows:
        raise UserError(f"none of the held-out clips in {config.data} is as long as a window of 5 s")
    scorer = _scorer(config)
    clips = [name.rpartition("@")[0] for name in windows]
    motions = list(windows.values())
    reader = AxisReader.of_body(config.body)
    original = judge(scorer, reader, motions)

    def findings(kinds: dict[str, Change]) -> dict[str, Finding]:
        copies = [change(motion, config.seed + i) for change in kinds.values() for i, motion in enumerate(motions)]
        judged = _split(judge(scorer, reader, copies), len(kinds))
        return {kind: compare(original, scores, clips) for kind, scores in zip(kinds, judged, strict=True)}

    names = config.damages or tuple(DAMAGES)
    damages = {name: findings(_strengths(DAMAGES[name])) for name in tqdm(names, desc="judging", unit="damage")}
    controls = findings(dict(CONTROLS))
    write_stamped_json(config.out, report(config, scorer, original, damages, controls))
    print(f"{damages_table(damages)}\n{controls_table(controls)}\nwritten to {config.out}")


def judge(scorer: DanceScorer | None, reader: AxisReader, motions: list[Motion]) -> Judged:
    """Return every judge's scores [N] of motions: the policy's, where there is a scorer, and the axes'."""
    judged = {} if scorer is None else {IMITATION: scorer.score(motions).imitation.double().numpy()}
    readings = reader.read_motions(motions)
    for axis in AXES:
        judged[axis] = np.array([reading[axis].soundness.item() for reading in readings])
    return judged


def report(
    config: PlausibilityConfig, scorer: DanceScorer | None, original: Judged,
    damages: dict[str, dict[str, Finding]], controls: dict[str, Finding],
) -> dict[str, object]:
    """Return the content of the written file: what was used, the originals' means, and the findings."""
    return {
        "policy": None if config.policy is None else paths.shown(config.policy),
        "simulator": config.simulator,
        "wrench_scale": None if scorer is None else scorer.wrench_scale,
        "held_out": list(config.held_out),
        "seed": config.seed,
        ORIGINAL: {judge_name: float(scores.mean()) for judge_name, scores in original.items()},
        "damages": {name: _damage_content(name, findings) for name, findings in damages.items()},
        "controls": {name: asdict(finding) for name, finding in controls.items()},
    }


def _damage_content(name: str, findings: dict[str, Finding]) -> dict[str, object]:
    judges = next(iter(findings.values())).seen
    return {
        "unit": DAMAGES[name].unit,
        "axes": list(DAMAGES[name].axes),
        "weakest_found": {judge_name: weakest_found(findings, judge_name) for judge_name in judges},
        "strengths": {strength: asdict(finding) for strength, finding in findings.items()},
    }


def _scorer(config: PlausibilityConfig) -> DanceScorer | None:
    if config.policy is None:
        return None
    return make_scorer(
        config.policy, config.simulator, config.body, wrench_scale=config.wrench_scale,
        options=config.simulator_options,
    )


def _strengths(damage: Damage) -> dict[str, Change]:
    """Return what does a damage, by strength."""
    return {
        f"{strength:g}": lambda motion, seed, strength=strength: damage.apply(motion, seed, strength)
        for strength in damage.strengths
    }


def _split(judged: Judged, n: int) -> list[Judged]:
    """Return scores [n · N] of n groups, one after another, by group."""
    groups = zip(*(np.split(scores, n) for scores in judged.values()), strict=True)
    return [dict(zip(judged, group, strict=True)) for group in groups]


if __name__ == "__main__":
    run_main(main)
