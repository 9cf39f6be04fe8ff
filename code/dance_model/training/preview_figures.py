"""Figures of sampled dances that tell while a model trains whether they are dances."""

import torch

from dance_model.training.dance_losses import vector_joints
from dance_model.training.joint_positions import kinematic_tree
from skeleton2stage.motion.motion import FPS
from skeleton2stage.motion.motion_layout import MotionLayout


@torch.no_grad()
def motion_figures(vectors: torch.Tensor, layout: MotionLayout) -> dict[str, float]:
    """Return what tells a dance from a still, a flying or a trembling one, of motion vectors [B, T, D] in metres.

    mot_mag: mean |change of rot6d| a second. root_speed: of the pelvis, m/s. lowest_joint: mean height of
    the lowest joint, m. acceleration: mean of all joints, m/s^2.
    """
    joints = vector_joints(vectors, layout, kinematic_tree(vectors.device))
    root = vectors[..., layout.translation]
    return {
        "mot_mag": (vectors[..., layout.rot6d].diff(dim=1).abs().mean() * FPS).item(),
        "root_speed": (root.diff(dim=1).norm(dim=-1).mean() * FPS).item(),
        "lowest_joint": joints[..., 2].min(dim=-1).values.mean().item(),
        "acceleration": (joints.diff(n=2, dim=1).norm(dim=-1).mean() * FPS**2).item(),
    }
