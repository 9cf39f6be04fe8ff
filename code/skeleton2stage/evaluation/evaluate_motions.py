"""Every metric of a set of motions: of each motion, and of the set."""


import numpy as np
from tqdm import tqdm

from skeleton2stage.evaluation.judge import NO_JUDGE, NO_YARDSTICK, Judge, OwnPenetrations, Yardstick
from skeleton2stage.evaluation.own_metrics import OwnMetrics, own_values, shown_as
from skeleton2stage.metrics.beat_alignment import bas
from skeleton2stage.metrics.heat_strip import penetration_over_time
from skeleton2stage.metrics.measured_clip import MAX_FRAMES, Clip, clip_of
from skeleton2stage.metrics.metrics_table import METRICS, Evaluation, clip_metrics
from skeleton2stage.metrics.motion_critic import MotionCritic, motion_critic, motion_critic_fixed
from skeleton2stage.metrics.penetration import pen_rate, pen_rate_apart
from skeleton2stage.metrics.reference_statistics import (
    features_of,
)
from skeleton2stage.metrics.set_figures import SetFigures, no_figures, set_figures
from skeleton2stage.motion.folder import AnyMotion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.music.beats import FPS as BEAT_FPS
from skeleton2stage.music.beats import kinetic_beats

NO_ROTATIONS = "it needs joint rotations, and these files hold joint positions only"


def evaluate_motions(
    motions: dict[str, AnyMotion],
    judge: Judge = NO_JUDGE,
    beats: dict[str, np.ndarray] | None = None,
    yardstick: Yardstick = NO_YARDSTICK,
    critic: MotionCritic | None = None,
    seed: int = 0,
    penetration: OwnPenetrations | None = None,
    own: OwnMetrics | None = None,
) -> Evaluation:
    """Return the metrics of motions by name (30 fps, z up), of the first 600 frames of each.

    judge: for `success_rate` and `imitation`. beats: motion -> beats of its music (60 fps), for `bas`.
    yardstick: for FID and diversity. critic: for `motion_critic`. seed: of the bootstrap behind standard errors.
    penetration: for `pen_rate`. own: metrics of the user's besides.
    """
    own = own or {}
    clips = {name: clip_of(motion) for name, motion in motions.items()}
    progress = tqdm(clips.items(), desc="metrics", unit="dance", leave=False, disable=None)
    per_motion = {name: clip_metrics(clip) | own_values(own, motions[name]) for name, clip in progress}
    skipped = _add_scores(per_motion, motions, judge)
    pairs, why = _add_penetration(per_motion, motions, penetration)
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
        own=shown_as(own),
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
    per_motion: dict[str, dict[str, float]], motions: dict[str, AnyMotion], penetration: OwnPenetrations | None
) -> tuple[np.ndarray | None, dict[str, str]]:
    """Add the body's penetrations in motions that have rotations.

    Return them by half second and part of the body, None where there are none, and why they are skipped, if they are.
    """
    names = ("pen_rate", "pen_rate_apart")
    if penetration is None:
        return None, dict.fromkeys(names, "pen_rate=false")
    posed = {name: motion for name, motion in motions.items() if isinstance(motion, Motion)}
    if not posed:
        return None, dict.fromkeys(names, NO_ROTATIONS)
    counts = []
    for name, motion in tqdm(posed.items(), desc="pen_rate", unit="dance", leave=False, disable=None):
        hits = penetration.of(motion).hits(clip_of(motion).axis_angle)
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
