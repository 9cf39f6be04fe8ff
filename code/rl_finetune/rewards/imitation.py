"""The physical verdict as a reward."""

import torch

from rl_finetune.rewards.base import Dances, Reward, RewardContext, register


@register("imitation")
class ImitationReward(Reward):
    """Mean tracking reward of the imitation policy performing the dance in the simulator, 0 to 1.

    Frames after a fall count zero (Skeleton2Stage, arXiv 2602.13778).
    """

    def __init__(self, context: RewardContext) -> None:
        super().__init__(context)
        # Now and not at the first dance: a missing policy must not cost the sampling before it.
        self._scorer = context.scorer()

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one score a dance, [N]."""
        return self._scorer.score(dances.motions).imitation.to(dances.poses.device)
