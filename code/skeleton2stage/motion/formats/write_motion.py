"""Motion files in the form that EDGE and Skeleton2Stage write, and in AMASS's."""

from pathlib import Path

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.files import write_npz, write_pickle
from skeleton2stage.motion.formats.file_arrays import POSE_WIDTH
from skeleton2stage.motion.motion import FPS, Motion

AMASS_WIDTH, AMASS_BODY_JOINTS, AMASS_BETAS = 156, 22, 16


def write_motion(path: Path, motion: Motion) -> None:
    """Write a motion in the field's written form, float32: axis-angle [T, 72], pelvis [T, 3] and, under EDGE's
    name full_pose, joint positions [T, 24, 3] m; betas and gender where they are known. Raises UserError for another
    frame rate than 30.
    """
    if motion.fps != FPS:
        raise UserError(f"the written form is at {FPS:g} frames a second, not {motion.fps:g}")
    shape = {} if motion.shape is None else {
        "betas": np.array(motion.shape.betas, dtype=np.float32), "gender": motion.shape.gender,
        "surface_model_type": motion.shape.family,
    }
    write_pickle(path, {
        "smpl_poses": motion.poses.reshape(-1, POSE_WIDTH),
        "smpl_trans": motion.translation,
        "full_pose": motion.joints().astype(np.float32),
        **shape,
    })


def write_amass(path: Path, motion: Motion) -> None:
    """Write a motion in AMASS's layout of SMPL-H, z up: poses [T, 156], whose fingers are straight, trans, betas [16],
    gender, mocap_framerate. The turn of SMPL's two hand joints, which SMPL-H has not, is lost.
    """
    poses = np.zeros((len(motion), AMASS_WIDTH))
    poses[:, : 3 * AMASS_BODY_JOINTS] = motion.poses[:, :AMASS_BODY_JOINTS].reshape(len(motion), -1)
    betas = np.zeros(AMASS_BETAS)
    if motion.shape is not None:
        known = motion.shape.betas[:AMASS_BETAS]
        betas[: len(known)] = known
    write_npz(
        path, poses=poses, trans=motion.translation.astype(np.float64), betas=betas, dmpls=np.zeros((len(motion), 8)),
        gender=np.array(motion.shape.gender if motion.shape else "neutral"), mocap_framerate=np.array(motion.fps),
        surface_model_type=np.array(motion.shape.family if motion.shape and motion.shape.family else "smplh"),
    )
