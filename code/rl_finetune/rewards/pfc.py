"""A reward for pushing off the floor rather than gliding over it."""

import torch

from rl_finetune.rewards.reward import Dances, Reward, register
from skeleton2stage.metrics.foot_contact import pfc_frames


@register("pfc")
class PhysicalFootContactReward(Reward):
    """Minus EDGE's physical foot contact x 10^4: feet that both slide while the body accelerates cost."""

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T], at most 0; its mean over frames is minus the metric `pfc`."""
        return -pfc_frames(dances.joints_w)
