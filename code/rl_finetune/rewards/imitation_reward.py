"""The physical verdict as a reward, of a whole dance or of each of its frames."""

import torch
from torch.nn.functional import avg_pool1d, pad

from rl_finetune.rewards.reward import Dances, Reward, RewardContext, register

CREDIT_FRAMES = 15


@register("imitation")
class ImitationReward(Reward):
    """Mean tracking reward of the imitation policy performing the dance in the simulator, 0 to 1.

    Frames after a fall count zero (Skeleton2Stage, arXiv 2602.13778).
    """

    needs_simulator = True

    def __init__(self, context: RewardContext) -> None:
        super().__init__(context)
        # Now and not at the first dance: a missing policy must not cost the sampling before it.
        context.scorer()

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one score a dance, [N]."""
        return self.context.verdict(dances).imitation.to(dances.poses.device)


@register("imitation_frames")
class FrameImitationReward(ImitationReward):
    """The same tracking reward, each frame's credit for what follows it within half a second.

    A dance's mean says that it was hard to perform; this says where. What makes a body stray is in the motion
    shortly before it does, so that a frame gets the mean of its own reward and of the 14 after it.
    """

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one score a frame, [N, T]."""
        rewards = self.context.verdict(dances).frame_rewards
        ahead = pad(rewards[:, None], (0, CREDIT_FRAMES - 1), mode="replicate")
        return avg_pool1d(ahead, CREDIT_FRAMES, stride=1)[:, 0].to(dances.poses.device)
