"""A reward for staying on one floor."""

import torch

from rl_finetune.rewards.reward import Dances, Reward, register
from skeleton2stage.metrics.ground_contact import ground_contact_reward


@register("fgcontact")
class FootGroundContactReward(Reward):
    """exp(-100 d^2) of the lowest joint's depth under its mean height, plus the same for height over it."""

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T], from 1 to 2."""
        return ground_contact_reward(dances.joints_w)
