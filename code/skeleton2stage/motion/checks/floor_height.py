"""Where the floor of a motion is: under the skin of a body at rest."""

import numpy as np

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS

# From a joint to the skin nearest to it, m, as the open body has it; the toe's is the height of its joint over
# the sole of a foot that stands. The lower of two sides; every joint can carry the body, in floor work too.
SKIN_M = {
    "pelvis": 0.087, "hip": 0.062, "knee": 0.047, "ankle": 0.027, "foot": 0.024, "spine1": 0.054, "spine2": 0.084,
    "spine3": 0.093, "neck": 0.038, "head": 0.061, "collar": 0.063, "shoulder": 0.046, "elbow": 0.029,
    "wrist": 0.019, "hand": 0.010,
}

# What is lowest rests on the floor where it moves slower than this; without half a second of it, the floor is
# where the lowest tenth of the frames is.
RESTING_SPEED_MPS = 0.2
MIN_RESTING_S = 0.5
LOWEST_PERCENTILE = 10.0


def support_height(joints_w: np.ndarray) -> np.ndarray:
    """Return the height [T, 24] m of the skin under each of the joints [T, 24, 3] m."""
    return joints_w[..., 2] - [SKIN_M[_without_side(name)] for name in skeleton.joint_names()]


def _without_side(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


def floor_height(joints_w: np.ndarray) -> float:
    """Return the height (m) of the floor: the median of the lowest skin of a body [T, 24, 3] m where it rests.

    The median over resting frames, unlike the lowest height, is not moved by stairs or lifts that take less
    than half the clip, nor by a few frames of a foot under the floor.
    """
    height = support_height(joints_w)
    lowest = height.min(axis=1)
    if len(joints_w) < 2:
        return float(lowest[0])
    speed = np.linalg.norm(np.gradient(joints_w, 1 / FPS, axis=0), axis=-1)
    resting = speed[np.arange(len(speed)), height.argmin(axis=1)] < RESTING_SPEED_MPS
    if resting.sum() < MIN_RESTING_S * FPS:
        return float(np.percentile(lowest, LOWEST_PERCENTILE))
    return float(np.median(lowest[resting]))
