"""The physical verdict as a reward."""

import torch

from rl_finetune.rewards.base import Dances, Reward, register


@register("imitation")
class ImitationReward(Reward):
    """Mean tracking reward of the imitation policy performing the dance in the simulator, 0 to 1.

    Frames after a fall count zero (Skeleton2Stage, arXiv 2602.13778).
    """

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one score a dance, [N]."""
        return self.context.scorer().score(dances.motions).imitation.to(dances.poses.device)
