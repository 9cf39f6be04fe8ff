"""The axes as rewards: minus their shares of fault, read once for all of them."""

import pytest
import torch

from rl_finetune.rewards import Dances, RewardContext
from rl_finetune.rewards.axis_rewards import AXIS_REWARDS
from rl_finetune.rewards.reward import make_reward
from rl_finetune.rewards.reward_file import read_reward_file
from skeleton2stage import paths
from skeleton2stage.physics.axes.read_axes import AxisReader


@pytest.fixture(scope="module")
def context() -> RewardContext:
    return RewardContext(scorer=None, device="cpu")


@pytest.fixture(scope="module")
def dances() -> Dances:
    """One that stands, one that is lifted by 10 cm and put down, one whose left knee bends backwards."""
    poses, translation = torch.zeros(3, 90, 24, 3), torch.zeros(3, 90, 3)
    poses[:, :, 0, 0] = torch.pi / 2
    translation[..., 2] = 0.983
    translation[1, 40:60, 2] += 0.1
    poses[2, 40:60, 4, 0] = -1.0
    return Dances(poses, translation, None, torch.zeros(3, 90, 35))


def test_each_is_minus_its_axis_by_frame(context, dances):
    readings = AxisReader.of_body("open").read(dances.poses, dances.translation)
    for name in AXIS_REWARDS:
        values = make_reward(name, context)(dances)
        assert values.shape == (3, 90) and values.max() <= 0 and values.min() >= -1
        torch.testing.assert_close(values, -readings[name].frames)


def test_they_blame_what_is_wrong_and_when(context, dances):
    floating, limits = (make_reward(name, context)(dances) for name in ("float", "joint_limits"))
    assert floating[1, 45:55].max() < -0.5 and floating[0].min() == 0 and floating[1, :30].min() == 0
    assert limits[2, 45:55].max() < -0.5 and limits[:2].min() == 0


def test_dances_are_read_once_for_all(context, dances, monkeypatch):
    calls = []
    read = AxisReader.read
    monkeypatch.setattr(AxisReader, "read", lambda self, *motion: calls.append(1) or read(self, *motion))
    fresh = Dances(dances.poses[:1], dances.translation[:1], None, dances.music[:1])
    for name in AXIS_REWARDS:
        make_reward(name, context)(fresh)
    assert len(calls) == 1


def test_the_shipped_file_names_them_all_and_uses_none():
    settings = read_reward_file(paths.configs().parent / "code" / "rl_finetune" / "reward.yaml").settings
    axes = {setting.name: setting.enabled for setting in settings if setting.name in AXIS_REWARDS}
    assert set(axes) == set(AXIS_REWARDS) and not any(axes.values())
