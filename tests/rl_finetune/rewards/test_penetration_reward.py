"""The exact penetration reward on the open body in poses whose trouble is known."""

import math

import numpy as np
import pytest
import torch

from rl_finetune.rewards import Dances, RewardContext
from rl_finetune.rewards.pair_counts import look_frames
from rl_finetune.rewards.penetration_reward import PAIRS_SCALE, interpolated
from rl_finetune.rewards.reward import make_reward
from skeleton2stage.body.body_model import load_body
from skeleton2stage.metrics.penetration import PenetrationCounter

FRAMES = 12


@pytest.fixture(scope="module")
def context():
    return RewardContext(lambda: None, load_body, "cpu")


@pytest.fixture(scope="module")
def dances():
    """The first dance spreads its arms, the second drops the left one into its side by and by."""
    poses = torch.zeros(2, FRAMES, 24, 3)
    poses[1, :, 16, 2] = torch.linspace(-1.0, -1.75, FRAMES)
    poses[1, :, 18, 1] = -2.6  # and has its elbow folded
    return Dances(poses, torch.zeros(2, FRAMES, 3), torch.zeros(2, FRAMES, 4), torch.zeros(2, FRAMES, 35))


def test_the_reward_is_the_log_of_the_exact_count_where_it_is_counted(context, dances):
    values = make_reward("penetration", context)(dances)
    looks = look_frames(FRAMES)
    pairs = PenetrationCounter(load_body(), "cpu").apart_pairs(dances.poses[1, looks])
    assert pairs.max() > 100
    torch.testing.assert_close(values[1, looks], -torch.log1p(pairs / PAIRS_SCALE))
    assert values.shape == (2, FRAMES) and not values[0].any()


def test_creases_are_a_reward_of_their_own(context, dances):
    values = make_reward("creases", context)(dances)
    counter = PenetrationCounter(load_body(), "cpu")
    near = counter.pairs(dances.poses[1, :1]) - counter.apart_pairs(dances.poses[1, :1])
    assert float(values[1, 0]) == pytest.approx(-float(torch.log1p(near / PAIRS_SCALE)))
    assert values[1, 0] < -1 and not values[0].any()


def test_both_count_once(context, dances, monkeypatch):
    calls = []
    hits = PenetrationCounter.hits
    monkeypatch.setattr(PenetrationCounter, "hits", lambda self, poses: calls.append(1) or hits(self, poses))
    again = Dances(dances.poses, dances.translation, dances.contacts, dances.music)
    for name in ("penetration", "creases"):
        make_reward(name, context)(again)
    assert len(calls) == 1


def test_frames_between_counts_are_interpolated():
    looks = torch.tensor([0, 5, 7])
    values = interpolated(torch.tensor([[0.0, 10.0, 6.0]]), looks, 8)
    torch.testing.assert_close(values, torch.tensor([[0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 8.0, 6.0]]))


def test_the_last_frame_is_always_counted():
    assert look_frames(12).tolist() == [0, 5, 10, 11]
    assert look_frames(11).tolist() == [0, 5, 10]
    assert look_frames(1).tolist() == [0]


@pytest.mark.parametrize(("pairs", "value"), [(0, 0.0), (20, -0.6931), (380, -2.9957)])
def test_twenty_pairs_halve(pairs, value):
    """-log(1 + pairs / 20): about -3 for four hundred."""
    assert PAIRS_SCALE == 20.0 and -math.log1p(pairs / PAIRS_SCALE) == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("looks", [[0], [0, 1], [0, 5, 10], [0, 5, 10, 12]])
def test_interpolation_is_numpys(looks):
    values, n_frames = np.random.default_rng(0).normal(size=(3, len(looks))), looks[-1] + 1
    expected = np.stack([np.interp(np.arange(n_frames), looks, row) for row in values])
    found = interpolated(torch.from_numpy(values), torch.tensor(looks), n_frames)
    np.testing.assert_allclose(found, expected, atol=1e-6)
