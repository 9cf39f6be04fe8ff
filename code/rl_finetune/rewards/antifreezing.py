"""A reward for moving, since a statue is what a simulator finds easiest to perform."""

import torch

from rl_finetune.rewards.reward import Dances, Reward, register
from skeleton2stage.metrics.energy import motion_energy


@register("antifreezing")
class AntiFreezingReward(Reward):
    """Half the mean over joints of average kinetic energy plus average energy expenditure."""

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a dance, [N], at least 0."""
        return motion_energy(dances.joints_w)
