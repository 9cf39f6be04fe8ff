from dataclasses import replace

import torch

from rl_finetune.rewards.reward import RewardContext, make_reward


def test_the_faster_a_still_pose_is_pushed_over_the_floor_the_less_it_is_worth(lively):
    poses = torch.zeros_like(lively.poses)
    poses[:, :, 0, 0] = torch.pi / 2
    translation = torch.zeros_like(lively.translation)
    translation[..., 2] = 0.95
    speed_m_s = torch.tensor([0.0, 0.3, 0.9])
    translation[..., 1] = speed_m_s[:, None] * torch.arange(40) / 30
    dances = replace(lively, poses=poses, translation=translation)
    reward = make_reward("skating", RewardContext(scorer=None))(dances)
    assert reward.shape == (3, 40)
    # Both feet stand on the floor all the time: their weights cancel and the speed itself remains.
    torch.testing.assert_close(reward, -speed_m_s[:, None].expand(3, 40), atol=1e-4, rtol=1e-4)
