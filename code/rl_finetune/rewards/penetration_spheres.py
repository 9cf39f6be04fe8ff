"""A reward for a body that does not pass through itself, by spheres that fill it: cheap, and good at ranking frames."""

import torch

from rl_finetune.rewards.reward import Dances, Reward, RewardContext, register
from skeleton2stage.body.spheres import fill_body, sphere_penetration

DEPTH_SCALE_M = 0.05


@register("penetration_spheres")
class SpherePenetrationReward(Reward):
    """-log(1 + depth / 5 cm) of the summed depth of spheres that overlap, on parts that are not neighbours.

    From 0, no penetration, down to about -3 for a metre. Every frame is measured, in a hundredth of the time that the
    exact count takes; hands count for less than there, being made of the most triangles.
    """

    def __init__(self, context: RewardContext) -> None:
        super().__init__(context)
        self._spheres = fill_body(context.body())

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T], at most 0."""
        self._spheres = self._spheres.to(dances.poses.device)
        return -torch.log1p(sphere_penetration(self._spheres, dances.poses) / DEPTH_SCALE_M)
