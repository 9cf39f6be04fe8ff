"""The axes of the verdict as rewards: minus the share of fault of every frame. They need no policy and no simulator."""

import torch

from rl_finetune.rewards.reward import Dances, Reward, register
from skeleton2stage.physics.axes.read_axes import AXES

# How deep parts are in each other is a reward of its own (`penetration`, `penetration_spheres`).
AXIS_REWARDS = tuple(axis for axis in AXES if not axis.startswith("penetration"))


class AxisReward(Reward):
    """Minus an axis' share of fault, 0 (nothing a person could not do) down to -1, by frame: that of its worst part."""

    axis = ""

    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a frame, [N, T]."""
        return -self.context.readings(dances)[self.axis].frames


def _reward_of(axis: str) -> type[AxisReward]:
    """Return the reward's class of an axis."""
    name = f"{axis.title().replace('_', '')}Reward"
    return type(name, (AxisReward,), {"axis": axis, "__module__": __name__})


for _axis in AXIS_REWARDS:
    register(_axis)(_reward_of(_axis))
