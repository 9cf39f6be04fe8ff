import numpy as np
import pytest
import torch

from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.factory import make_simulator
from skeleton2stage.physics.policy import ImitationPolicy, PolicyConfig
from skeleton2stage.physics.scoring import DanceScorer


@pytest.fixture(scope="module")
def scorer(humanoid):
    """A policy that adds nothing to the reference."""
    policy = ImitationPolicy(PolicyConfig(hidden=(4,)))
    for parameter in policy.parameters():
        torch.nn.init.zeros_(parameter)
    return DanceScorer(
        policy.eval().requires_grad_(False), humanoid, lambda h, n: make_simulator("mujoco", h, n), max_worlds=3
    )


def toppling(n: int = 60) -> Motion:
    """Leaning further and further forward about the feet, until the head is on the floor."""
    poses = np.zeros((n, 24, 3), dtype=np.float32)
    lean = np.linspace(0.0, np.pi / 2, n)
    poses[:, 0, 0] = np.pi / 2 + lean
    translation = np.stack((np.zeros(n), -np.sin(lean), np.cos(lean)), axis=1)
    return Motion(poses, translation.astype(np.float32))


def test_standing_scores_high(scorer, standing):
    scores = scorer.score([standing.slice(0, 15)])
    assert scores.success.tolist() == [True]
    assert scores.imitation[0] > 0.9
    assert scores.body_error_mm[0] < 20
    assert scores.residual_force_share[0] == 0


def test_falling_fails_and_later_frames_earn_nothing(scorer, standing):
    fell, stood = scorer.score([toppling(), standing.slice(0, 15)]).success.tolist()
    assert (fell, stood) == (False, True)
    long = toppling(60)
    lying = Motion(
        np.concatenate((long.poses, np.repeat(long.poses[-1:], 60, axis=0))),
        np.concatenate((long.translation, np.repeat(long.translation[-1:], 60, axis=0))),
    )
    short_score, long_score = scorer.score([long, lying]).imitation.tolist()
    # The same performance up to the fall, spread over twice the frames.
    assert long_score == pytest.approx(short_score * 59 / 119, rel=1e-4)


def test_neighbours_and_batches_do_not_matter(scorer, standing):
    dances = [toppling(40), standing.slice(0, 20), toppling(30), standing.slice(0, 10), toppling(20)]
    together = scorer.score(dances)
    alone = [scorer.score([dance]) for dance in dances]
    torch.testing.assert_close(together.imitation, torch.cat([score.imitation for score in alone]))
    assert together.success.tolist() == [bool(score.success) for score in alone]


def test_where_a_dance_takes_place_does_not_matter(scorer):
    moved = toppling(40).shifted(np.array([5.0, -3.0, 0.7]))
    torch.testing.assert_close(
        scorer.score([moved]).imitation, scorer.score([toppling(40)]).imitation, atol=1e-3, rtol=0
    )


def test_no_dances_are_refused(scorer):
    with pytest.raises(ValueError, match="no dances"):
        scorer.score([])
