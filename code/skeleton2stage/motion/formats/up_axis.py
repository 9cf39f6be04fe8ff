"""Which way is up in a file: as its kind has it, or as head and feet tell."""

import numpy as np
import roma
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton

# A head lower than this over the feet, on average over a clip, means that the axes were misread.
MIN_HEAD_OVER_FEET_M = 0.3
# A head that tells which way is up where the kind of file does not: higher than that of people who sit or bend.
TELLING_HEAD_M = 0.7
# By name: (axis, sign), and the turn about x (rad) that makes it z.
UP_AXES = {"z": (2, 1, 0.0), "y": (1, 1, np.pi / 2), "-y": (1, -1, -np.pi / 2), "-z": (2, -1, np.pi)}
# Someone whose lowest joint is always this near zero lies on a floor, rather than stands along another axis.
LYING_M, LYING_SHARE = 0.12, 0.9


class NotUpright(UserError):  # noqa: N818 - it says what the motion is
    """A motion whose head is not over its feet: misread axes, or someone who lies down throughout."""


def head_over_feet(joints_w: np.ndarray, axis: int = 2) -> float:
    """Return the mean height (m) of the head over the ankles along an axis, z's by default, of [T, 24, 3] m."""
    head, ankles = joints_w[:, skeleton.joint_index("head"), axis], joints_w[:, [7, 8], axis].mean(axis=1)
    return float((head - ankles).mean())


def along(joints: np.ndarray, up_axis: str) -> float:
    """Return the mean height (m) of the head over the ankles of joints [T, 24, 3] m along an axis by name."""
    axis, sign, _ = UP_AXES[up_axis]
    return sign * head_over_feet(joints, axis)


def told_up(joints: np.ndarray, usual: str | None) -> str:
    """Return the axis that points up in joints [T, 24, 3] m in a file's axes: the usual one, if the dancer stands so.

    Another one where the head is well over the feet along it and nobody lies along the usual one. Raises NotUpright
    where that does not tell.
    """
    if usual and along(joints, usual) >= MIN_HEAD_OVER_FEET_M:
        return usual
    best = max(UP_AXES, key=lambda name: along(joints, name))
    if along(joints, best) < TELLING_HEAD_M or (usual and _lies(joints, usual)):
        raise NotUpright(
            f"its head is on average {along(joints, usual or best):.2f} m over its feet along {usual or best}"
            f", which does not tell which way is up: name it, as in format=auto@{usual or best}"
        )
    return best


def _lies(joints: np.ndarray, up_axis: str) -> bool:
    axis, sign, _ = UP_AXES[up_axis]
    lowest = (sign * joints[..., axis]).min(axis=1)
    return bool((np.abs(lowest) < LYING_M).mean() > LYING_SHARE)


def turned_up(poses: np.ndarray, translation: np.ndarray, up_axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Return poses [T, 24, 3] and pelvis [T, 3] turned about x so that a file's up axis becomes z."""
    angle = UP_AXES[up_axis][2]
    if not angle:
        return poses, translation
    turn = roma.rotvec_to_rotmat(torch.tensor([angle, 0.0, 0.0], dtype=torch.float64))
    root = turn @ roma.rotvec_to_rotmat(torch.from_numpy(poses[:, 0]).double())
    poses = poses.copy()
    poses[:, 0] = roma.rotmat_to_rotvec(root).numpy()
    return poses, translation @ turn.numpy().T


def check_upright(joints_w: np.ndarray, format_name: str, up_axis: str) -> None:
    """Raise NotUpright where the head of joints [T, 24, 3] m, z up, is not over the feet."""
    height, along_y = head_over_feet(joints_w), head_over_feet(joints_w, axis=1)
    if height < MIN_HEAD_OVER_FEET_M:
        turned = ""
        if along_y >= MIN_HEAD_OVER_FEET_M:
            turned = f" and {along_y:.2f} m along y, so that y seems to be up in it: turn it z up, or"
        raise NotUpright(
            f"read as {format_name} ({up_axis} up), its head is on average {height:.2f} m over its feet"
            f"{turned or ': this is another format, or the dancer lies down throughout;'} name the format"
        )
