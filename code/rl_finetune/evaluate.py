"""Metrics of any folder of motion files, whoever made them: `python -m rl_finetune.evaluate`."""

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skeleton2stage import paths
from skeleton2stage.body.model import load_body
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import write_text
from skeleton2stage.metrics.bars import bars_svg
from skeleton2stage.metrics.beat_alignment import bas
from skeleton2stage.metrics.clip import MAX_FRAMES, Clip, check_motion, clip_of
from skeleton2stage.metrics.comparison import as_markdown, read_result, write_comparison
from skeleton2stage.metrics.heat_strip import penetration_over_time
from skeleton2stage.metrics.motion_critic import MotionCritic, motion_critic, motion_critic_fixed, read_critic
from skeleton2stage.metrics.penetration import PenetrationCounter, pen_rate, pen_rate_apart
from skeleton2stage.metrics.reference import (
    Reference,
    features_of,
    read_reference,
    reference_of,
    write_reference,
)
from skeleton2stage.metrics.set_figures import SetFigures, no_figures, set_figures
from skeleton2stage.metrics.table import METRICS, Evaluation, clip_metrics, evaluation_table, write_evaluation
from skeleton2stage.motion.checks import CheckLimits, doubts
from skeleton2stage.motion.folder import AnyMotion, read_any_folder
from skeleton2stage.motion.motion import Motion
from skeleton2stage.music.audio import AUDIO_SUFFIXES, read_audio
from skeleton2stage.music.beats import FPS as BEAT_FPS
from skeleton2stage.music.beats import kinetic_beats
from skeleton2stage.music.cache import cached_beats
from skeleton2stage.physics.factory import make_scorer
from skeleton2stage.physics.scoring import DanceScorer
from skeleton2stage.physics.simulator_options import SimulatorOptions
from skeleton2stage.settings import seed_setting

USAGE = (
    "python -m rl_finetune.evaluate motions=DIR out=FILE.json [key=value ...]\n"
    "       python -m rl_finetune.evaluate compare=[A.json,B.json,...] out=FILE.md [labels=[A,B,...]]"
)
EXIT_BAD_FILES = 1
SHIPPED, NONE = "demo", "none"
NO_ROTATIONS = "it needs joint rotations, and these files hold joint positions only"


@dataclass(frozen=True)
class EvaluateConfig:
    """The keys of configs/evaluate.yaml, which explains them."""

    motions: Path | None
    out: Path | None
    compare: tuple[Path, ...]
    labels: tuple[str, ...]
    music: Path | None
    reference: str
    stats_out: Path | None
    critic: Path | None
    seed: int = seed_setting()
    format: str
    policy: str
    simulator: str
    simulator_options: SimulatorOptions
    body: str
    pen_rate: bool


@dataclass(frozen=True)
class Judge:
    """The scorer of physical metrics, or why there is none."""

    scorer: DanceScorer | None
    reason: str = "no imitation policy was given"


@dataclass(frozen=True)
class Yardstick:
    """What FID and diversity are relative to, or why there is nothing."""

    reference: Reference | None
    reason: str = "no reference was given"


def main(arguments: list[str]) -> int:
    """Evaluate a folder; return 1 where some of its files could not be read, the others being evaluated."""
    if help_wanted(arguments):
        print(help_text(USAGE, "evaluate"))
        return 0
    config = to_dataclass(load_config("evaluate", arguments), EvaluateConfig)
    _check(config)
    if config.compare:
        return compare(config.compare, config.labels, config.out)
    judge = load_judge(config.policy, config.simulator, config.body, config.simulator_options)
    yardstick = load_yardstick(config.reference)
    critic = None if config.critic is None else read_critic(config.critic)
    motions, n_bad = read_any_folder(config.motions, config.format, check_motion)
    warn(motions)
    if config.stats_out is not None:
        write_statistics(config.stats_out, motions, str(config.motions))
    if config.out is not None:
        beats = None if config.music is None else song_beats(config.music, list(motions))
        penetration = load_penetration(config.pen_rate, config.body)
        evaluation = evaluate_motions(motions, judge, beats, yardstick, critic, config.seed, penetration)
        write_evaluation(config.out, evaluation)
        print(f"{evaluation_table(evaluation)}\nwritten to {config.out} and {config.out.with_suffix('.md').name}")
    return EXIT_BAD_FILES if n_bad else 0


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


def compare(tables: tuple[Path, ...], labels: tuple[str, ...], out: Path) -> int:
    """Write several metrics.json side by side, changes against the first, and bars beside them; print the table."""
    names = labels or tuple(str(table.parent.name or table) for table in tables)
    if len(names) != len(tables) or len(set(names)) != len(names):
        raise UserError(f"compare names {len(tables)} files: give as many different labels, not {', '.join(names)}")
    results = [read_result(name, file) for name, file in zip(names, tables, strict=True)]
    if len({result.reference for result in results if result.reference is not None}) > 1:
        print("warning: fid and div of these files are relative to different references", file=sys.stderr)
    write_comparison(out, results)
    write_text(out.with_suffix(".svg"), bars_svg(results))
    print(f"{as_markdown(results)}\nwritten to {out} and {out.with_suffix('.svg').name}")
    return 0


def warn(motions: dict[str, AnyMotion]) -> None:
    """Name on stderr the motions that look as if their files had been misread."""
    for name, motion in motions.items():
        for doubt in doubts(motion.joints(), CheckLimits()):
            print(f"warning: {name}: {doubt}", file=sys.stderr)


def write_statistics(path: Path, motions: dict[str, AnyMotion], source: str) -> None:
    """Write what FID needs of a reference set of motions."""
    reference = reference_of(features_of([clip_of(motion) for motion in motions.values()]), source)
    write_reference(path, reference)
    print(f"statistics of {reference.description} written to {path}")


def load_yardstick(name: str) -> Yardstick:
    """Return the reference in a file, `demo` for the shipped one, `none` for no FID and diversity.

    Only the shipped one may be missing; raises UserError where one that was named is.
    """
    if name == NONE:
        return Yardstick(None, "reference=none")
    if name != SHIPPED:
        return Yardstick(read_reference(Path(name).expanduser()))
    shipped = paths.demo_checkpoints() / "mocap_statistics.npz"
    if not shipped.exists():
        return Yardstick(None, f"no shipped statistics in {paths.shown(shipped.parent)}")
    return Yardstick(replace(read_reference(shipped), source=paths.shown(shipped)))


def load_judge(policy: str, simulator: str, body: str, options: SimulatorOptions | None = None) -> Judge:
    """Return the judge with a policy's checkpoint, `demo` for the shipped one, `none` for no physics.

    Only the shipped policy may be missing; raises UserError where one that was named is.
    """
    if policy == NONE:
        return Judge(None, "policy=none")
    if policy != SHIPPED:
        return Judge(make_scorer(Path(policy).expanduser(), simulator, body, show_progress=True, options=options))
    checkpoint = paths.demo_checkpoints() / "imitation_policy.safetensors"
    if not checkpoint.exists():
        return Judge(None, f"no shipped imitation policy in {paths.shown(checkpoint.parent)}")
    return Judge(make_scorer(checkpoint, simulator, body, show_progress=True, options=options))


def load_penetration(wanted: bool, body: str) -> PenetrationCounter | None:
    """Return what counts the penetrations of a body, where wanted; raise UserError where there is no such body."""
    return PenetrationCounter(load_body(body)) if wanted else None


def songs_in(folder: Path) -> dict[str, Path]:
    """Return the songs of a folder by name; raise UserError where it is not one."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder of songs")
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in AUDIO_SUFFIXES}


def song_of(motion: str, songs: dict[str, Path]) -> Path | None:
    """Return the song of a motion file among songs by name: SONG.pkl's, or as one of several samples SONG_1.pkl's."""
    stem = Path(motion).stem
    return songs.get(stem) or songs.get(re.sub(r"_\d+$", "", stem))


def song_beats(folder: Path, motions: list[str]) -> dict[str, np.ndarray]:
    """Return motion -> beats (frames at 60 fps) of the song that has its name, for those that have one.

    Motions without one are named on stderr, as are songs that cannot be read.
    """
    songs = songs_in(folder)
    if not songs:
        raise UserError(f"no songs ({', '.join(AUDIO_SUFFIXES)}) in {folder}")
    beats = {}
    for name in tqdm(motions, desc="beats of the music", unit="song", leave=False, disable=None):
        try:
            song = song_of(name, songs)
            if song is None:
                raise UserError(f"no song of that name in {folder}")
            beats[name] = cached_beats(*read_audio(song))
        except UserError as error:
            print(f"no bas for {name}: {error}", file=sys.stderr)
    return beats


def evaluate_motions(
    motions: dict[str, AnyMotion],
    judge: Judge = Judge(None),
    beats: dict[str, np.ndarray] | None = None,
    yardstick: Yardstick = Yardstick(None),
    critic: MotionCritic | None = None,
    seed: int = 0,
    penetration: PenetrationCounter | None = None,
) -> Evaluation:
    """Return the metrics of motions by name (30 fps, z up), of the first 600 frames of each.

    judge: for `success_rate` and `imitation`. beats: motion -> beats of its music (60 fps), for `bas`.
    yardstick: for FID and diversity. critic: for `motion_critic`. seed: of the bootstrap behind standard errors.
    penetration: for `pen_rate`.
    """
    clips = {name: clip_of(motion) for name, motion in motions.items()}
    progress = tqdm(clips.items(), desc="metrics", unit="dance", leave=False, disable=None)
    per_motion = {name: clip_metrics(clip) for name, clip in progress}
    skipped = _add_scores(per_motion, motions, judge)
    pairs, why = _add_penetration(per_motion, clips, penetration)
    skipped |= why
    skipped |= _add_alignment(per_motion, clips, beats) | _add_critic(per_motion, clips, critic)
    figures = _set_figures(list(clips.values()), yardstick, seed)
    return Evaluation(
        frames={name: len(clip) for name, clip in clips.items()},
        per_motion=per_motion,
        of_set=figures.values,
        errors_of_set=figures.errors,
        skipped=skipped | figures.skipped | _without_value(per_motion, clips),
        reference=yardstick.reference.description if yardstick.reference else None,
        seed=seed,
        penetration=pairs,
    )


def _set_figures(clips: list[Clip], yardstick: Yardstick, seed: int) -> SetFigures:
    if yardstick.reference is None:
        return no_figures(yardstick.reason)
    return set_figures(features_of(clips), yardstick.reference, seed)


def _without_value(per_motion: dict[str, dict[str, float]], clips: dict[str, Clip]) -> dict[str, str]:
    """Return why metrics of single clips have no value for any of the motions."""
    only_positions = all(clip.axis_angle is None for clip in clips.values())
    return {
        metric.name: NO_ROTATIONS if metric.needs_rotations and only_positions
        else "it has no finite value for any of the motions"
        for metric in METRICS
        if metric.of_clip and not any(metric.name in values for values in per_motion.values())
    }


def _add_scores(
    per_motion: dict[str, dict[str, float]], motions: dict[str, AnyMotion], judge: Judge
) -> dict[str, str]:
    """Add the physical metrics of motions that have rotations; return which are skipped and why."""
    danced = {name: motion.slice(0, MAX_FRAMES) for name, motion in motions.items() if isinstance(motion, Motion)}
    if judge.scorer is None or not danced:
        return dict.fromkeys(("success_rate", "imitation"), NO_ROTATIONS if judge.scorer else judge.reason)
    scores = judge.scorer.score(list(danced.values()))
    verdicts = zip(danced, scores.success.tolist(), scores.imitation.tolist(), strict=True)
    for name, success, imitation in verdicts:
        per_motion[name] |= {"success_rate": float(success), "imitation": imitation}
    return {}


def _add_alignment(
    per_motion: dict[str, dict[str, float]], clips: dict[str, Clip], beats: dict[str, np.ndarray] | None
) -> dict[str, str]:
    """Add the beat alignment of motions that have a song; return why it is skipped, if it is."""
    alignment = {} if beats is None else _alignment(clips, beats)
    for name, value in alignment.items():
        per_motion[name]["bas"] = value
    if alignment:
        return {}
    return {"bas": "no music was given" if beats is None else "no motion has a song with beats"}


def _add_penetration(
    per_motion: dict[str, dict[str, float]], clips: dict[str, Clip], penetration: PenetrationCounter | None
) -> tuple[np.ndarray | None, dict[str, str]]:
    """Add the body's penetrations in motions that have rotations.

    Return them by half second and part of the body, None where there are none, and why they are skipped, if they are.
    """
    names = ("pen_rate", "pen_rate_apart")
    if penetration is None:
        return None, dict.fromkeys(names, "pen_rate=false")
    posed = {name: clip.axis_angle for name, clip in clips.items() if clip.axis_angle is not None}
    if not posed:
        return None, dict.fromkeys(names, NO_ROTATIONS)
    counts = []
    for name, axis_angle in tqdm(posed.items(), desc="pen_rate", unit="dance", leave=False, disable=None):
        hits = penetration.hits(axis_angle)
        per_motion[name] |= dict(zip(names, (pen_rate(hits), pen_rate_apart(hits)), strict=True))
        counts.append(hits.sum(dim=1).cpu().numpy())
    return penetration_over_time(counts), {}


def _add_critic(
    per_motion: dict[str, dict[str, float]], clips: dict[str, Clip], critic: MotionCritic | None
) -> dict[str, str]:
    """Add the critic's scores of motions that have rotations; return which are skipped and why."""
    names = ("motion_critic", "motion_critic_fixed")
    if critic is None:
        return dict.fromkeys(names, "no weights of MotionCritic were given (evaluate's critic=FILE)")
    judged = {name: clip for name, clip in clips.items() if clip.axis_angle is not None}
    for name, clip in tqdm(judged.items(), desc="MotionCritic", unit="dance", leave=False, disable=None):
        scores = motion_critic(critic, clip), motion_critic_fixed(critic, clip)
        per_motion[name] |= dict(zip(names, scores, strict=True))
    return {} if judged else dict.fromkeys(names, NO_ROTATIONS)


def _alignment(clips: dict[str, Clip], beats: dict[str, np.ndarray]) -> dict[str, float]:
    """Return each motion's beat alignment, over the part of its song that it lasts."""
    values = {}
    for name, song in beats.items():
        clip = clips[name]
        heard = song[song < len(clip) * BEAT_FPS / 30]
        if len(heard):
            values[name] = bas(heard, kinetic_beats(clip.joints_w.numpy()))
    return values


if __name__ == "__main__":
    run_main(main)
