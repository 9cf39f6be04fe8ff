"""The arrays of a motion file, checked."""

from typing import Any

import numpy as np
import roma
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.rotations import rot6d_to_axis_angle

POSE_WIDTH = skeleton.N_JOINTS * 3
# Rows of unit length, at right angles, to within what networks write.
_ORTHONORMAL = 0.1
# The real part of a quaternion is the large one, since joints seldom turn by more than a right angle.
_REAL_PART = 0.7


def named(content: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a file holds
    """Return content that is a dictionary; raise UserError where it is another thing."""
    if not isinstance(content, dict):
        raise UserError(f"it holds {_kind(content)} where a dictionary of arrays was expected")
    return content


def _kind(content: object) -> str:
    if isinstance(content, np.ndarray):
        return f"an array {content.dtype} {list(content.shape)}"
    return f"a {type(content).__name__}"


def array_of(content: dict[str, Any], key: str) -> np.ndarray:
    """Return an array of numbers by its key; raise UserError where it is missing or none."""
    if key not in content:
        raise UserError(f"it lacks '{key}'; it has {', '.join(sorted(map(str, content))[:8]) or 'nothing'}")
    return numbers(content[key], key)


def numbers(value: Any, key: str) -> np.ndarray:  # noqa: ANN401 - whatever a file holds
    """Return a value as an array of numbers; raise UserError, naming its key, where it is none."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"its '{key}' is not an array of numbers") from None


def poses_of(content: dict[str, Any], key: str) -> np.ndarray:
    """Return poses [T, 24, 3] of [T, 72] or [T, 24, 3]."""
    poses = array_of(content, key)
    if poses.shape[1:] not in ((POSE_WIDTH,), (skeleton.N_JOINTS, 3)):
        raise UserError(f"its '{key}' is {list(poses.shape)} where [T, {POSE_WIDTH}] (24 joints) was expected")
    return poses.reshape(-1, skeleton.N_JOINTS, 3)


def one_scale(scale: np.ndarray) -> float:
    """Return the one positive number that a scale is; raise UserError where it is another thing."""
    if scale.size != 1 or not np.isfinite(scale).all() or scale.item() <= 0:
        raise UserError(f"its scale is {np.array2string(scale.ravel()[:4])} where one positive number was expected")
    return scale.item()


def rotations(value: np.ndarray, key: str, joints: tuple[int, ...]) -> np.ndarray:
    """Return axis-angle [T, J, 3] rad, J one of `joints`, of axis-angle [T, J*3] or [T, J, 3], of rotation matrices
    [T, J, 3, 3], or of quaternions [T, J, 4], real part first or last, with or without axes of length 1.

    Raises UserError for other shapes, and for quaternions that are none or do not tell which part is real.
    """
    shape = value.shape
    for n_joints in joints:
        for form, convert in (((3, 3), _of_matrices), ((3,), _as_is), ((4,), _of_quaternions)):
            size = n_joints * int(np.prod(form))
            if value.ndim > 1 and value.size and value.size == size * _frames(shape, size):
                return convert(value.reshape(-1, n_joints, *form))
        if not value.size and np.prod(shape[1:]) in (n_joints * 3, n_joints * 9):
            return np.zeros((0, n_joints, 3))
    wanted = " or ".join(f"[T, {3 * n_joints}]" for n_joints in joints)
    raise UserError(f"its '{key}' is {list(shape)} where rotations {wanted} were expected")


def _frames(shape: tuple[int, ...], size: int) -> int:
    """Return the number of frames in an array of this shape whose other axes multiply to a size, 0 if they do not."""
    shape = shape[1:] if len(shape) > 2 and shape[0] == 1 and int(np.prod(shape[1:])) != size else shape
    return shape[0] if int(np.prod(shape[1:])) == size else 0


def _as_is(rotvec: np.ndarray) -> np.ndarray:
    return rotvec


def _of_matrices(rotmat: np.ndarray) -> np.ndarray:
    return roma.rotmat_to_rotvec(torch.from_numpy(np.ascontiguousarray(rotmat))).numpy()


def _of_quaternions(quat: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(quat, axis=-1)
    if np.median(np.abs(lengths - 1)) > _ORTHONORMAL:
        raise UserError("its rotations have four numbers a joint and are no quaternions: their lengths are not 1")
    first, last = (float(np.median(np.abs(quat[..., part]))) for part in (0, 3))
    if max(first, last) < _REAL_PART or min(first, last) > _REAL_PART:
        raise UserError("its quaternions do not tell which of their parts is the real one: give axis-angle rotations")
    xyzw = quat if last > first else np.roll(quat, -1, axis=-1)
    xyzw = xyzw / np.maximum(lengths, np.finfo(float).tiny)[..., None]
    return roma.unitquat_to_rotvec(torch.from_numpy(np.ascontiguousarray(xyzw))).numpy()


def rot6d_misfit(value: np.ndarray) -> float:
    """Return how far 6D rotations [T, J, 6] are on average from two rows of unit length at right angles."""
    first, second = value[..., :3], value[..., 3:]
    lengths = np.concatenate((np.linalg.norm(first, axis=-1), np.linalg.norm(second, axis=-1)))
    return float(np.abs(lengths - 1).mean() + np.abs((first * second).sum(axis=-1)).mean()) if value.size else 0.0


def of_rot6d(value: np.ndarray, key: str) -> np.ndarray:
    """Return axis-angle [T, J, 3] rad of 6D rotations [T, J, 6], two rows each, as EDGE and pytorch3d have them.

    Raises UserError where they are not two rows, as normalised vectors are not.
    """
    first, second = value[..., :3], value[..., 3:]
    lengths = np.concatenate((np.linalg.norm(first, axis=-1), np.linalg.norm(second, axis=-1)))
    lean = np.abs((first * second).sum(axis=-1))
    if value.size and not (np.median(np.abs(lengths - 1)) < _ORTHONORMAL and np.median(lean) < _ORTHONORMAL):
        raise UserError(f"its {key} are no rotations but, it seems, normalised values: write them as they were before")
    return rot6d_to_axis_angle(torch.from_numpy(np.ascontiguousarray(value))).numpy()


def smpl_joints(rotvec: np.ndarray) -> np.ndarray:
    """Return rotations [T, 24, 3] of SMPL's, SMPL-H's or SMPL-X's [T, J, 3]: the 22 joints that they share, and SMPL's
    hands; the hands of the others, which are fingers, stay straight.
    """
    poses = np.zeros((len(rotvec), skeleton.N_JOINTS, 3))
    shared = skeleton.N_JOINTS if rotvec.shape[1] == skeleton.N_JOINTS else min(22, rotvec.shape[1])
    poses[:, :shared] = rotvec[:, :shared]
    return poses
