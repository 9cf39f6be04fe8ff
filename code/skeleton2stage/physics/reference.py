"""Reference motions as the imitation task needs them: poses, velocities and bodies of every frame."""

from dataclasses import dataclass

import numpy as np
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.physics.feedforward import feedforward_offsets
from skeleton2stage.physics.humanoid import Humanoid
from skeleton2stage.physics.rotations import (
    quat_conjugate,
    quat_multiply,
    quat_rotate,
    quat_to_rotvec,
    rotvec_to_quat,
)
from skeleton2stage.physics.simulator import ResetState

_HANDS = [skeleton.joint_index("left_hand"), skeleton.joint_index("right_hand")]


@dataclass(frozen=True)
class ReferenceFrames:
    """Chosen frames of reference motions, or all of them; the first axis F runs over frames.

    pos_w [F, 24, 3] m, quat_w and quat_local [F, 24, 4] wxyz, root_lin_vel_w [F, 3] m/s,
    ang_vel_local [F, 24, 3] rad/s in each body's own frame: forward differences, log(q_t^-1 q_t+1) / dt.
    feedforward [F, 23, 3] rad: offsets of the PD targets that supply the torques of the motion itself.
    """

    pos_w: torch.Tensor
    quat_w: torch.Tensor
    quat_local: torch.Tensor
    root_lin_vel_w: torch.Tensor
    ang_vel_local: torch.Tensor
    feedforward: torch.Tensor

    def __getitem__(self, frames: torch.Tensor) -> "ReferenceFrames":
        return ReferenceFrames(*(value[frames] for value in vars(self).values()))

    def to(self, device: torch.device | str) -> "ReferenceFrames":
        """Return the frames on another device."""
        return ReferenceFrames(*(value.to(device) for value in vars(self).values()))

    def reset_state(self) -> ResetState:
        """Return the state that puts a humanoid into these frames, velocities included."""
        return ResetState(self.pos_w[:, 0], self.quat_local, self.root_lin_vel_w, self.ang_vel_local)


@dataclass(frozen=True)
class ReferenceMotions:
    """Several clips end to end: `frames`, and where each begins (start [C]) and how long it is (length [C])."""

    frames: ReferenceFrames
    start: torch.Tensor
    length: torch.Tensor

    def __len__(self) -> int:
        return len(self.start)

    def to(self, device: torch.device | str) -> "ReferenceMotions":
        """Return the motions on another device."""
        return ReferenceMotions(self.frames.to(device), self.start.to(device), self.length.to(device))


def body_kinematics(
    quat_local: torch.Tensor, root_pos_w: torch.Tensor, bone_offsets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return world positions [..., 24, 3] m and rotations [..., 24, 4] of all bodies.

    quat_local [..., 24, 4] wxyz, root_pos_w [..., 3] m, bone_offsets [24, 3] m.
    """
    positions, rotations = [root_pos_w], [quat_local[..., 0, :]]
    for joint, parent in enumerate(skeleton.parents()[1:], start=1):
        offset = bone_offsets[joint].expand_as(root_pos_w)
        positions.append(positions[parent] + quat_rotate(rotations[parent], offset))
        rotations.append(quat_multiply(rotations[parent], quat_local[..., joint, :]))
    return torch.stack(positions, dim=-2), torch.stack(rotations, dim=-2)


def lowest_vertex_height(
    pos_w: torch.Tensor, quat_w: torch.Tensor, hull_vertices: tuple[np.ndarray, ...]
) -> torch.Tensor:
    """Return the height of the humanoid's lowest hull vertex in every frame, [F] m."""
    lowest = []
    for joint, vertices in enumerate(hull_vertices):
        points = torch.as_tensor(vertices, dtype=pos_w.dtype)
        up_in_body = quat_rotate(quat_conjugate(quat_w[:, joint]), torch.tensor([0.0, 0.0, 1.0]).expand(len(pos_w), 3))
        lowest.append((up_in_body @ points.T).min(dim=1).values + pos_w[:, joint, 2])
    return torch.stack(lowest).min(dim=0).values


def reference_frames(motion: Motion, humanoid: Humanoid, floor_percentile: float | None) -> ReferenceFrames:
    """Return a motion as reference frames, put on the floor; hands' rotations are set to zero.

    The motion is shifted so that the humanoid's lowest vertex touches z = 0 in the first frame, or, where
    `floor_percentile` is given, so that this percentile (0-100) of it over the clip does.
    """
    if abs(motion.fps - FPS) > 1e-3:
        raise UserError(f"the imitation task needs {FPS:g} frames a second; this motion has {motion.fps:g}")
    if len(motion) < 2:
        raise UserError("the imitation task needs a motion of at least 2 frames")
    quat_local = rotvec_to_quat(torch.from_numpy(motion.poses))
    quat_local[:, _HANDS] = torch.tensor([1.0, 0.0, 0.0, 0.0])
    offsets = torch.as_tensor(humanoid.bone_offsets, dtype=torch.float32)
    pos_w, quat_w = body_kinematics(quat_local, torch.from_numpy(motion.translation), offsets)
    heights = lowest_vertex_height(pos_w, quat_w, humanoid.hull_vertices)
    floor = heights[0] if floor_percentile is None else torch.quantile(heights, floor_percentile / 100.0)
    pos_w = pos_w - torch.stack((torch.zeros(()), torch.zeros(()), floor))
    velocities = _velocities(pos_w[:, 0], quat_local)
    feedforward = feedforward_offsets(humanoid, pos_w, quat_w, quat_local, *velocities)
    return ReferenceFrames(pos_w, quat_w, quat_local, *velocities, feedforward)


def _velocities(root_pos_w: torch.Tensor, quat_local: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    step = quat_multiply(quat_conjugate(quat_local[:-1]), quat_local[1:])
    ang_vel = quat_to_rotvec(step) * FPS
    lin_vel = (root_pos_w[1:] - root_pos_w[:-1]) * FPS
    return torch.cat((lin_vel, lin_vel[-1:])), torch.cat((ang_vel, ang_vel[-1:]))


def reference_motions(
    motions: list[Motion], humanoid: Humanoid, floor_percentile: float | None = None
) -> ReferenceMotions:
    """Return clips as reference motions; see `reference_frames` for how each is put on the floor."""
    clips = [reference_frames(motion, humanoid, floor_percentile) for motion in motions]
    length = torch.tensor([len(clip.pos_w) for clip in clips])
    columns = zip(*(vars(clip).values() for clip in clips), strict=True)
    return ReferenceMotions(ReferenceFrames(*(torch.cat(c) for c in columns)), length.cumsum(0) - length, length)
