"""Motion files in the form that EDGE and Skeleton2Stage write."""

from pathlib import Path

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.files import write_pickle
from skeleton2stage.motion.formats.file_arrays import POSE_WIDTH
from skeleton2stage.motion.motion import FPS, Motion


def write_motion(path: Path, motion: Motion) -> None:
    """Write a motion in the field's written form, float32: axis-angle [T, 72], pelvis [T, 3] and, under EDGE's
    name full_pose, joint positions [T, 24, 3] m. Raises UserError for another frame rate than 30.
    """
    if motion.fps != FPS:
        raise UserError(f"the written form is at {FPS:g} frames a second, not {motion.fps:g}")
    write_pickle(path, {
        "smpl_poses": motion.poses.reshape(-1, POSE_WIDTH),
        "smpl_trans": motion.translation,
        "full_pose": motion.joints().astype(np.float32),
    })
