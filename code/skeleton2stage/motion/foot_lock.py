"""Foot lock: feet that are said to touch the floor stay where they are, and the floor is at z = 0.

The post-process of Skeleton2Stage's sampler (arXiv 2602.13778), with the floor at the mean height of the lowest joint
where the original takes the mean of all joints.
"""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion

FOOT_JOINTS = (7, 8, 10, 11)  # ankles and toes
TOUCHING_FROM = 0.95
HEIGHT_SIGMA_FRAMES = 1.2


def foot_lock(motion: Motion) -> Motion:
    """Return the motion with its root moved so that touching feet rest; poses are kept.

    The first four contacts of `motion`, in [0, 1], are those of ankles and toes. Between two frames the root loses
    the mean horizontal displacement of the joints that touch in the first; the mean height of the lowest joint
    becomes 0; where a foot touches, the lower foot's height is smoothed (Gaussian of 1.2 frames). Raises UserError
    where the motion has no contacts.
    """
    if motion.contacts is None or motion.contacts.shape[1] < len(FOOT_JOINTS):
        raise UserError("foot lock needs the contacts of ankles and toes that a dance model predicts; there are none")
    touching = motion.contacts[:, : len(FOOT_JOINTS)] > TOUCHING_FROM
    joints_w = motion.joints()
    feet_w = joints_w[:, FOOT_JOINTS]
    translation = motion.translation.copy()
    translation[:, :2] -= slid(feet_w[..., :2], touching)
    translation[:, 2] += settled(feet_w[..., 2].min(axis=1), touching) - joints_w[..., 2].min(axis=1).mean()
    return replace(motion, translation=translation)


def slid(feet_xy_w: np.ndarray, touching: np.ndarray) -> np.ndarray:
    """Return how far touching feet have slid until each frame, [T, 2] m.

    feet_xy_w: [T, 4, 2] m. touching: [T, 4] bool, from a frame to the next.
    """
    touches = touching[:-1, :, None]
    step = (np.diff(feet_xy_w, axis=0) * touches).sum(axis=1) / touches.sum(axis=1).clip(min=1)
    return np.concatenate((np.zeros((1, 2)), step.cumsum(axis=0)))


def settled(foot_height_m: np.ndarray, touching: np.ndarray) -> np.ndarray:
    """Return what to add to each frame's height, [T] m, so that the lower foot moves smoothly while one touches.

    foot_height_m: [T]. touching: [T, 4] bool, from a frame to the next.
    """
    smooth = gaussian_filter1d(foot_height_m, HEIGHT_SIGMA_FRAMES, mode="mirror", truncate=3.0)
    arrived = touching[:-1].any(axis=1)
    return (smooth - foot_height_m) * np.concatenate((arrived[:1], arrived))
