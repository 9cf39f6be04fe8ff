"""What the simulator's humanoid makes of dances, to be shown beside them."""

from collections.abc import Callable
from pathlib import Path

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.physics.imitation.reference_motions import check_motion
from skeleton2stage.physics.score.make_scorer import make_scorer

Performer = Callable[[list[Motion]], list[Motion]]


def make_performer(policy: Path, body: BodyModel) -> Performer:
    """Return the function from motions to their performances by a policy's checkpoint."""
    scorer = make_scorer(policy, body=body, show_progress=True)

    def perform(motions: list[Motion]) -> list[Motion]:
        for motion in motions:
            check_motion(motion)
        return scorer.perform(motions)[1]

    return perform


def with_performances(
    performer: Performer, motions: list[Motion], labels: list[str], seconds: float
) -> tuple[list[Motion], list[str]]:
    """Return motions and captions with each one's performance after it, of what is shown of them."""
    shown = [motion.slice(0, max(2, round(seconds * FPS))) for motion in motions]
    pairs = zip(motions, performer(shown), strict=True)
    captions = [[label, f"{label}, performed" if label else "performed"] for label in labels]
    return [motion for pair in pairs for motion in pair], [caption for pair in captions for caption in pair]
