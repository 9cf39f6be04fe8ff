"""Changing the frame rate of motion: slerp for rotations, linear interpolation for positions."""

import math

import torch

from skeleton2stage.motion.rotations import slerp

# A new frame may lie this share of itself after the last old one, which is then held: NTSC's 9000 are 9009 at 30.
_BEYOND_LAST = 0.01


def _neighbours(n_frames: int, fps: float, new_fps: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return for each new frame the old frames before and after it [N] and the share [N] of the latter."""
    duration_s = (n_frames - 1) / fps
    n_new = math.floor(duration_s * new_fps + _BEYOND_LAST) + 1
    at = torch.arange(n_new, dtype=torch.float64) * (fps / new_fps)
    before = at.floor().long().clamp(max=n_frames - 1)
    return before, (before + 1).clamp(max=n_frames - 1), at - before


def resample_linear(values: torch.Tensor, fps: float, new_fps: float) -> torch.Tensor:
    """Return values [T, ...] at a new frame rate by linear interpolation, the first frame kept."""
    before, after, share = _neighbours(len(values), fps, new_fps)
    share = share.to(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    return values[before] + share * (values[after] - values[before])


def resample_rotations(rotmat: torch.Tensor, fps: float, new_fps: float) -> torch.Tensor:
    """Return rotations [T, J, 3, 3] at a new frame rate by slerp, the first frame kept."""
    before, after, share = _neighbours(len(rotmat), fps, new_fps)
    return slerp(rotmat[before], rotmat[after], share.to(rotmat.dtype)[:, None, None, None])
