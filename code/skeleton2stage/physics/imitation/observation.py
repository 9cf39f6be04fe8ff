"""What the imitation policy sees: its own body, how far it is from the next reference frame, and, for a policy that
was trained to look further, where the reference's body will be in frames after that.

Everything is expressed in the heading frame: at the pelvis, turned about world z to where it looks.
"""

from collections.abc import Sequence

import torch

from skeleton2stage.motion.skeleton import N_JOINTS
from skeleton2stage.physics.imitation.reference_motions import FutureBodies, ReferenceFrames
from skeleton2stage.physics.quaternions import (
    heading_quat,
    quat_conjugate,
    quat_multiply,
    quat_rotate,
    quat_to_rot6d,
    quat_to_rotvec,
)
from skeleton2stage.physics.simulators.simulator import BodyState

N_SHAPE = 10
OWN_WIDTH = 1 + (N_JOINTS - 1) * 3 + N_JOINTS * (6 + 3 + 3) + (N_JOINTS - 1) * 3
TARGET_WIDTH = 1 + 6 + 2 + 2 + (N_JOINTS - 1) * 3 + N_JOINTS * (3 + 6)
OBSERVATION_WIDTH = OWN_WIDTH + TARGET_WIDTH + N_SHAPE
FUTURE_WIDTH = N_JOINTS * 3 + 2


def steps_ahead(future_frames: Sequence[int]) -> list[int]:
    """Return how many frames after the present one a policy's `future_frames` are, which count from the next."""
    return [1 + frames for frames in future_frames]


def observation_width(n_future: int) -> int:
    """Return how many numbers an observation with so many frames to come has."""
    return OBSERVATION_WIDTH + n_future * FUTURE_WIDTH


def observe(
    state: BodyState, target: ReferenceFrames, shape: torch.Tensor, future: FutureBodies | None = None
) -> torch.Tensor:
    """Return observations [W, 733 + 74 K] of W worlds, of the next reference frames, the body shape [10], and K
    frames to come: their bodies' places, frame by frame, and then their headings.
    """
    to_heading = quat_conjugate(heading_quat(state.quat_w[:, 0]))
    own = _own_features(state, to_heading)
    toward = _target_features(state, target, to_heading)
    # Last, so that a policy learns to look further by new columns of its first layer.
    ahead = [] if future is None else [future_features(state.pos_w[:, 0], state.quat_w[:, 0], future)]
    return torch.cat((*own, *toward, shape.expand(len(state.pos_w), N_SHAPE), *ahead), dim=-1)


def future_features(root_pos_w: torch.Tensor, root_quat_w: torch.Tensor, future: FutureBodies) -> torch.Tensor:
    """Return what a pelvis at root_pos_w [W, 3] m, turned root_quat_w [W, 4], sees of K frames to come, [W, 74 K].

    In its heading frame: where the bodies of each frame will be, 72 K numbers in m, and cos and sin of K headings.
    """
    to_heading = quat_conjugate(heading_quat(root_quat_w))
    turn = to_heading[:, None].expand_as(future.root_quat_w)
    places = quat_rotate(turn[:, :, None], future.pos_w - root_pos_w[:, None, None])
    headings = quat_multiply(turn, heading_quat(future.root_quat_w))
    return torch.cat((places.flatten(1), _yaw_components(headings).flatten(1)), dim=1)


def _own_features(state: BodyState, to_heading: torch.Tensor) -> list[torch.Tensor]:
    """Root height, body positions, rotations (6D), linear and angular velocities, joint velocities."""
    turn = to_heading[:, None].expand_as(state.quat_w)
    relative = state.pos_w[:, 1:] - state.pos_w[:, :1]
    return [
        state.pos_w[:, 0, 2:],
        quat_rotate(turn[:, 1:], relative).flatten(1),
        quat_to_rot6d(quat_multiply(turn, state.quat_w)).flatten(1),
        quat_rotate(turn, state.lin_vel_w).flatten(1),
        quat_rotate(turn, state.ang_vel_w).flatten(1),
        state.ang_vel_local[:, 1:].flatten(1),
    ]


def _target_features(
    state: BodyState, target: ReferenceFrames, to_heading: torch.Tensor
) -> list[torch.Tensor]:
    """Relative root height, rotation, planar offset and heading; joint, body position and rotation offsets."""
    turn = to_heading[:, None].expand_as(state.quat_w)
    offset = quat_rotate(turn, target.pos_w - state.pos_w)
    # R_heading (q_ref q^-1) R_heading^-1: the correcting rotation as seen from the heading frame
    correction = quat_multiply(target.quat_w, quat_conjugate(state.quat_w))
    correction = quat_to_rot6d(quat_multiply(turn, quat_multiply(correction, quat_conjugate(turn))))
    heading = quat_multiply(to_heading, heading_quat(target.quat_w[:, 0]))
    joints = quat_multiply(quat_conjugate(state.quat_local[:, 1:]), target.quat_local[:, 1:])
    return [
        offset[:, 0, 2:],
        correction[:, 0],
        offset[:, 0, :2],
        _yaw_components(heading),
        quat_to_rotvec(joints).flatten(1),
        offset.flatten(1),
        correction.flatten(1),
    ]


def _yaw_components(yaw_quat: torch.Tensor) -> torch.Tensor:
    """Return cos and sin of the angle of rotations [..., 4] about z, [..., 2]."""
    w, z = yaw_quat[..., 0], yaw_quat[..., 3]
    return torch.stack((w * w - z * z, 2.0 * w * z), dim=-1)
