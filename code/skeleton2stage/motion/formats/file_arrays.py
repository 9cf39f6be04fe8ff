"""The arrays of a motion file, checked."""

from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage.arrays import read_npz
from skeleton2stage.errors import UserError
from skeleton2stage.files import read_pickle
from skeleton2stage.motion import skeleton

POSE_WIDTH = skeleton.N_JOINTS * 3


def read_pickled_dict(path: Path) -> dict[str, Any]:
    """Return the dictionary that a pickle holds; raise UserError where it holds another thing."""
    content = read_pickle(path)
    if not isinstance(content, dict):
        raise UserError(f"it holds a {type(content).__name__} where a dictionary of arrays was expected")
    return content


def array_of(content: dict[str, Any], key: str) -> np.ndarray:
    """Return an array of numbers by its key; raise UserError where it is missing or none."""
    if key not in content:
        raise UserError(f"it lacks '{key}'; it has {', '.join(sorted(map(str, content))[:8]) or 'nothing'}")
    try:
        return np.asarray(content[key], dtype=np.float64)
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


def read_npz_motion(path: Path) -> dict[str, Any]:
    """Return what an AMASS npz holds of poses, translation and frame rate; raise UserError where it is damaged."""
    return read_npz(path, ("poses", "trans", "mocap_framerate", "mocap_frame_rate"))
