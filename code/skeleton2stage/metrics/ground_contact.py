"""How steadily the lowest joint of a dance keeps to one floor: foot-ground deviation and its reward.

Skeleton2Stage (arXiv 2602.13778): the floor of a dance is the mean height of its lowest joint, any of the 24.
"""

import torch

from skeleton2stage.metrics.measured_clip import check_joints

FLOATING_FROM_M = 0.05
REWARD_SHARPNESS_PER_M2 = 100.0
_MM = 1000.0


def height_over_floor(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the lowest joint's height [..., T] m over the clip's mean of it, from joints [..., T, 24, 3] m."""
    check_joints(joints_w, min_frames=1)
    lowest = joints_w[..., 2].amin(dim=-1)
    return lowest - lowest.mean(dim=-1, keepdim=True)


def ground_contact_reward(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the reward of every frame [..., T], in (1, 2], for joints [..., T, 24, 3] m, z up.

    exp(-100 d^2) of the depth under the floor plus the same of the height over it; one of the two is
    always zero and contributes 1.
    """
    return 1.0 + torch.exp(-REWARD_SHARPNESS_PER_M2 * height_over_floor(joints_w).square())


def fgd_penetration(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the mean depth of the lowest joint under the floor, [...] mm a frame, of [..., T, 24, 3] m."""
    return _MM * (-height_over_floor(joints_w)).clamp(min=0.0).mean(dim=-1)


def fgd_floating(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the mean floating height of the lowest joint, [...] mm a frame, of [..., T, 24, 3] m.

    A frame floats where that joint is more than 0.05 m over the floor, and then counts all of its height.
    """
    height = height_over_floor(joints_w)
    return _MM * torch.where(height > FLOATING_FROM_M, height, torch.zeros_like(height)).mean(dim=-1)


def fgd(joints_w: torch.Tensor) -> torch.Tensor:
    """Return foot-ground deviation, penetration plus floating, [...] mm a frame, of [..., T, 24, 3] m."""
    return fgd_penetration(joints_w) + fgd_floating(joints_w)
