"""How fast a dance's joints turn: the magnitude that falls when a model freezes."""

import torch

from skeleton2stage.metrics.measured_clip import FPS
from skeleton2stage.motion.rotations import axis_angle_to_rot6d


def mot_mag(axis_angle: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute change of local 6D rotations, [...] per second, of [..., T, 24, 3] rad, T >= 2.

    Skeleton2Stage (arXiv 2602.13778); the mean is over frames, joints and the six components.
    """
    if axis_angle.ndim < 3 or axis_angle.shape[-1] != 3 or axis_angle.shape[-3] < 2:
        raise ValueError(f"expected rotations [..., T >= 2, 24, 3], got {tuple(axis_angle.shape)}")
    rot6d = axis_angle_to_rot6d(axis_angle)
    return FPS * (rot6d[..., 1:, :, :] - rot6d[..., :-1, :, :]).abs().mean(dim=(-1, -2, -3))
