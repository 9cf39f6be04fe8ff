"""What the simulator makes of dances that are looked at: a reward for every frame, and the performance."""

import sys
from pathlib import Path

import numpy as np

from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation.reference_motions import check_motion
from skeleton2stage.physics.score.make_scorer import make_scorer


def judged(
    labels: list[str], motions: list[Motion], policy: Path, body: str | BodyChoice
) -> tuple[list[np.ndarray | None], list[Motion | None]]:
    """Return the imitation reward [T] and the performance of each motion; None of one that cannot be performed.

    Why one cannot, as where it has a single frame, is said on stderr with its label: it can be looked at all the same.
    """
    scores: list[np.ndarray | None] = [None] * len(motions)
    performances: list[Motion | None] = [None] * len(motions)
    named = zip(labels, motions, strict=True)
    fit = [number for number, (label, motion) in enumerate(named) if _can_be_performed(label, motion)]
    if fit:
        verdict, performed = make_scorer(policy, body=body, show_progress=True).perform([motions[n] for n in fit])
        for number, rewards, performance in zip(fit, verdict.frame_rewards.numpy(), performed, strict=True):
            scores[number], performances[number] = rewards[: len(motions[number])], performance
    return scores, performances


def _can_be_performed(label: str, motion: Motion) -> bool:
    try:
        check_motion(motion)
    except UserError as error:
        print(f"{label} is shown without a score: {error}", file=sys.stderr)
        return False
    return True
