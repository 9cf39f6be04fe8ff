"""What every metric takes: joint positions at 30 frames a second, and how much of a clip counts."""

import torch

from skeleton2stage.motion.skeleton import N_JOINTS

FPS = 30.0
MAX_FRAMES = 600  # metrics look at the first 20 s of a dance, as the paper does


def check_joints(joints_w: torch.Tensor, min_frames: int) -> None:
    """Raise ValueError unless joints are [..., T, 24, 3] with at least `min_frames` frames."""
    if joints_w.ndim < 3 or tuple(joints_w.shape[-2:]) != (N_JOINTS, 3):
        raise ValueError(f"expected joints [..., T, 24, 3], got {tuple(joints_w.shape)}")
    if joints_w.shape[-3] < min_frames:
        raise ValueError(f"expected at least {min_frames} frames, got {joints_w.shape[-3]}")
