"""Dances in batches, whoever made them, and windows of them joined to longer ones."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import roma
import torch

from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.rotations import slerp

Blend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class DanceBatch(NamedTuple):
    """N dances of T frames at 30 fps, z up, floor at z = 0.

    poses: [N, T, 24, 3] rotations of SMPL's joints to their parents, axis-angle, radians. translation: [N, T, 3] of the
    pelvis joint, metres. contacts: [N, T, C] in [0, 1], feet first, or None where the model tells none.
    """

    poses: torch.Tensor
    translation: torch.Tensor
    contacts: torch.Tensor | None = None

    def motions(self) -> list[Motion]:
        """Return each dance as a motion."""
        arrays = [None if part is None else part.detach().float().cpu().numpy() for part in self]
        return [
            Motion(arrays[0][i], arrays[1][i], FPS, None if arrays[2] is None else arrays[2][i])
            for i in range(len(arrays[0]))
        ]


def split(batch: DanceBatch, counts: Sequence[int]) -> list[DanceBatch]:
    """Return the batch in parts of so many dances each."""
    parts = [None if part is None else part.split(list(counts)) for part in batch]
    return [DanceBatch(*(None if part is None else part[i] for part in parts)) for i in range(len(counts))]


def blended(windows: DanceBatch) -> DanceBatch:
    """Return N windows of T frames, each half a window after the last, as one dance of T (N + 1) / 2, a batch of 1.

    Over an overlap the translation and contacts are blended linearly, the rotations by slerp.
    """
    poses = roma.rotmat_to_rotvec(joined(roma.rotvec_to_rotmat(windows.poses), slerp))
    contacts = None if windows.contacts is None else joined(windows.contacts, torch.lerp)[None]
    return DanceBatch(poses[None], joined(windows.translation, torch.lerp)[None], contacts)


def joined(windows: torch.Tensor, blend: Blend) -> torch.Tensor:
    """Return windows [N, T, ...] joined by blending every overlap, [T (N + 1) / 2, ...]."""
    half = windows.shape[1] // 2
    left, right = windows[:-1, half:], windows[1:, :half]
    weight = torch.linspace(0.0, 1.0, half, device=windows.device, dtype=windows.dtype)
    weight = weight.view(1, half, *[1] * (windows.ndim - 2))
    overlaps = blend(left, right, weight).flatten(0, 1)
    return torch.cat((windows[0, :half], overlaps, windows[-1, half:]))
