"""A dance in which every joint turns about every axis: what a writer or reader gets wrong shows in it."""

import numpy as np
from scipy.spatial.transform import Rotation

from skeleton2stage.motion.motion import Motion


def lively_motion(n_frames=60):
    """Someone upright, z up, who turns once a second over a floor at 0 while all joints bend by up to 0.6 rad."""
    t = np.arange(n_frames)[:, None, None] / 30
    phase = np.arange(72).reshape(24, 3)
    poses = 0.6 * np.sin(2.0 * t + 1.7 * phase)
    heading = Rotation.from_rotvec(2 * np.pi * t[:, 0] * [0, 0, 1]) * Rotation.from_euler("x", np.pi / 2)
    poses[:, 0] = (heading * Rotation.from_rotvec(0.2 * poses[:, 0])).as_rotvec()
    seconds = t[:, 0, 0]
    return Motion(poses, np.stack([0.3 * seconds, -0.1 * seconds, 0.95 + 0.05 * np.sin(3 * seconds)], axis=1))
