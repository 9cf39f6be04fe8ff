"""A reward for feet that stay where they stand."""

import torch

from rl_finetune.rewards.reward import Dances, Reward, register
from skeleton2stage.metrics.foot_skating import sliding_speed


@register("skating")
class SkatingReward(Reward):
    """Minus the horizontal speed of ankles and toes that are on the floor."""

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T] m/s, at most 0."""
        return -sliding_speed(dances.joints_w)
