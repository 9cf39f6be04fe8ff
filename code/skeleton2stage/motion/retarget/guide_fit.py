"""SMPL's joints pulled to where the guide has them, by inverse kinematics."""

import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.ik import IkWeights, solve
from skeleton2stage.motion.retarget.guide import TARGETS, Guide

WEIGHTS = IkWeights(
    position={
        "left_hip": 4.0, "right_hip": 4.0, "left_ankle": 30.0, "right_ankle": 30.0,
        "left_knee": 1.0, "right_knee": 1.0,
        "left_wrist": 2.0, "right_wrist": 2.0, "left_elbow": 0.7, "right_elbow": 0.7,
        "left_shoulder": 1.0, "right_shoulder": 1.0, "neck": 0.7, "head": 0.7,
    },
    rotation={
        "pelvis": 1.0, "spine1": 0.5, "spine2": 0.5, "spine3": 0.7, "neck": 0.5,
        "left_hip": 0.1, "right_hip": 0.1, "left_knee": 0.1, "right_knee": 0.1,
        "left_collar": 0.4, "right_collar": 0.4,
        "left_shoulder": 0.2, "right_shoulder": 0.2, "left_elbow": 0.2, "right_elbow": 0.2,
    },
)


def fit_to_guide(guide: Guide, weights: IkWeights = WEIGHTS) -> tuple[torch.Tensor, torch.Tensor]:
    """Return world rotations [T, 24, 3, 3] and pelvis [T, 3] that follow the guide."""
    targets = dict(zip(TARGETS, guide.targets_w.unbind(dim=1), strict=True))
    middle = (targets["left_hip"] + targets["right_hip"]) / 2
    hips = skeleton.offsets()[[skeleton.joint_index("left_hip"), skeleton.joint_index("right_hip")]].mean(axis=0)
    root_pos = middle - guide.rotmat_w[:, 0] @ torch.from_numpy(hips)
    return solve(guide.rotmat_w, root_pos, targets, weights)
