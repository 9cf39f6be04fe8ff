"""A body made of capsules, one a bone: drawing needs vertices and faces, not a good figure."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
import trimesh

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render import gl


@dataclass(frozen=True)
class CapsuleBody:
    """Rigid capsules from each joint's parent to the joint; local points [24, n, 3] m, faces [24 n', 3]."""

    local: torch.Tensor
    faces: np.ndarray

    @property
    def parts(self):
        return np.repeat([max(parent, 0) for parent in skeleton.parents()], self.local.shape[1])

    def vertices(self, axis_angle, root_pos):
        positions, rotations = skeleton.forward_kinematics_rotmat(
            torch.from_numpy(_rotmats(axis_angle.numpy())), root_pos
        )
        parents = [max(parent, 0) for parent in skeleton.parents()]
        points = torch.einsum("tjab,jnb->tjna", rotations[:, parents], self.local) + positions[:, parents, None]
        return points.flatten(1, 2)


def _rotmats(axis_angle):
    from scipy.spatial.transform import Rotation

    flat = Rotation.from_rotvec(axis_angle.reshape(-1, 3)).as_matrix()
    return flat.reshape(*axis_angle.shape[:-1], 3, 3).astype(np.float32)


@pytest.fixture(scope="session")
def capsule_body():
    local, faces, count = [], [], 0
    for offset in skeleton.offsets():
        end = offset if np.linalg.norm(offset) > 0 else np.array([0.0, 0.1, 0.0])
        mesh = trimesh.creation.cylinder(0.06, segment=[np.zeros(3), end], sections=12)
        local.append(torch.tensor(np.array(mesh.vertices), dtype=torch.float32))
        faces.append(np.array(mesh.faces) + count)
        count += len(mesh.vertices)
    return CapsuleBody(torch.stack(local), np.concatenate(faces))


@pytest.fixture
def standing():
    """One second upright on the floor, facing +x: SMPL's y up and z front turned to z up and x front."""
    poses = np.zeros((30, 24, 3))
    poses[:, 0] = np.full(3, 2 * np.pi / 3 / np.sqrt(3))  # x -> y -> z -> x
    translation = np.tile([0.0, 0.0, 1.0], (30, 1))
    return Motion(poses, translation)


@pytest.fixture(scope="session")
def drawing():
    """Skip where the machine cannot draw."""
    try:
        return gl.backend()
    except UserError as error:
        pytest.skip(str(error))
