"""The humanoid that the physics tests share."""

import numpy as np
import pytest
import torch

from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
from skeleton2stage.physics.imitation.reference_motions import reference_frames
from skeleton2stage.physics.simulators.simulator import ResetState

UPRIGHT = np.array([np.pi / 2, 0.0, 0.0])  # turns SMPL's y-up pelvis to z up


@pytest.fixture(scope="session")
def humanoid() -> Humanoid:
    return load_humanoid("open")


@pytest.fixture(scope="session")
def standing() -> Motion:
    """Two seconds of standing in the rest pose."""
    poses = np.zeros((60, 24, 3), dtype=np.float32)
    poses[:, 0] = UPRIGHT
    return Motion(poses, np.tile(np.array([0.0, 0.0, 1.0], dtype=np.float32), (60, 1)))


@pytest.fixture()
def standing_state(humanoid, standing):
    """A function that gives the reset state of n humanoids standing on the floor."""
    frames = reference_frames(standing, humanoid, None)

    def state(n: int) -> ResetState:
        return frames[torch.zeros(n, dtype=torch.long)].reset_state()

    return state
