"""Changing the frame rate of motion: slerp for rotations, linear interpolation for positions."""

import math
from dataclasses import dataclass

import torch

from skeleton2stage.motion.rotations import slerp

# A new frame may lie this share of itself after the last old one, which is then held: NTSC's 9000 are 9009 at 30.
_BEYOND_LAST = 0.01


@dataclass(frozen=True)
class Between:
    """For each new frame the old ones [N] before and after it, and the share [N] of the latter."""

    before: torch.Tensor
    after: torch.Tensor
    share: torch.Tensor

    def during(self, frames: slice, first: int) -> "Between":
        """Return the new frames whose old ones before them are among `frames`, counting the old ones from `first`."""
        mine = (self.before >= frames.start) & (self.before < frames.stop)
        return Between(self.before[mine] - first, self.after[mine] - first, self.share[mine])

    def linear(self, values: torch.Tensor) -> torch.Tensor:
        """Return values [T, ...] at the new frames by linear interpolation."""
        share = self.share.to(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
        return values[self.before] + share * (values[self.after] - values[self.before])

    def rotations(self, rotmat: torch.Tensor) -> torch.Tensor:
        """Return rotations [T, J, 3, 3] at the new frames by slerp."""
        return slerp(rotmat[self.before], rotmat[self.after], self.share.to(rotmat.dtype)[:, None, None, None])


def between(n_frames: int, fps: float, new_fps: float) -> Between:
    """Return where the frames of a new rate lie among old ones, the first being the same."""
    duration_s = (n_frames - 1) / fps
    n_new = math.floor(duration_s * new_fps + _BEYOND_LAST) + 1
    at = torch.arange(n_new, dtype=torch.float64) * (fps / new_fps)
    before = at.floor().long().clamp(max=n_frames - 1)
    return Between(before, (before + 1).clamp(max=n_frames - 1), at - before)


def resample_linear(values: torch.Tensor, fps: float, new_fps: float) -> torch.Tensor:
    """Return values [T, ...] at a new frame rate by linear interpolation, the first frame kept."""
    return between(len(values), fps, new_fps).linear(values)


def resample_rotations(rotmat: torch.Tensor, fps: float, new_fps: float) -> torch.Tensor:
    """Return rotations [T, J, 3, 3] at a new frame rate by slerp, the first frame kept."""
    return between(len(rotmat), fps, new_fps).rotations(rotmat)
