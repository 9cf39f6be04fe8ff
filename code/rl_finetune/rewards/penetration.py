"""A reward for a body that does not pass through itself, counted exactly on its triangles."""

import torch

from rl_finetune.rewards.base import Dances, Reward, RewardContext, register
from skeleton2stage.metrics.penetration import PenetrationCounter

PAIRS_SCALE = 20.0
EVERY = 5  # frames from one count to the next: a limb takes longer than that to pass through another


@register("penetration")
class PenetrationReward(Reward):
    """-log(1 + pairs / 20) of the pairs of triangles that intersect, on parts that are not neighbours.

    From 0, no penetration, down to about -3 for four hundred pairs. Neighbouring parts, such as the two of a bent
    elbow, have a crease in any pose that bends them and count in the metric alone. Every fifth frame is counted, and
    the last; those between have the linear interpolation.
    """

    def __init__(self, context: RewardContext) -> None:
        super().__init__(context)
        self._counter = PenetrationCounter(context.body(), context.device)

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T], at most 0."""
        n, n_frames = dances.poses.shape[:2]
        looks = look_frames(n_frames)
        pairs = self._counter.apart_pairs(dances.poses[:, looks].flatten(0, 1)).unflatten(0, (n, len(looks)))
        values = -torch.log1p(pairs.to(dances.poses.device, torch.float32) / PAIRS_SCALE)
        return interpolated(values, looks, n_frames)


def look_frames(n_frames: int, every: int = EVERY) -> torch.Tensor:
    """Return which of n frames are counted, in order: every fifth, and the last."""
    frames = torch.arange(0, n_frames, every)
    return frames if frames[-1] == n_frames - 1 else torch.cat((frames, torch.tensor([n_frames - 1])))


def interpolated(values: torch.Tensor, looks: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Return [N, T] of values [N, K] at frames looks [K], linear in between."""
    frames = torch.arange(n_frames)
    right = torch.searchsorted(looks, frames).clamp(max=len(looks) - 1)
    left = (right - 1).clamp(min=0)
    span = (looks[right] - looks[left]).clamp(min=1)
    share = ((frames - looks[left]) / span).clamp(0, 1).to(values.device, values.dtype)
    left, right = left.to(values.device), right.to(values.device)
    return values.index_select(1, left) * (1 - share) + values.index_select(1, right) * share
