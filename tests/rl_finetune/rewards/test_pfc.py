import torch

from rl_finetune.rewards.reward import RewardContext, make_reward
from skeleton2stage.metrics.foot_contact import pfc


def test_its_mean_over_frames_is_minus_the_metric(lively):
    reward = make_reward("pfc", RewardContext(scorer=None))(lively)
    assert reward.shape == (3, 40) and reward.dtype == torch.float32
    torch.testing.assert_close(reward.mean(dim=1), -pfc(lively.joints_w))
    assert (reward.mean(dim=1) < 0).all()
