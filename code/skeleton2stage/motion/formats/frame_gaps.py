"""Motion of a person whom a tracker lost now and then: short gaps are bridged, long ones end a motion."""

import numpy as np
import roma
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion.rotations import slerp

MAX_GAP_FRAMES = 15  # half a second of video, in which people do not do much that is not on the way


def stretches(frames: np.ndarray) -> list[slice]:
    """Return the parts of ascending frame numbers [N] between which more than half a second is missing."""
    cuts = np.flatnonzero(np.diff(frames) > MAX_GAP_FRAMES) + 1
    return [slice(start, stop) for start, stop in zip([0, *cuts], [*cuts, len(frames)], strict=True)]


def bridged(poses: np.ndarray, translation: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return poses [T, J, 3] and translation [T, 3] of every frame from the first to the last of frame numbers [N].

    What is missing lies on the shortest way between its neighbours.
    """
    every = np.arange(frames[0], frames[-1] + 1)
    after = np.searchsorted(frames, every)
    before = np.where(frames[after] == every, after, after - 1)
    share = (every - frames[before]) / np.maximum(frames[after] - frames[before], 1)
    rotmat = roma.rotvec_to_rotmat(torch.from_numpy(poses))
    turned = slerp(rotmat[before], rotmat[after], torch.from_numpy(share)[:, None, None, None])
    moved = translation[before] + share[:, None] * (translation[after] - translation[before])
    return roma.rotmat_to_rotvec(turned).numpy(), moved


def frame_numbers(value: object, n_frames: int) -> np.ndarray:
    """Return a tracker's frame numbers [N], those of an unbroken motion where it gives none; UserError for others."""
    if value is None:
        return np.arange(n_frames)
    try:
        numbers = np.asarray(value, dtype=np.float64).ravel()
    except (TypeError, ValueError, OverflowError):
        raise UserError("its frame numbers are no numbers") from None
    if len(numbers) != n_frames or not (np.isfinite(numbers).all() and (np.diff(numbers) > 0).all()):
        raise UserError(f"its {len(numbers)} frame numbers do not go with its {n_frames} frames, one after another")
    return numbers.astype(np.int64)
