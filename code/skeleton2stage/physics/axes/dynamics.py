"""The forces of motions: what each needs from outside, what the floor gives of it, and the joints' torques."""

from dataclasses import dataclass

import torch

from skeleton2stage.physics.axes.dance_frames import DanceFrames, highest_around
from skeleton2stage.physics.axes.floor_points import FloorPoints
from skeleton2stage.physics.axes.ground_reaction import GroundReaction, ground_reaction
from skeleton2stage.physics.imitation.inverse_dynamics import Inertias, held_wrench, required_forces
from skeleton2stage.physics.quaternions import quat_conjugate, quat_rotate
from skeleton2stage.physics.repeatable_sums import summed_by_part


@dataclass(frozen=True)
class Dynamics:
    """Forces of N motions of T frames.

    needed_force_w [N, T, 3] N: what must push the body from outside. centre_of_pressure_w [N, T, 2] m: where on the
    floor it would have to act. residual_n [N, T] N: what of force and moment the floor cannot give, see
    `GroundReaction`. torque [N, T, 23, 3] N·m in each part's own frame, under the floor's forces. power_w [N, T, 23]
    W: of each joint, positive where it drives. touched [N, T] in [0, 1]: how much the point touches that touches most,
    over the frames that forces are smoothed over.
    load_n [N, T, 24] N: the floor's push up on each part. weight_n: the body's weight, N.
    """

    needed_force_w: torch.Tensor
    centre_of_pressure_w: torch.Tensor
    residual_n: torch.Tensor
    torque: torch.Tensor
    power_w: torch.Tensor
    touched: torch.Tensor
    load_n: torch.Tensor
    weight_n: float


def dynamics(frames: DanceFrames, points: FloorPoints, inertias: Inertias) -> Dynamics:
    """Return the forces of motions by inverse dynamics (Newton and Euler, as mujoco.mj_inverse has them).

    Velocities and accelerations are those of `frames`, smoothed as `dance_frames` says.
    """
    motion = frames.body_motion()
    required = required_forces(motion, inertias)
    grip = points.grip.flatten(0, 1)
    used = (grip.amax(dim=0) > 0).nonzero().squeeze(-1)  # of a dance on its feet, the soles alone
    arms_w = points.pos_w.flatten(0, 1)[:, used] - motion.pos_w[:, :1]
    owners = [points.owners[point] for point in used.tolist()]
    ground = ground_reaction(arms_w, grip[:, used], required.root_force_w, required.root_torque_w)
    torque = required.joint_torque - _joint_torque_of(ground, arms_w, owners, motion.pos_w, motion.quat_w)
    load = summed_by_part(ground.forces_w[..., 2], owners)
    touched = highest_around(points.touching.amax(dim=-1)).flatten(0, 1)
    power = (torque * motion.ang_vel_local[:, 1:]).sum(dim=-1)
    centre = _centre_of_pressure(motion.pos_w[:, 0], required.root_force_w, required.root_torque_w)
    shaped = (
        value.unflatten(0, frames.shape)
        for value in (required.root_force_w, centre, ground.residual_n, torque, power, touched, load)
    )
    return Dynamics(*shaped, weight_n=float(inertias.mass.sum() * inertias.gravity_w.norm()))


def _centre_of_pressure(pelvis_w: torch.Tensor, force_w: torch.Tensor, moment_w: torch.Tensor) -> torch.Tensor:
    """Return where on z = 0 a force [F, 3] with a moment [F, 3] about the pelvis has no horizontal moment, [F, 2] m."""
    below = torch.zeros_like(pelvis_w)
    below[:, 2] = pelvis_w[:, 2]
    about_floor = moment_w + torch.linalg.cross(below, force_w)
    up = torch.where(force_w[:, 2].abs() < 1.0, 1.0, force_w[:, 2])
    return pelvis_w[:, :2] + torch.stack((-about_floor[:, 1], about_floor[:, 0]), dim=-1) / up[:, None]


def _joint_torque_of(
    ground: GroundReaction, arms_w: torch.Tensor, owners: list[int], pos_w: torch.Tensor, quat_w: torch.Tensor
) -> torch.Tensor:
    """Return what the floor's forces do to the joints, [F, 23, 3] N·m in each part's own frame."""
    on_parts_w = summed_by_part(ground.forces_w, owners)
    moments_w = summed_by_part(torch.linalg.cross(arms_w, ground.forces_w), owners)
    _, torque_w = held_wrench(pos_w - pos_w[:, :1], on_parts_w, moments_w)
    return quat_rotate(quat_conjugate(quat_w[:, 1:]), torque_w[:, 1:])
