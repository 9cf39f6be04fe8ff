"""What every metric takes: joint positions at 30 frames a second, and how much of a clip counts."""

from dataclasses import dataclass

import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion.folder import AnyMotion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.skeleton import N_JOINTS

FPS = 30.0
MAX_FRAMES = 600  # metrics look at the first 20 s of a dance, as the paper does
MIN_FRAMES = 3  # an acceleration needs three


@dataclass(frozen=True)
class Clip:
    """The part of a dance that metrics look at.

    joints_w: [T, 24, 3] m, z up, the mean skeleton's where rotations are known. axis_angle: [T, 24, 3] rad, local
    rotations; None of motions that are joint positions only.
    """

    joints_w: torch.Tensor
    axis_angle: torch.Tensor | None

    def __len__(self) -> int:
        return len(self.joints_w)


def check_motion(motion: AnyMotion) -> None:
    """Raise UserError where a motion is not at 30 fps or too short for metrics."""
    if motion.fps != FPS:
        raise UserError(f"metrics need {FPS:g} frames a second, not {motion.fps:g}: convert the motion first")
    if len(motion) < MIN_FRAMES:
        raise UserError(f"metrics need at least {MIN_FRAMES} frames; this motion has {len(motion)}")


def clip_of(motion: AnyMotion) -> Clip:
    """Return the first 600 frames of a motion; raise UserError where it is not at 30 fps or too short."""
    check_motion(motion)
    if not isinstance(motion, Motion):
        return Clip(torch.from_numpy(motion.joints_w[:MAX_FRAMES]), None)
    cut = motion.slice(0, MAX_FRAMES)
    return Clip(torch.from_numpy(cut.joints()), torch.from_numpy(cut.poses))


def check_joints(joints_w: torch.Tensor, min_frames: int) -> None:
    """Raise ValueError unless joints are [..., T, 24, 3] with at least `min_frames` frames."""
    if joints_w.ndim < 3 or tuple(joints_w.shape[-2:]) != (N_JOINTS, 3):
        raise ValueError(f"expected joints [..., T, 24, 3], got {tuple(joints_w.shape)}")
    if joints_w.shape[-3] < min_frames:
        raise ValueError(f"expected at least {min_frames} frames, got {joints_w.shape[-3]}")
