"""When a foot stands, and how it is pitched then."""

import math

import numpy as np

STANDING_SPEED_MPS = 0.12
MIN_STANDING_S = 0.25
_LOW_SHARE = 0.33
UP = np.array([0.0, 0.0, 1.0])


def standing_frames(ankle_w: np.ndarray, toe_w: np.ndarray, fps: float, up: np.ndarray = UP) -> np.ndarray:
    """Return the frames in which a foot stands, of its joints' positions [T, 3] m and the axis that points up.

    It stands where both joints rest and the ankle is among the lowest third of its heights, or as low as the highest of
    those: feet that an animator or a foot lock has put to one height stand however long they do.
    """
    speed = np.maximum(*(np.linalg.norm(np.diff(p, axis=0), axis=-1) * fps for p in (ankle_w, toe_w)))
    height = ankle_w @ up
    n_low = math.ceil(_LOW_SHARE * (len(height) - 1))
    low = height[:-1] <= np.sort(height)[n_low - 1]
    return np.flatnonzero((speed < STANDING_SPEED_MPS) & low)


def pitch(vector_w: np.ndarray, up: np.ndarray = UP) -> np.ndarray:
    """Return the angle over the horizontal, rad, of vectors [..., 3]."""
    height = vector_w @ up
    return np.arctan2(height, np.linalg.norm(vector_w - height[..., None] * up, axis=-1))
