"""One reader for each format of motion files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import read_bvh
from skeleton2stage.motion.formats.file_arrays import array_of, one_scale, poses_of, read_npz_motion, read_pickled_dict
from skeleton2stage.motion.formats.motion_file import MotionFile, NotAMotion, RawMotion, as_motion_file
from skeleton2stage.motion.formats.smpl_bvh import smpl_motion
from skeleton2stage.motion.motion import FPS
from skeleton2stage.motion.retarget.retarget import retarget

SMPLH_BODY_JOINTS = 22
HANDS = (22, 23)

# PopDanceSet was estimated from video, whose camera stands 5 m from the dancer and 1 m over the floor.
POPDANCE_SHIFT_M = np.array([0.0, -5.0, 1.0])

# What lies beside motions under their extensions: AMASS's fits of the body shape, AIST++'s joint positions.
SHAPE_SUFFIX = "_stagei"


def read_aistpp(path: Path) -> MotionFile:
    """Read AIST++'s pickle."""
    content = read_pickled_dict(path)
    translation = array_of(content, "smpl_trans") / one_scale(array_of(content, "smpl_scaling"))
    return as_motion_file("aistpp", RawMotion(poses_of(content, "smpl_poses"), translation, 60.0, "y"))


def read_edge_split(path: Path) -> MotionFile:
    """Read EDGE's split pickle, whose positions are still to be divided by their scale."""
    content = read_pickled_dict(path)
    translation = array_of(content, "pos") / one_scale(array_of(content, "scale"))
    return as_motion_file("edge_split", RawMotion(poses_of(content, "q"), translation, 60.0, "y"))


def read_edge_sliced(path: Path) -> MotionFile:
    """Read EDGE's sliced pickle."""
    content = read_pickled_dict(path)
    return as_motion_file("edge_sliced", RawMotion(poses_of(content, "q"), array_of(content, "pos"), 60.0, "y"))


def read_popdance_published(path: Path) -> MotionFile:
    """Read PopDanceSet's pickle as published."""
    content = read_pickled_dict(path)
    names = {"pos": "transl", "q": "pred_thetas", "scale": "pred_camera"}
    renamed = {key: array_of(content, name) for key, name in names.items()}
    return _popdance("popdance", renamed, _popdance_position(renamed))


def read_popdance_split(path: Path) -> MotionFile:
    """Read PopDanceSet's split pickle, whose positions are still to be multiplied by their scales."""
    content = read_pickled_dict(path)
    return _popdance("popdance_split", content, _popdance_position(content))


def _popdance_position(content: dict[str, Any]) -> np.ndarray:
    """Return positions [T, 3] times their scales, one, [T], [T, 1] or [T, 3]."""
    position, scale = array_of(content, "pos"), array_of(content, "scale")
    if scale.ndim == 1 and len(scale) == len(position):
        scale = scale[:, None]
    try:
        return np.broadcast_to(position * scale, position.shape)
    except ValueError:
        raise UserError(f"its 'scale' {list(scale.shape)} does not fit its 'pos' {list(position.shape)}") from None


def read_popdance_sliced(path: Path) -> MotionFile:
    """Read PopDanceSet's sliced pickle."""
    content = read_pickled_dict(path)
    return _popdance("popdance_sliced", content, array_of(content, "pos"))


def _popdance(format_name: str, content: dict[str, Any], position: np.ndarray) -> MotionFile:
    found = as_motion_file(format_name, RawMotion(poses_of(content, "q"), position, 30.0, "-y"))
    return replace(found, motion=found.motion.shifted(POPDANCE_SHIFT_M))


def read_written(path: Path) -> MotionFile:
    """Read the form that EDGE and Skeleton2Stage write."""
    content = read_pickled_dict(path)
    raw = RawMotion(poses_of(content, "smpl_poses"), array_of(content, "smpl_trans"), FPS, "z")
    return as_motion_file("written", raw)


def read_amass(path: Path) -> MotionFile:
    """Read AMASS's npz, of SMPL-H or SMPL-X."""
    if path.stem.endswith(SHAPE_SUFFIX):
        raise NotAMotion("it holds no motion but a body shape, as AMASS's stagei files do")
    content = read_npz_motion(path)
    if "poses" not in content:
        raise NotAMotion("it holds no motion (no 'poses'), as AMASS's files of body shapes do not")
    poses = array_of(content, "poses")
    if poses.ndim != 2 or poses.shape[1] not in (156, 165):
        raise UserError(f"its 'poses' is {list(poses.shape)} where [T, 156] (SMPL-H) or [T, 165] (SMPL-X) was expected")
    rate_key = "mocap_frame_rate" if "mocap_frame_rate" in content else "mocap_framerate"
    body = np.zeros((len(poses), skeleton.N_JOINTS, 3))
    # SMPL-H and SMPL-X agree on 22 body joints; SMPL's two hand joints stay straight.
    body[:, :SMPLH_BODY_JOINTS] = poses[:, : SMPLH_BODY_JOINTS * 3].reshape(-1, SMPLH_BODY_JOINTS, 3)
    rate = one_scale(array_of(content, rate_key))
    return as_motion_file("amass", RawMotion(body, array_of(content, "trans"), rate, "z"))


def read_bvh_motion(path: Path, fps: float | None = None) -> MotionFile:
    """Read a BVH file, retargeted unless its skeleton is SMPL's own; `fps` is believed instead of the file's."""
    bvh = read_bvh(path)
    if fps is not None:
        bvh = replace(bvh, frame_time_s=1.0 / fps)
    own = smpl_motion(bvh)
    if own is not None:
        return as_motion_file("bvh", own)
    motion, report = retarget(bvh)
    return MotionFile(motion, "bvh", bvh.fps, report.up_axis, len(bvh), report)
