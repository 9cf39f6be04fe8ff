"""Motions that are joint positions only, without rotations: what Bailando and others exchange as .npy.

| name | content |
| --- | --- |
| bailando | [T, 72] or [T, 24, 3] m, or a pickled {"pred_position": that}; y up, 60 fps |
| positions | [T, 72] or [T, 24, 3] m; z up, 30 fps, as EDGE's full_pose |
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skeleton2stage.arrays import read_npy
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.formats.format_choice import AUTO
from skeleton2stage.motion.formats.up_axis import MIN_HEAD_OVER_FEET_M, NotUpright, head_over_feet
from skeleton2stage.motion.motion import FPS
from skeleton2stage.motion.smpl_positions import checked_positions

SUFFIX = ".npy"
# By name: frames a second, and the file's axes in the order x, y, z of ours with their signs.
POSITION_FORMATS = {"bailando": (60.0, (0, 2, 1), (1, -1, 1)), "positions": (FPS, (0, 1, 2), (1, 1, 1))}
_PREDICTED = "pred_position"


@dataclass(frozen=True)
class JointMotion:
    """A motion of which only joint positions are known.

    joints_w: [T, 24, 3] float32 m, z up. fps: frames a second.
    """

    joints_w: np.ndarray
    fps: float = FPS

    def __post_init__(self) -> None:
        object.__setattr__(self, "joints_w", np.ascontiguousarray(self.joints_w, dtype=np.float32))
        if self.joints_w.ndim != 3 or self.joints_w.shape[1:] != (skeleton.N_JOINTS, 3):
            raise UserError(f"joint positions must be [T, 24, 3], not {list(self.joints_w.shape)}")
        if len(self) == 0:
            raise UserError("the motion has no frames")
        bad = np.flatnonzero(~np.isfinite(self.joints_w).all(axis=(1, 2)))
        if len(bad):
            raise UserError(f"the motion has NaN or infinity in {len(bad)} frames, the first of them {bad[0]}")

    def __len__(self) -> int:
        return len(self.joints_w)

    def joints(self) -> np.ndarray:
        """Return joint positions [T, 24, 3] m."""
        return self.joints_w


def read_positions(path: Path, format: str = AUTO) -> JointMotion:  # noqa: A002 - the field's word for it
    """Return the motion in a file of joint positions, z up, 30 fps.

    "auto" takes the format in which the dancer stands upright. Raises UserError, naming the file, for what holds
    no positions of SMPL's 24 joints (`checked_positions`), and where that is neither or is not the format named.
    """
    if format not in (AUTO, *POSITION_FORMATS):
        raise unknown_name("format of joint positions", format, [AUTO, *POSITION_FORMATS])
    try:
        found = _as_joints(read_npy(path))
        return _auto(found) if format == AUTO else _upright(_in_format(found, format), format)
    except UserError as error:
        raise type(error)(str(error) if str(path) in str(error) else f"{path}: {error}") from None


def _as_joints(content: object) -> np.ndarray:
    """Return joints [T, 24, 3] of what an .npy file holds, in its own axes."""
    if isinstance(content, dict):
        if _PREDICTED not in content:
            raise UserError(f"it lacks '{_PREDICTED}'; it has {', '.join(sorted(map(str, content))[:8]) or 'nothing'}")
        content = content[_PREDICTED]
    array = np.asarray(content)
    if array.shape[1:] not in ((skeleton.N_JOINTS * 3,), (skeleton.N_JOINTS, 3)) or array.dtype.kind not in "fiu":
        raise UserError(f"it is {array.dtype} {list(array.shape)} where joint positions [T, 72] were expected")
    return checked_positions(JointMotion(array.reshape(len(array), skeleton.N_JOINTS, 3)).joints_w)[0]


def _in_format(joints: np.ndarray, name: str) -> JointMotion:
    """Return joints [T, 24, 3] turned to z up, at 30 frames a second: every n-th frame."""
    fps, axes, signs = POSITION_FORMATS[name]
    return JointMotion((joints[..., axes] * signs)[:: round(fps / FPS)])


def _auto(joints: np.ndarray) -> JointMotion:
    readings = {name: _in_format(joints, name) for name in POSITION_FORMATS}
    standing = [found for found in readings.values() if head_over_feet(found.joints_w) >= MIN_HEAD_OVER_FEET_M]
    if len(standing) != 1:
        raise NotUpright(
            "its head is over its feet neither along y nor along z: name the format if the dancer lies down "
            f"throughout ({' or '.join(POSITION_FORMATS)})"
        )
    return standing[0]


def _upright(found: JointMotion, name: str) -> JointMotion:
    height = head_over_feet(found.joints_w)
    if height < -MIN_HEAD_OVER_FEET_M:
        raise NotUpright(f"read as {name}, its head is on average {-height:.2f} m under its feet: give format=auto")
    return found
