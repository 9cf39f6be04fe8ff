"""An upright motion of any length, for tests of metrics."""

import numpy as np

from skeleton2stage.motion.motion import Motion


def swaying(n_frames, seed=0):
    """Return an upright motion whose joints sway, its feet about 5 cm over the floor."""
    generator = np.random.default_rng(seed)
    phase = 2 * np.pi * (np.arange(n_frames)[:, None, None] / 30.0 + generator.uniform(size=(24, 3)))
    poses = 0.1 * np.sin(phase)
    poses[:, 0] = (np.pi / 2, 0.0, 0.0)
    height = 0.95 + 0.02 * np.sin(phase[:, 0, :1])
    return Motion(poses, np.concatenate((np.zeros((n_frames, 2)), height), axis=1))
