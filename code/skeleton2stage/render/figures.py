"""What stands on the stage for a motion: the body's skin, the humanoid's hulls, or sticks as a fast draft."""

from typing import Protocol

import numpy as np
import roma
import torch
import trimesh

from skeleton2stage.body.body_model import BodyModel, load_body
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid

SHAPES = ("mesh", "hulls", "sticks")
STICK_RADIUS_M, HEAD_RADIUS_M = 0.028, 0.09


class Figure(Protocol):
    """What drawing needs of a body."""

    faces: np.ndarray  # [F, 3]
    parts: np.ndarray  # [V], the joint that moves each vertex the most
    bone_offsets: np.ndarray  # [24, 3] m, from each joint's parent at rest

    def vertices(self, axis_angle: torch.Tensor, root_pos: torch.Tensor) -> torch.Tensor:
        """Return vertices [T, V, 3] m of poses [T, 24, 3] rad with the pelvis at [T, 3] m."""


class RigidFigure:
    """Rigid parts, one or none to a joint. Triangles share no vertices, so that their edges are seen.

    faces: [F, 3]. parts: [V], the joint that carries each vertex.
    """

    def __init__(self, meshes: dict[int, trimesh.Trimesh], bone_offsets: np.ndarray) -> None:
        """Take a mesh for each of some joints, in the joint's own frame, m, and bone offsets [24, 3] m."""
        corners = {joint: np.asarray(mesh.vertices[mesh.faces]).reshape(-1, 3) for joint, mesh in meshes.items()}
        self.parts = np.concatenate([np.full(len(points), joint) for joint, points in corners.items()])
        self._points = torch.from_numpy(np.concatenate(list(corners.values()))).float()
        self.bone_offsets = np.asarray(bone_offsets)
        self._offsets = torch.from_numpy(np.asarray(bone_offsets)).float()
        self.faces = np.arange(len(self._points)).reshape(-1, 3)

    def vertices(self, axis_angle: torch.Tensor, root_pos: torch.Tensor) -> torch.Tensor:
        """Return vertices [T, V, 3] m of poses [T, 24, 3] rad with the pelvis at [T, 3] m."""
        rotmat = roma.rotvec_to_rotmat(axis_angle.float())
        positions, rotations = skeleton.forward_kinematics_rotmat(rotmat, root_pos.float(), self._offsets)
        turned = torch.einsum("tvab,vb->tva", rotations[:, self.parts], self._points)
        return turned + positions[:, self.parts]


def make_figure(shape: str, body: str | BodyModel) -> Figure:
    """Return a figure by name (one of SHAPES) of a body, or one that `load_body` knows."""
    return {"mesh": load_body, "hulls": hull_figure, "sticks": stick_figure}[shape](body)


def hull_figure(body: str | BodyModel = "open") -> RigidFigure:
    """Return the convex hulls that the simulator's humanoid is made of."""
    humanoid = load_humanoid(body)
    hulls = {joint: trimesh.convex.convex_hull(points) for joint, points in enumerate(humanoid.hull_vertices)}
    return RigidFigure(hulls, humanoid.bone_offsets)


def stick_figure(body: str | BodyModel = "open") -> RigidFigure:
    """Return a stick for each bone and a ball for the head, of a body's proportions."""
    rest = load_body(body).rest_joints.astype(np.float64)
    bones = {joint: rest[joint] - rest[parent] for joint, parent in enumerate(skeleton.parents()) if parent >= 0}
    meshes: dict[int, list[trimesh.Trimesh]] = {}
    for joint, bone in bones.items():
        stick = trimesh.creation.cylinder(STICK_RADIUS_M, segment=[np.zeros(3), bone], sections=10)
        knob = trimesh.creation.icosphere(subdivisions=1, radius=1.2 * STICK_RADIUS_M)
        meshes.setdefault(skeleton.parents()[joint], []).append(stick)
        meshes.setdefault(joint, []).append(knob)
    head = trimesh.creation.icosphere(subdivisions=2, radius=HEAD_RADIUS_M)
    head.apply_translation([0.0, 0.8 * HEAD_RADIUS_M, 0.0])
    meshes[skeleton.joint_index("head")].append(head)
    offsets = np.array([bones.get(joint, np.zeros(3)) for joint in range(skeleton.N_JOINTS)])
    return RigidFigure({joint: trimesh.util.concatenate(parts) for joint, parts in meshes.items()}, offsets)


def pose(figure: Figure, motion: Motion) -> np.ndarray:
    """Return the figure's vertices [T, V, 3] m."""
    return figure.vertices(torch.from_numpy(motion.poses), torch.from_numpy(motion.translation)).numpy()
