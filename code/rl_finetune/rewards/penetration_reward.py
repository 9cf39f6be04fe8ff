"""A reward for a body that does not pass through itself, counted exactly on its triangles."""

import torch

from rl_finetune.rewards.pair_counts import look_frames
from rl_finetune.rewards.reward import Dances, Reward, RewardContext, register

PAIRS_SCALE = 20.0


@register("penetration")
class PenetrationReward(Reward):
    """-log(1 + pairs / 20) of the pairs of triangles that intersect, on parts that are not neighbours.

    From 0, no penetration, down to about -3 for four hundred pairs. Neighbouring parts, such as the two of a bent
    elbow, have a crease in any pose that bends them; `creases` counts those. Every fifth frame is counted, and the
    last; those between have the linear interpolation.
    """

    def __init__(self, context: RewardContext) -> None:
        super().__init__(context)
        # Now and not at the first dance: a missing body must not cost the sampling before it.
        self._counts = context.penetration_counts()

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T], at most 0."""
        return _score(self._counts(dances)[..., 1], dances)


@register("creases")
class CreaseReward(PenetrationReward):
    """The same of pairs on neighbouring parts: a third of the metric `pen_rate`, and of these some are in any dance."""

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T], at most 0."""
        return _score(self._counts(dances)[..., 0], dances)


def _score(pairs: torch.Tensor, dances: Dances) -> torch.Tensor:
    """Return the reward of every frame [N, T] for the pairs [N, K] of those that were counted."""
    n_frames = dances.poses.shape[1]
    values = -torch.log1p(pairs.to(dances.poses.device, torch.float32) / PAIRS_SCALE)
    return interpolated(values, look_frames(n_frames), n_frames)


def interpolated(values: torch.Tensor, looks: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Return [N, T] of values [N, K] at frames looks [K], linear in between."""
    frames = torch.arange(n_frames)
    right = torch.searchsorted(looks, frames).clamp(max=len(looks) - 1)
    left = (right - 1).clamp(min=0)
    span = (looks[right] - looks[left]).clamp(min=1)
    share = ((frames - looks[left]) / span).clamp(0, 1).to(values.device, values.dtype)
    left, right = left.to(values.device), right.to(values.device)
    return values.index_select(1, left) * (1 - share) + values.index_select(1, right) * share
