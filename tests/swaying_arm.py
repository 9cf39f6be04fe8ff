"""A motion for imitation training that stands, with one arm that swings."""

import numpy as np

from skeleton2stage.motion.motion import Motion


def swaying_arm(n: int, phase: float) -> Motion:
    poses = np.zeros((n, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2] = -1.0 + 0.3 * np.sin(np.arange(n) / 10 + phase)
    poses[:, 17, 2] = 1.0
    return Motion(poses, np.tile(np.array([0, 0, 1], dtype=np.float32), (n, 1)))
