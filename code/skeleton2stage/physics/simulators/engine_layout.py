"""What MuJoCo's two engines share: where a humanoid's joints are in their arrays, and the law that drives them."""

from dataclasses import dataclass

import numpy as np
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.quaternions import quat_conjugate, quat_multiply, quat_to_rotvec

MAX_TARGET_ERROR_RAD = np.pi / 2
MAX_SPEED = 1e3  # m/s or rad/s: beyond any motion, short of overflow


@dataclass(frozen=True)
class EngineLayout:
    """Indices, in SMPL's joint order, into MuJoCo's arrays of one world.

    bodies [24]; quat_columns [24, 4] of qpos and vel_columns [24, 3] of qvel, the pelvis' being its rotation
    (its position and linear velocity are the first three of each); ctrl_columns [69].
    """

    bodies: np.ndarray
    quat_columns: np.ndarray
    vel_columns: np.ndarray
    ctrl_columns: np.ndarray


def engine_layout(humanoid: Humanoid) -> EngineLayout:
    """Return where a humanoid's joints are."""
    model, names = humanoid.model, skeleton.joint_names()
    quat_columns = np.array([model.joint(name).qposadr[0] for name in names])[:, None] + np.arange(4)
    vel_columns = np.array([model.joint(name).dofadr[0] for name in names])[:, None] + np.arange(3)
    quat_columns[0] += 3
    vel_columns[0] += 3
    actuators = [model.actuator(f"{name}_{axis}").id for name in names[1:] for axis in "xyz"]
    return EngineLayout(humanoid.body_ids, quat_columns, vel_columns, np.array(actuators))


def pd_controls(present_quat_local: torch.Tensor, target_quat_local: torch.Tensor) -> torch.Tensor:
    """Return ctrl = phi(q) + clamp(log(q^-1 q*), +-pi/2), [W, 69] rad in SMPL's joint order.

    present_quat_local and target_quat_local are [W, 23, 4] wxyz. phi is the joint's present exponential map,
    which the engine subtracts again: the spring acts on the shortest rotation to the target and cannot wind
    up at large angles.
    """
    error = quat_to_rotvec(quat_multiply(quat_conjugate(present_quat_local), target_quat_local))
    error = error.clamp(-MAX_TARGET_ERROR_RAD, MAX_TARGET_ERROR_RAD)
    return (quat_to_rotvec(present_quat_local) + error).flatten(1)
