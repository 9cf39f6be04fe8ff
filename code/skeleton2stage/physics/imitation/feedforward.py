"""The torques that a reference motion itself asks for, as offsets of the PD targets.

PD gains of the humanoid are soft: under its own weight a knee would sag by a fifth of a radian before its
spring holds it. Inverse dynamics tells the torque that every joint needs to follow the reference, given
ground forces on the feet that carry what the pelvis cannot be pushed by; dividing by the gain gives the
offset at which the spring supplies it. The policy is left with what cannot be known beforehand: balance.
"""

import numpy as np
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.humanoid import Humanoid, gains
from skeleton2stage.physics.imitation.inverse_dynamics import BodyMotion, Inertias, held_wrench, required_forces
from skeleton2stage.physics.quaternions import quat_conjugate, quat_rotate
from skeleton2stage.physics.repeatable_sums import summed_by_part

MAX_OFFSET_RAD = 0.6
CONTACT_HEIGHT_M = 0.015  # a sole point's share of the ground force falls by e with each of these
RIDGE = 1e-2
_FEET = tuple(skeleton.joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot"))
_POINTS_PER_PART = 8


def feedforward_offsets(humanoid: Humanoid, motion: BodyMotion) -> torch.Tensor:
    """Return target offsets [F, 23, 3] rad, rotation vectors in each joint's own frame, of F frames."""
    device = motion.pos_w.device
    required = required_forces(motion, Inertias.of(humanoid, device))
    arms_w, heights, owners = _sole_points(humanoid, motion)
    forces_w = ground_forces(arms_w, heights, required.root_force_w, required.root_torque_w)
    torque = required.joint_torque - _torque_of_forces(forces_w, arms_w, owners, motion)
    stiffness = torch.tensor([gains(name)[0] for name in skeleton.joint_names()[1:]], device=device)
    return (torque / stiffness[:, None]).clamp(-MAX_OFFSET_RAD, MAX_OFFSET_RAD)


def ground_forces(
    arms_w: torch.Tensor, heights: torch.Tensor, force_w: torch.Tensor, torque_w: torch.Tensor
) -> torch.Tensor:
    """Return forces [F, P, 3] N at sole points that together make up a wrench on the pelvis.

    arms_w [F, P, 3] m from pelvis to points, heights [F, P] m over the floor, force_w [F, 3] N and torque_w
    [F, 3] N·m about the pelvis. Weighted least squares of smallest norm: points near the floor carry most, and
    where none is near it nothing is carried.
    """
    weights = torch.exp(-heights.clamp(min=0.0) / CONTACT_HEIGHT_M)
    # Doubles, since a single foot on the floor leaves the arrangement nearly singular.
    gram = _gram(arms_w.double(), weights.double()) + RIDGE * torch.eye(6, device=arms_w.device)
    solved = torch.linalg.solve(gram, torch.cat((force_w, torque_w), dim=1).double()).to(force_w.dtype)
    push_w, turn_w = solved[:, None, :3], solved[:, None, 3:].expand_as(arms_w)
    return weights[..., None] * (push_w + torch.linalg.cross(turn_w, arms_w))


def _gram(arms_w: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the sum over points of weight · A A^T, [F, 6, 6], of A = (1, [arm]x), which takes a force at a
    point to its wrench on the pelvis.
    """
    x, y, z = (weights[..., None] * arms_w).sum(dim=1).unbind(-1)
    zero, total = torch.zeros_like(x), weights.sum(dim=1)
    lever = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))
    outer = torch.einsum("fp,fpa,fpb->fab", weights, arms_w, arms_w)
    identity = torch.eye(3, dtype=arms_w.dtype, device=arms_w.device)
    trace = outer.diagonal(dim1=1, dim2=2).sum(dim=-1)
    upper = torch.cat((total[:, None, None] * identity, -lever), dim=2)
    return torch.cat((upper, torch.cat((lever, trace[:, None, None] * identity - outer), dim=2)), dim=1)


def _sole_points(humanoid: Humanoid, motion: BodyMotion) -> tuple[torch.Tensor, torch.Tensor, tuple[int, ...]]:
    """Return sole points, the lowest vertices of the feet at rest: from the pelvis [F, P, 3] m in world axes,
    their heights [F, P] m, and the foot part that each belongs to.
    """
    soles = [humanoid.hull_vertices[part] for part in _FEET]
    soles = [vertices[np.argsort(vertices[:, 1])[:_POINTS_PER_PART]] for vertices in soles]
    owners = tuple(part for part, points in zip(_FEET, soles, strict=True) for _ in points)
    points = torch.as_tensor(np.concatenate(soles), dtype=torch.float32, device=motion.pos_w.device)
    turned = quat_rotate(motion.quat_w[:, owners], points.expand(len(motion.pos_w), -1, -1))
    points_w = turned + motion.pos_w[:, owners]
    return points_w - motion.pos_w[:, :1], points_w[..., 2], owners


def _torque_of_forces(
    forces_w: torch.Tensor, arms_w: torch.Tensor, owners: tuple[int, ...], motion: BodyMotion
) -> torch.Tensor:
    """Return what forces at points do to the joints that hold them, [F, 23, 3] N·m in each joint's own frame."""
    on_bodies_w = summed_by_part(forces_w, owners)
    moments_w = summed_by_part(torch.linalg.cross(arms_w, forces_w), owners)
    _, torque_w = held_wrench(motion.pos_w - motion.pos_w[:, :1], on_bodies_w, moments_w)
    return quat_rotate(quat_conjugate(motion.quat_w[:, 1:]), torque_w[:, 1:])
