"""How good a policy is: its scores on training and held-out clips, with the wrench on and off."""

from collections.abc import Callable
from pathlib import Path

from pretrain.data import ClipSet, SplitClips
from skeleton2stage.files import write_stamped_json
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy
from skeleton2stage.physics.score.dance_scorer import DanceScorer, DanceScores
from skeleton2stage.physics.simulators.simulator import Simulator

MakeSimulator = Callable[[Humanoid, int], Simulator]
Report = dict[str, dict[str, float]]


def score_clips(policy: ImitationPolicy, humanoid: Humanoid, make: MakeSimulator, clips: SplitClips) -> Report:
    """Return the policy's mean scores on 5-second windows of each set, with and without the wrench."""
    sets = {"training": clips.training, "held_out": clips.held_out}
    report: Report = {}
    for name, clip_set in sets.items():
        if clip_set.motions:
            report[name] = score_set(policy, humanoid, make, clip_set, policy.config.wrench_scale)
            report[f"{name}_without_wrench"] = score_set(policy, humanoid, make, clip_set, 0.0)
    return report


def score_set(
    policy: ImitationPolicy, humanoid: Humanoid, make: MakeSimulator, clips: ClipSet, wrench_scale: float
) -> dict[str, float]:
    """Return mean scores over the 5-second windows of some clips."""
    scorer = DanceScorer(policy, humanoid, make, wrench_scale=wrench_scale)
    return summary(scorer.score(list(clips.windows().values())))


def summary(scores: DanceScores) -> dict[str, float]:
    """Return the means over their dances of the scores that are one number a dance."""
    means = {name: round(float(value.float().mean()), 4) for name, value in vars(scores).items() if value.ndim == 1}
    return {"windows": len(scores.imitation), **means}


def write_report(run: Path, report: Report) -> None:
    """Write the table as report.json in the run's folder."""
    write_stamped_json(run / "report.json", report)
