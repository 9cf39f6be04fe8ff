"""Motions whose forces one can work out on paper."""

import numpy as np
import pytest
import torch

from skeleton2stage.body.body_model import load_body
from skeleton2stage.body.spheres import fill_body
from skeleton2stage.motion import skeleton
from skeleton2stage.physics.axes.dance_frames import DanceFrames, dance_frames
from skeleton2stage.physics.axes.read_axes import AxisReader
from skeleton2stage.physics.imitation.reference_motions import body_kinematics, lowest_vertex_height
from skeleton2stage.physics.quaternions import rotvec_to_quat

FPS = 30.0
UPRIGHT = np.array([np.pi / 2, 0.0, 0.0])


@pytest.fixture(scope="session")
def reader(humanoid) -> AxisReader:
    return AxisReader(humanoid, fill_body(load_body("open")))


@pytest.fixture(scope="session")
def stand(humanoid):
    """A function that gives poses [T, 24, 3] and pelvis [T, 3] of an upright body with its lowest vertex at a height
    [T] m, its legs bent by angles [T] rad at the hips, twice that at the knees and back at the ankles, all of it
    leaning forward over flat feet.
    """

    def make(
        height_m: np.ndarray, bend_rad: np.ndarray | float = 0.0, lean_rad: float = 0.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        poses = np.zeros((len(height_m), 24, 3))
        poses[:, 0] = UPRIGHT + [lean_rad, 0.0, 0.0]
        for side in ("left", "right"):
            for part, factor in (("hip", -1.0), ("knee", 2.0), ("ankle", -1.0)):
                poses[:, skeleton.joint_index(f"{side}_{part}"), 0] = factor * np.asarray(bend_rad)
            poses[:, skeleton.joint_index(f"{side}_ankle"), 0] -= lean_rad
        rotations = torch.from_numpy(poses).float()
        pelvis = torch.zeros(len(poses), 3)
        offsets = torch.as_tensor(humanoid.bone_offsets, dtype=torch.float32)
        placed = body_kinematics(rotvec_to_quat(rotations), pelvis, offsets)
        lowest = lowest_vertex_height(*placed, humanoid.hull_vertices)
        pelvis[:, 2] = torch.from_numpy(np.asarray(height_m)).float() - lowest
        return rotations, pelvis

    return make


@pytest.fixture(scope="session")
def frames_of(humanoid):
    """A function that makes frames of one motion, with a smoothing."""

    def make(motion: tuple[torch.Tensor, torch.Tensor], smoothing: float = 1.5) -> DanceFrames:
        return dance_frames(motion[0][None], motion[1][None], humanoid, smoothing)

    return make


@pytest.fixture(scope="session")
def read(reader):
    """A function that reads all axes of one motion."""
    return lambda motion: reader.read(motion[0][None], motion[1][None])
