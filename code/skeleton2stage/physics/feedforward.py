"""The torques that a reference motion itself asks for, as offsets of the PD targets.

PD gains of the humanoid are soft: under its own weight a knee would sag by a fifth of a radian before its
spring holds it. Inverse dynamics tells the torque that every joint needs to follow the reference, given
ground forces on the feet that carry what the pelvis cannot be pushed by; dividing by the gain gives the
offset at which the spring supplies it. The policy is left with what cannot be known beforehand: balance.
"""

import mujoco
import numpy as np
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.humanoid import Humanoid, gains
from skeleton2stage.physics.rotations import quat_conjugate, quat_rotate

MAX_OFFSET_RAD = 0.6
CONTACT_HEIGHT_M = 0.015  # a sole point's share of the ground force falls by e with each of these
RIDGE = 1e-2
_FEET = tuple(skeleton.joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot"))
_POINTS_PER_PART = 8


def feedforward_offsets(
    humanoid: Humanoid,
    pos_w: torch.Tensor,
    quat_w: torch.Tensor,
    quat_local: torch.Tensor,
    root_lin_vel_w: torch.Tensor,
    ang_vel_local: torch.Tensor,
) -> torch.Tensor:
    """Return target offsets [F, 23, 3] rad, rotation vectors in each joint's own frame, of consecutive frames.

    pos_w [F, 24, 3] m, quat_w and quat_local [F, 24, 4] wxyz, root_lin_vel_w [F, 3] m/s,
    ang_vel_local [F, 24, 3] rad/s, at 30 frames a second.
    """
    root_force_w, root_torque_w, joint_torque = _inverse_dynamics(
        humanoid, pos_w, quat_w, quat_local, root_lin_vel_w, ang_vel_local
    )
    points_w, owners = _sole_points(humanoid, pos_w, quat_w)
    forces_w = ground_forces(points_w - pos_w[:, :1], points_w[..., 2], root_force_w, root_torque_w)
    torque = joint_torque - _torque_of_forces(forces_w, points_w, owners, pos_w, quat_w)
    stiffness = torch.tensor([gains(name)[0] for name in skeleton.joint_names()[1:]])
    return (torque / stiffness[:, None]).clamp(-MAX_OFFSET_RAD, MAX_OFFSET_RAD)


def ground_forces(
    arms_w: torch.Tensor, heights: torch.Tensor, force_w: torch.Tensor, torque_w: torch.Tensor
) -> torch.Tensor:
    """Return forces [F, P, 3] N at sole points that together make up a wrench on the pelvis.

    arms_w [F, P, 3] m from pelvis to points, heights [F, P] m over the floor, force_w [F, 3] N and torque_w
    [F, 3] N·m about the pelvis. Weighted least squares of smallest norm: points near the floor carry most, and
    where none is near it nothing is carried.
    """
    weights = torch.exp(-heights.clamp(min=0.0) / CONTACT_HEIGHT_M).repeat_interleave(3, dim=1)
    arrangement = torch.cat((torch.eye(3).repeat(len(arms_w), 1, arms_w.shape[1]), _cross_matrices(arms_w)), dim=1)
    wanted = torch.cat((force_w, torque_w), dim=1)[..., None]
    weighted = arrangement * weights[:, None]
    gram = weighted @ arrangement.transpose(1, 2) + RIDGE * torch.eye(6)
    return (weighted.transpose(1, 2) @ torch.linalg.solve(gram, wanted)).squeeze(-1).unflatten(-1, (-1, 3))


def _cross_matrices(arms: torch.Tensor) -> torch.Tensor:
    """Return [F, 3, 3P] matrices that take stacked forces to their summed torque, arm x force."""
    x, y, z = arms.unbind(-1)
    zero = torch.zeros_like(x)
    rows = (torch.stack(row, dim=-1).flatten(1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero)))
    return torch.stack(tuple(rows), dim=1)


def _inverse_dynamics(
    humanoid: Humanoid,
    pos_w: torch.Tensor,
    quat_w: torch.Tensor,
    quat_local: torch.Tensor,
    root_lin_vel_w: torch.Tensor,
    ang_vel_local: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the pelvis' force [F, 3] and torque [F, 3] in world axes and joint torques [F, 23, 3] without contact."""
    model = mujoco.MjModel.from_xml_string(humanoid.xml)
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT) | int(mujoco.mjtDisableBit.mjDSBL_ACTUATION)
    data = mujoco.MjData(model)
    names = skeleton.joint_names()
    columns = np.array([model.joint(name).dofadr[0] for name in names])[:, None] + np.arange(3)
    columns[0] += 3
    qpos = _positions(model, pos_w, quat_local)
    qvel = np.zeros((len(pos_w), model.nv))
    qvel[:, :3] = root_lin_vel_w.numpy()
    qvel[:, columns] = ang_vel_local.numpy()
    qacc = np.gradient(qvel, 1.0 / FPS, axis=0)
    forces = np.empty_like(qvel)
    for frame in range(len(qpos)):
        data.qpos, data.qvel, data.qacc = qpos[frame], qvel[frame], qacc[frame]
        mujoco.mj_inverse(model, data)
        forces[frame] = data.qfrc_inverse
    torques = torch.from_numpy(forces[:, columns].astype(np.float32))
    root_force_w = torch.from_numpy(forces[:, :3].astype(np.float32))
    return root_force_w, quat_rotate(quat_w[:, 0], torques[:, 0]), torques[:, 1:]


def _positions(model: mujoco.MjModel, pos_w: torch.Tensor, quat_local: torch.Tensor) -> np.ndarray:
    qpos = np.empty((len(pos_w), model.nq))
    qpos[:, :3] = pos_w[:, 0].numpy()
    for joint, name in enumerate(skeleton.joint_names()):
        address = int(model.joint(name).qposadr[0]) + (3 if joint == 0 else 0)
        qpos[:, address : address + 4] = quat_local[:, joint].numpy()
    return qpos


def _sole_points(
    humanoid: Humanoid, pos_w: torch.Tensor, quat_w: torch.Tensor
) -> tuple[torch.Tensor, tuple[int, ...]]:
    """Return sole points in the world, [F, P, 3], and the foot part each belongs to: its lowest vertices at rest."""
    points, owners = [], []
    for part in _FEET:
        vertices = humanoid.hull_vertices[part]
        lowest = torch.as_tensor(vertices[np.argsort(vertices[:, 1])[:_POINTS_PER_PART]], dtype=pos_w.dtype)
        turned = quat_rotate(quat_w[:, part, None].expand(-1, len(lowest), -1), lowest.expand(len(pos_w), -1, -1))
        points.append(turned + pos_w[:, part, None])
        owners += [part] * len(lowest)
    return torch.cat(points, dim=1), tuple(owners)


def _torque_of_forces(
    forces_w: torch.Tensor, points_w: torch.Tensor, owners: tuple[int, ...], pos_w: torch.Tensor, quat_w: torch.Tensor
) -> torch.Tensor:
    """Return what forces at points do to the joints that hold them, [F, 23, 3] N·m in each joint's own frame."""
    torque_w = torch.zeros_like(pos_w)
    parents = skeleton.parents()
    for part in dict.fromkeys(owners):
        own = [index for index, owner in enumerate(owners) if owner == part]
        joint = part
        while joint > 0:
            arm = points_w[:, own] - pos_w[:, joint, None]
            torque_w[:, joint] += torch.linalg.cross(arm, forces_w[:, own]).sum(dim=1)
            joint = parents[joint]
    return quat_rotate(quat_conjugate(quat_w[:, 1:]), torque_w[:, 1:])
