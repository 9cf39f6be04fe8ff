"""Each dancer scored by a humanoid of their own shape, in the order in which the dances came."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.evaluation.judge import load_penetration
from skeleton2stage.motion.motion import BodyShape, Motion
from skeleton2stage.physics.score.dance_scorer import DanceScores
from skeleton2stage.physics.score.own_body_scorer import OwnBodyScorer, joined


class Measuring:
    """Stands in for the simulator: a dance's score is its body's size, in frames of its length."""

    def __init__(self, body):
        self.size = float(body.size)

    def score(self, motions):
        n_frames = max(map(len, motions))
        column = torch.full((len(motions),), self.size)
        rewards = torch.stack([self.size * (torch.arange(n_frames) < len(motion)) for motion in motions])
        return DanceScores(column, column > 0, column, column, column, rewards)

    def perform(self, motions):
        return self.score(motions), [motion.shifted([self.size, 0, 0]) for motion in motions]


class Body:
    def __init__(self, size):
        self.size = size


def dance(n_frames, *betas):
    return Motion(np.zeros((n_frames, 24, 3)), np.zeros((n_frames, 3)), shape=BodyShape(betas, "neutral", "smpl"))


@pytest.fixture
def scorer(monkeypatch, tiny_policy):
    from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy

    monkeypatch.setattr(BodyChoice, "of", lambda self, motion: Body(motion.shape.betas[0]))
    choice = BodyChoice("smpl", betas="from_motion")
    return OwnBodyScorer(choice, Measuring, ImitationPolicy.load(tiny_policy), wrench_scale=0.5)


def test_scores_come_back_in_their_order(scorer):
    dances = [dance(3, 2.0), dance(5, 1.0), dance(4, 2.0), dance(2, 3.0)]
    scores = scorer.score(dances)
    assert scores.imitation.tolist() == [2, 1, 2, 3] and scores.success.all() and scorer.wrench_scale == 0.5
    assert scores.frame_rewards.tolist() == [[2, 2, 2, 0, 0], [1] * 5, [2, 2, 2, 2, 0], [3, 3, 0, 0, 0]]
    performed = scorer.perform(dances)[1]
    assert [motion.translation[0, 0] for motion in performed] == [2, 1, 2, 3]
    assert [len(motion) for motion in performed] == [3, 5, 4, 2]


def test_lots_are_joined_whatever_their_lengths():
    short, long = (DanceScores(*[torch.ones(n)] * 5, torch.ones(n, t)) for n, t in ((2, 3), (1, 6)))
    both = joined([short, long], torch.tensor([2, 0, 1]))
    assert both.frame_rewards.sum(dim=1).tolist() == [6, 3, 3]
    assert replace(both, imitation=torch.zeros(3)).imitation.shape == (3,)


def test_penetrations_are_counted_on_each_persons_body():
    """The open body is closed in itself however large; what it has here is one counter a person, the last one kept."""
    counts = load_penetration(True, "open")
    motion = Motion(np.zeros((1, 24, 3)), np.zeros((1, 3)))
    assert counts.of(motion) is counts.of(motion)
    assert load_penetration(False, "open") is None
