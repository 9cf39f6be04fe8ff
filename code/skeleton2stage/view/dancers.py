"""A dance made ready to be looked at: where its bones are, where it passes through itself, where its feet touch."""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from tqdm import tqdm

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.body.mesh import face_incidence, vertex_normals
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render.clips import AUTO_GROUND_TOLERANCE_M
from skeleton2stage.render.figures import Figure, RigidFigure, pose
from skeleton2stage.render.marks import foot_contacts, penetration

_CHUNK_FRAMES = 128
_LIFT_M = 0.002  # marked triangles stand off the skin, or the two would flicker


@dataclass(frozen=True)
class Dancer:
    """One dance of T frames on a figure.

    label: what it is called. figure: its surface. motion: as shown, its floor at z = 0.
    bone_quats: [T, 24, 4], w first, and bone_positions [T, 24, 3] m, in the world.
    pairs: [T], intersecting pairs of triangles; None of figures that do not count them.
    marked: for each frame the corners [n, 3, 3] m of the triangles in such pairs.
    contacts: [T, 4], states of marks.FEET. score: [T], the imitation reward; None where nobody was to perform it.
    """

    label: str
    figure: Figure
    motion: Motion
    bone_quats: np.ndarray
    bone_positions: np.ndarray
    pairs: np.ndarray | None
    marked: list[np.ndarray]
    contacts: np.ndarray
    score: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.motion)


def make_dancer(label: str, figure: Figure, motion: Motion, score: np.ndarray | None = None) -> Dancer:
    """Return a dance made ready; the floor is put under one that stands far from z = 0, as in videos."""
    motion = motion.shifted([0.0, 0.0, _lift_m(figure, motion)])
    pairs, marked = None, [np.zeros((0, 3, 3), dtype=np.float32)] * len(motion)
    if isinstance(figure, BodyModel):
        pairs, marked = _penetrations(label, figure, motion)
    contacts = [foot_contacts(part, pose(figure, part), figure.parts) for part in _overlapping_chunks(motion)]
    states = np.concatenate([states[: _CHUNK_FRAMES] for states in contacts])
    return Dancer(label, figure, motion, *_bones(figure, motion), pairs, marked, states, score)


def bind_pose(figure: Figure) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a figure's surface [V, 3] and joints [24, 3] at rest, and the weights [V, 24] by which joints move it."""
    at_rest = figure.vertices(torch.zeros(1, skeleton.N_JOINTS, 3), torch.zeros(1, 3))[0].numpy()
    weights = figure.weights if isinstance(figure, BodyModel) else np.eye(skeleton.N_JOINTS)[figure.parts]
    offsets = np.asarray(figure.bone_offsets)
    joints = offsets.copy()
    for joint, parent in enumerate(skeleton.parents()):
        if parent >= 0:
            joints[joint] += joints[parent]
    return at_rest, joints, weights.astype(np.float32)


def _bones(figure: Figure, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    rotmat = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses))
    offsets = torch.from_numpy(np.asarray(figure.bone_offsets, dtype=np.float32))
    positions, rotations = skeleton.forward_kinematics_rotmat(rotmat, torch.from_numpy(motion.translation), offsets)
    return roma.rotmat_to_unitquat(rotations).numpy()[..., [3, 0, 1, 2]], positions.numpy()


def _lift_m(figure: Figure, motion: Motion) -> float:
    lowest = np.concatenate([pose(figure, part)[..., 2].min(axis=1) for part in _chunks(motion)])
    return 0.0 if abs(lowest.mean()) <= AUTO_GROUND_TOLERANCE_M else float(-lowest.mean())


def _penetrations(label: str, body: BodyModel, motion: Motion) -> tuple[np.ndarray, list[np.ndarray]]:
    incidence = face_incidence(body.faces, len(body.rest_vertices))
    pairs, marked = [], []
    for part in tqdm(_chunks(motion), desc=f"{label}: intersections", leave=False, disable=None):
        found = penetration(body, part.poses)
        pairs.append(found.pairs)
        for points, faces in zip(pose(body, part), found.faces, strict=True):
            lifted = points + _LIFT_M * vertex_normals(points, body.faces, incidence)
            marked.append(lifted[body.faces[faces]].astype(np.float32))
    return np.concatenate(pairs), marked


def _chunks(motion: Motion) -> list[Motion]:
    return [motion.slice(start, start + _CHUNK_FRAMES) for start in range(0, len(motion), _CHUNK_FRAMES)]


def _overlapping_chunks(motion: Motion) -> list[Motion]:
    """Return chunks with a frame of the next one, so that speeds are known at their ends."""
    return [motion.slice(start, start + _CHUNK_FRAMES + 1) for start in range(0, len(motion), _CHUNK_FRAMES)]


def is_rigid(figure: Figure) -> bool:
    """Return whether a figure is made of rigid parts, whose edges are to be seen."""
    return isinstance(figure, RigidFigure)
