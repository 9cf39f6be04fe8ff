"""Does the verdict see damage: `python -m pretrain.plausibility policy=FILE data=DIR [key=value …]`.

Every held-out window is judged beside damaged copies of itself (see `pretrain.damage`), by imitation policies and by
every axis. A verdict that means something ranks the original higher in nearly all pairs, and about as often as not, or
never, where the change was harmless.
"""

import shutil
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from tqdm import tqdm

from pretrain.damage.catalogue import CONTROLS, DAMAGES, Damage
from pretrain.data import ClipSet, load_clips
from pretrain.findings import Finding, axes_table, compare, controls_table, damages_table, one_line, weakest_found
from pretrain.plausibility_config import PlausibilityConfig
from pretrain.plausibility_judges import Judged, Judges, KeptScores
from skeleton2stage import paths
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import write_stamped_json
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import run_folder

USAGE = "python -m pretrain.plausibility policy=FILE data=DIR [key=value ...]"
ORIGINAL, CONTROL = "original", "control"
Change = Callable[[Motion, int], Motion]


def main(arguments: list[str]) -> None:
    """Judge windows and their damaged copies, write the findings and print them."""
    if help_wanted(arguments):
        print(help_text(USAGE, "plausibility", arguments))
        return
    config = to_dataclass(load_config("plausibility", arguments), PlausibilityConfig)
    if config.out.suffix != ".json":
        raise UserError(f"out={config.out} must name a .json file")
    windows = _windows(config)
    judges = Judges.of(config)
    begun = config.out.with_suffix(".begun")
    with run_folder(begun):
        kept = KeptScores(begun, RunSettings(config))
        original = kept.get(ORIGINAL, lambda: judges.judge(list(windows.values())))
        names = config.damages or tuple(DAMAGES)
        damages = {}
        for name in tqdm(names, desc="judging", unit="damage"):
            damages[name] = _findings(_strengths(DAMAGES[name]), name, windows, (judges, kept, original, config.seed))
            tqdm.write(one_line(name, damages[name]))
        controls = _findings(dict(CONTROLS), CONTROL, windows, (judges, kept, original, config.seed))
    write_stamped_json(config.out, report(config, judges, original, damages, controls))
    shutil.rmtree(begun)
    print(f"{damages_table(damages)}\n{controls_table(controls)}\n{axes_table(damages)}\nwritten to {config.out}")


def _windows(config: PlausibilityConfig) -> dict[str, Motion]:
    held_out = load_clips(config.data, config.held_out).held_out.motions
    skipped = round(config.skipped_s * FPS)
    later = {name: clip.slice(skipped, len(clip)) for name, clip in held_out.items() if len(clip) > skipped}
    windows = ClipSet(later).windows()
    if not windows:
        raise UserError(
            f"none of the held-out clips in {config.data} has a window of 5 s after skipped_s={config.skipped_s:g}"
        )
    return windows


def _findings(
    kinds: dict[str, Change], name: str, windows: dict[str, Motion], by: tuple[Judges, KeptScores, Judged, int]
) -> dict[str, Finding]:
    """Return what judges find of changes of windows, by kind, all copies judged at once; name: of all of them."""
    judges, kept, original, seed = by
    copies = [change(motion, seed + i) for change in kinds.values() for i, motion in enumerate(windows.values())]
    clips = [window.rpartition("@")[0] for window in windows]
    judged = _split(kept.get(f"{name}: {' '.join(kinds)}", lambda: judges.judge(copies)), len(kinds))
    return {kind: compare(original, scores, clips) for kind, scores in zip(kinds, judged, strict=True)}


def report(
    config: PlausibilityConfig, judges: Judges, original: Judged,
    damages: dict[str, dict[str, Finding]], controls: dict[str, Finding],
) -> dict[str, object]:
    """Return the content of the written file: what was used, the originals' means, and the findings."""
    files = zip(judges.policies.items(), config.policy or (), strict=True)
    return {
        "policies": {
            name: {"file": paths.shown(file), "wrench_scale": scorer.wrench_scale} for (name, scorer), file in files
        },
        "simulator": config.simulator,
        "held_out": list(config.held_out),
        "seed": config.seed,
        "skipped_s": config.skipped_s,
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
