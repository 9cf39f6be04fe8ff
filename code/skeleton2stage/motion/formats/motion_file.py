"""A motion as a file holds it, made ours: z up, 30 frames a second, its head over its feet."""

from dataclasses import dataclass, replace

import numpy as np
import roma
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.resample import resample_linear, resample_rotations
from skeleton2stage.motion.retarget.retarget import RetargetReport

# A head lower than this over the feet, on average over a clip, means that the axes were misread.
MIN_HEAD_OVER_FEET_M = 0.3

# Axis-angle needs no more than pi, and fits that go round with a dancer some turns in some frames.
MAX_ANGLE_RAD = 4.0 * np.pi


@dataclass(frozen=True)
class MotionFile:
    """A motion as read, and what was found in its file.

    source_fps: frame rate of the file. up_axis: the file's axis that points up, "-y" for y down.
    source_frames: frames in the file. retargeting: how well a foreign skeleton went over, if it was one.
    """

    motion: Motion
    format: str
    source_fps: float
    up_axis: str
    source_frames: int
    retargeting: RetargetReport | None = None


@dataclass(frozen=True)
class RawMotion:
    """Poses and pelvis as a file has them: [T, 24, 3] rad, [T, 3] m, in the file's axes."""

    poses: np.ndarray
    translation: np.ndarray
    fps: float
    up_axis: str


class NotAMotion(UserError):  # noqa: N818 - it says what the file is
    """A well-formed file of the data set that holds no motion, such as AMASS's shape files."""


class NotUpright(UserError):  # noqa: N818 - it says what the motion is
    """A motion whose head is not over its feet: misread axes, or someone who lies down throughout."""


def head_over_feet(joints_w: np.ndarray, axis: int = 2) -> float:
    """Return the mean height (m) of the head over the ankles along an axis, z's by default, of [T, 24, 3] m."""
    head, ankles = joints_w[:, skeleton.joint_index("head"), axis], joints_w[:, [7, 8], axis].mean(axis=1)
    return float((head - ankles).mean())


def check_upright(found: MotionFile) -> None:
    """Raise NotUpright where the head is not over the feet."""
    joints_w = found.motion.joints()
    height, along_y = head_over_feet(joints_w), head_over_feet(joints_w, axis=1)
    if height < MIN_HEAD_OVER_FEET_M:
        turned = ""
        if along_y >= MIN_HEAD_OVER_FEET_M:
            turned = f" and {along_y:.2f} m along y, so that y seems to be up in it: turn it z up, or"
        raise NotUpright(
            f"read as {found.format} ({found.up_axis} up), its head is on average {height:.2f} m over its feet"
            f"{turned or ': this is another format, or the dancer lies down throughout;'} name the format"
        )


def is_upright(found: MotionFile) -> bool:
    """Return whether the head is over the feet."""
    try:
        check_upright(found)
    except NotUpright:
        return False
    return True


def as_motion_file(format_name: str, raw: RawMotion) -> MotionFile:
    """Return z-up motion at 30 fps of what a file holds."""
    checked = Motion(raw.poses, raw.translation, raw.fps)
    _check_radians(checked.poses)
    poses, translation = _turned_up(checked.poses, checked.translation, raw.up_axis)
    motion = to_fps(replace(checked, poses=poses, translation=translation), FPS)
    return MotionFile(motion, format_name, raw.fps, raw.up_axis, len(checked))


def _check_radians(poses: np.ndarray) -> None:
    """Raise UserError where most poses [T, 24, 3] have an angle that only degrees reach."""
    largest = float(np.median(np.linalg.norm(poses, axis=-1).max(axis=1)))
    if largest > MAX_ANGLE_RAD:
        raise UserError(f"its rotations reach {largest:.0f} rad in most frames: give radians, these look like degrees")


def _turned_up(poses: np.ndarray, translation: np.ndarray, up_axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Return poses and pelvis turned about x so that a file's up axis, "z", "y" or "-y", becomes z."""
    if up_axis == "z":
        return poses, translation
    angle = np.pi / 2 if up_axis == "y" else -np.pi / 2
    turn = roma.rotvec_to_rotmat(torch.tensor([angle, 0.0, 0.0], dtype=torch.float64))
    root = turn @ roma.rotvec_to_rotmat(torch.from_numpy(poses[:, 0]).double())
    poses = poses.copy()
    poses[:, 0] = roma.rotmat_to_rotvec(root).numpy()
    return poses, translation @ turn.numpy().T


def to_fps(motion: Motion, fps: float) -> Motion:
    """Return a motion at another frame rate: every n-th frame where that is exact, as EDGE does, else slerp."""
    ratio = motion.fps / fps
    if abs(ratio - round(ratio)) < 1e-3:
        step = round(ratio)
        contacts = None if motion.contacts is None else motion.contacts[::step]
        return Motion(motion.poses[::step], motion.translation[::step], fps, contacts)
    rotmat = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    poses = roma.rotmat_to_rotvec(resample_rotations(rotmat, motion.fps, fps)).numpy()
    translation = resample_linear(torch.from_numpy(motion.translation), motion.fps, fps).numpy()
    return Motion(poses, translation, fps)
