"""Inverse dynamics of the humanoid, batched over frames: the forces that a motion asks for.

Newton-Euler on world-frame quantities. The recursion over the tree is a sum over ancestors on the way out
(velocities, accelerations) and over descendants on the way back (forces, moments), so each of the two passes
is one product with the 24 x 24 matrix of ancestry, for all frames at once, on whatever device they are on.
"""

from dataclasses import dataclass

import numpy as np
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.quaternions import quat_conjugate, quat_rotate, quat_to_rotmat


@dataclass(frozen=True)
class BodyMotion:
    """How the humanoid moves in F independent frames.

    pos_w [F, 24, 3] m, the joint each body hangs on; quat_w [F, 24, 4] wxyz; root_lin_acc_w [F, 3] m/s^2;
    ang_vel_local [F, 24, 3] rad/s and ang_acc_local [F, 24, 3] rad/s^2, relative to the parent, in the body's
    own frame, the latter the time derivative of the former's components.
    """

    pos_w: torch.Tensor
    quat_w: torch.Tensor
    root_lin_acc_w: torch.Tensor
    ang_vel_local: torch.Tensor
    ang_acc_local: torch.Tensor


@dataclass(frozen=True)
class Inertias:
    """What inverse dynamics takes of the humanoid, in SMPL's joint order.

    mass [24] kg; centre_local [24, 3] m, centre of mass, and inertia_local [24, 3, 3] kg·m^2 about it, in the
    body's frame; armature [24, 3] kg·m^2 of each joint's axes, the pelvis' zero; gravity_w [3] m/s^2.
    """

    mass: torch.Tensor
    centre_local: torch.Tensor
    inertia_local: torch.Tensor
    armature: torch.Tensor
    gravity_w: torch.Tensor

    @classmethod
    def of(cls, humanoid: Humanoid, device: torch.device | str = "cpu") -> "Inertias":
        """Return the inertias of a compiled humanoid, as float32 on a device."""
        model, bodies = humanoid.model, humanoid.body_ids
        columns = np.array([model.joint(name).dofadr[0] for name in skeleton.joint_names()])[:, None] + np.arange(3)
        columns[0] += 3
        turn = quat_to_rotmat(torch.from_numpy(model.body_iquat[bodies]))
        inertia = turn @ torch.diag_embed(torch.from_numpy(model.body_inertia[bodies])) @ turn.transpose(1, 2)
        values = (model.body_mass[bodies], model.body_ipos[bodies], inertia, model.dof_armature[columns])
        return cls(*(torch.as_tensor(v, dtype=torch.float32, device=device) for v in (*values, model.opt.gravity)))


@dataclass(frozen=True)
class RequiredForces:
    """What must act on the humanoid for it to move so: on the pelvis in world axes, about the pelvis joint,
    root_force_w [F, 3] N and root_torque_w [F, 3] N·m; in the joints, joint_torque [F, 23, 3] N·m in each
    body's own frame.
    """

    root_force_w: torch.Tensor
    root_torque_w: torch.Tensor
    joint_torque: torch.Tensor


def required_forces(motion: BodyMotion, inertias: Inertias) -> RequiredForces:
    """Return the forces and torques of a motion that nothing else, no ground above all, supplies.

    Agrees with mujoco.mj_inverse of the humanoid without contacts and actuators.
    """
    arm_w = motion.pos_w - motion.pos_w[:, :1]  # from the pelvis: small numbers wherever the dance takes place
    ang_vel_w, ang_acc_w, lin_acc_w = _accelerations(motion)
    centre_w = quat_rotate(motion.quat_w, inertias.centre_local.expand_as(arm_w))
    centre_acc_w = lin_acc_w + _turning_acceleration(ang_vel_w, ang_acc_w, centre_w)
    force_w = inertias.mass[:, None] * (centre_acc_w - inertias.gravity_w)
    spin_w = _rate_of_spin(motion.quat_w, inertias.inertia_local, ang_vel_w, ang_acc_w)
    held_force_w, held_moment_w = held_wrench(arm_w, force_w, spin_w + _cross(arm_w + centre_w, force_w))
    torque = quat_rotate(quat_conjugate(motion.quat_w), held_moment_w) + inertias.armature * motion.ang_acc_local
    return RequiredForces(held_force_w[:, 0], held_moment_w[:, 0], torque[:, 1:])


def held_wrench(
    arm_w: torch.Tensor, force_w: torch.Tensor, moment_w: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return force and moment about its own joint that each joint passes on, [F, 24, 3] N and N·m, world axes.

    arm_w [F, 24, 3] m: joints from the pelvis. force_w, moment_w [F, 24, 3]: what acts on each body, moments
    about the pelvis. A joint passes on what acts on its body and all bodies beyond.
    """
    bodies_beyond = _ancestry(arm_w.device).T
    held_force_w = bodies_beyond @ force_w
    return held_force_w, bodies_beyond @ moment_w - _cross(arm_w, held_force_w)


def _accelerations(motion: BodyMotion) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return every body's angular velocity and acceleration and its joint's linear acceleration, world axes."""
    ancestors, parents = _ancestry(motion.pos_w.device), skeleton.parents()[1:]
    relative_w = quat_rotate(motion.quat_w, motion.ang_vel_local)
    ang_vel_w = ancestors @ relative_w
    # The joint's axes turn with the parent, and its relative velocity with them.
    gained = quat_rotate(motion.quat_w, motion.ang_acc_local)
    gained[:, 1:] += _cross(ang_vel_w[:, parents], relative_w[:, 1:])
    ang_acc_w = ancestors @ gained
    bone_w = motion.pos_w[:, 1:] - motion.pos_w[:, parents]
    along_bones = _turning_acceleration(ang_vel_w[:, parents], ang_acc_w[:, parents], bone_w)
    lin_acc_w = ancestors @ torch.cat((motion.root_lin_acc_w[:, None], along_bones), dim=1)
    return ang_vel_w, ang_acc_w, lin_acc_w


def _turning_acceleration(ang_vel: torch.Tensor, ang_acc: torch.Tensor, arm: torch.Tensor) -> torch.Tensor:
    """Return the acceleration of an arm's end against its start, ang_acc x arm + ang_vel x (ang_vel x arm)."""
    return _cross(ang_acc, arm) + _cross(ang_vel, _cross(ang_vel, arm))


def _rate_of_spin(
    quat_w: torch.Tensor, inertia_local: torch.Tensor, ang_vel_w: torch.Tensor, ang_acc_w: torch.Tensor
) -> torch.Tensor:
    """Return the rate of angular momentum of bodies about their centres, I a + w x I w, [F, 24, 3] N·m."""
    to_local = quat_conjugate(quat_w)
    ang_vel, ang_acc = quat_rotate(to_local, ang_vel_w), quat_rotate(to_local, ang_acc_w)
    turned_vel = torch.einsum("jab,fjb->fja", inertia_local, ang_vel)
    turned_acc = torch.einsum("jab,fjb->fja", inertia_local, ang_acc)
    return quat_rotate(quat_w, turned_acc + _cross(ang_vel, turned_vel))


def _ancestry(device: torch.device) -> torch.Tensor:
    """Return [24, 24] whose row of a body is one at its ancestors and itself."""
    matrix = torch.eye(skeleton.N_JOINTS)
    for joint, parent in enumerate(skeleton.parents()):
        if parent >= 0:
            matrix[joint] += matrix[parent]
    return matrix.to(device)


_cross = torch.linalg.cross
