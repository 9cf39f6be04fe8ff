"""The tracking reward: how closely the simulated body is at the reference, frame by frame.

r = 0.6 exp(-60 e_rot6d) + 0.1 exp(-0.2 e_jointvel) + 0.2 exp(-100 e_bodypos) + 0.1 exp(-40 e_angle),
the imitation reward of Skeleton2Stage (arXiv 2602.13778), after EmbodiedPose.
"""

from dataclasses import dataclass

import torch

from skeleton2stage.physics.imitation.reference_motions import ReferenceFrames
from skeleton2stage.physics.quaternions import quat_conjugate, quat_multiply, quat_to_rot6d
from skeleton2stage.physics.simulators.simulator import BodyState

WRENCH_WEIGHT = 0.1
WRENCH_SCALE = 30.0


@dataclass(frozen=True)
class TrackingErrors:
    """Mean squared errors of W worlds, [W] each: 6D of local rotations, joint velocities (rad/s)^2,
    body positions m^2, global rotation angles rad^2.
    """

    rot6d: torch.Tensor
    joint_vel: torch.Tensor
    body_pos: torch.Tensor
    angle: torch.Tensor


def tracking_errors(state: BodyState, reference: ReferenceFrames) -> TrackingErrors:
    """Return the errors of W worlds against their reference frames [W]."""
    rot6d = quat_to_rot6d(state.quat_local[:, 1:]) - quat_to_rot6d(reference.quat_local[:, 1:])
    joint_vel = state.ang_vel_local[:, 1:] - reference.ang_vel_local[:, 1:]
    turn = quat_multiply(quat_conjugate(state.quat_w), reference.quat_w)
    angle = 2.0 * torch.atan2(turn[..., 1:].norm(dim=-1), turn[..., 0].abs())
    return TrackingErrors(
        rot6d=rot6d.square().mean(dim=(1, 2)),
        joint_vel=joint_vel.square().mean(dim=(1, 2)),
        body_pos=(state.pos_w - reference.pos_w).square().mean(dim=(1, 2)),
        angle=angle.square().mean(dim=1),
    )


def tracking_reward(errors: TrackingErrors) -> torch.Tensor:
    """Return the tracking reward [W], in [0, 1]."""
    return (
        0.6 * torch.exp(-60.0 * errors.rot6d)
        + 0.1 * torch.exp(-0.2 * errors.joint_vel)
        + 0.2 * torch.exp(-100.0 * errors.body_pos)
        + 0.1 * torch.exp(-40.0 * errors.angle)
    )


def wrench_reward(wrench_action: torch.Tensor) -> torch.Tensor:
    """Return the training reward [W] for a small residual wrench [W, 6], before scaling to newtons."""
    return WRENCH_WEIGHT * torch.exp(-WRENCH_SCALE * wrench_action.square().mean(dim=-1))


def closeness_reward(body_error_m: torch.Tensor, weight: float, scale_m: float) -> torch.Tensor:
    """Return the training reward [W] for mean body errors [W] m: weight exp(-error / scale).

    Not of the paper. The published position term is flat near its top (at an error of 7 cm it has lost 0.03 of
    its 0.2), so a policy has little to gain from closing the last centimetres; this one is steepest there.
    """
    return weight * torch.exp(-body_error_m / scale_m)


def mean_body_error(state: BodyState, reference: ReferenceFrames) -> torch.Tensor:
    """Return the mean distance between bodies and their reference, [W] m."""
    return (state.pos_w - reference.pos_w).norm(dim=-1).mean(dim=-1)
