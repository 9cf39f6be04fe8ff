"""Reference motions as the imitation task needs them: poses, velocities and bodies of every frame."""

from dataclasses import dataclass

import numpy as np
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.imitation.feedforward import feedforward_offsets
from skeleton2stage.physics.imitation.inverse_dynamics import BodyMotion
from skeleton2stage.physics.quaternions import (
    quat_conjugate,
    quat_multiply,
    quat_rotate,
    quat_to_rotvec,
    rotvec_to_quat,
)
from skeleton2stage.physics.simulators.simulator import ResetState

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
class FutureBodies:
    """The reference in K frames to come, in W worlds: pos_w [W, K, 24, 3] m, the pelvis' root_quat_w [W, K, 4] wxyz."""

    pos_w: torch.Tensor
    root_quat_w: torch.Tensor


@dataclass(frozen=True)
class ReferenceMotions:
    """Several clips end to end: `frames`, and where each begins (start [C]) and how long it is (length [C])."""

    frames: ReferenceFrames
    start: torch.Tensor
    length: torch.Tensor

    def __len__(self) -> int:
        return len(self.start)

    def ahead(self, frame: torch.Tensor, last_frame: torch.Tensor, steps: torch.Tensor) -> FutureBodies:
        """Return the bodies steps [K] after frames [W] of `frames`, of clips whose last ones are last_frame [W]."""
        frames = torch.minimum(frame[:, None] + steps, last_frame[:, None])
        return FutureBodies(self.frames.pos_w[frames], self.frames.quat_w[:, 0][frames])

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
    up = torch.tensor([0.0, 0.0, 1.0], device=pos_w.device)
    up_in_body = quat_rotate(quat_conjugate(quat_w), up.expand_as(pos_w))
    lowest = []
    for joint, vertices in enumerate(hull_vertices):
        points = torch.as_tensor(vertices, dtype=pos_w.dtype, device=pos_w.device)
        lowest.append((up_in_body[:, joint] @ points.T).amin(dim=1) + pos_w[:, joint, 2])
    return torch.stack(lowest).amin(dim=0)


def reference_frames(motion: Motion, humanoid: Humanoid, floor_percentile: float | None) -> ReferenceFrames:
    """Return one motion as reference frames; see `reference_motions`."""
    return reference_motions([motion], humanoid, floor_percentile).frames


def reference_motions(
    motions: list[Motion],
    humanoid: Humanoid,
    floor_percentile: float | None = None,
    device: torch.device | str = "cpu",
) -> ReferenceMotions:
    """Return clips of any lengths as reference motions on a device, each put on the floor; hands' rotations
    are set to zero.

    A clip is shifted so that the humanoid's lowest vertex touches z = 0 in its first frame, or, where
    `floor_percentile` is given, so that this percentile (0-100) of it over the clip does. All frames are
    worked out at once; no difference between frames crosses from one clip to the next. Raises UserError for
    a motion that is not at 30 fps or has one frame only.
    """
    for motion in motions:
        check_motion(motion)
    clips = _Clips.of([len(motion) for motion in motions], device)
    poses = torch.from_numpy(np.concatenate([motion.poses for motion in motions])).to(device)
    root_pos_w = torch.from_numpy(np.concatenate([motion.translation for motion in motions])).to(device)
    quat_local = rotvec_to_quat(poses)
    quat_local[:, _HANDS] = torch.tensor([1.0, 0.0, 0.0, 0.0], device=device)
    offsets = torch.as_tensor(humanoid.bone_offsets, dtype=torch.float32, device=device)
    pos_w, quat_w = body_kinematics(quat_local, root_pos_w, offsets)
    pos_w[..., 2] -= _floor_heights(pos_w, quat_w, humanoid, clips, floor_percentile)[clips.clip, None]
    root_lin_vel_w, ang_vel_local = _velocities(pos_w[:, 0], quat_local, clips)
    motion = BodyMotion(
        pos_w, quat_w, clips.central_difference(root_lin_vel_w), ang_vel_local, clips.central_difference(ang_vel_local)
    )
    feedforward = feedforward_offsets(humanoid, motion)
    frames = ReferenceFrames(pos_w, quat_w, quat_local, root_lin_vel_w, ang_vel_local, feedforward)
    return ReferenceMotions(frames, clips.start, clips.length)


def check_motion(motion: Motion, min_frames: int = 2) -> None:
    """Raise UserError where a motion is not at 30 fps or shorter than so many frames: two to be imitated."""
    if abs(motion.fps - FPS) > 1e-3:
        raise UserError(f"the imitation task needs {FPS:g} frames a second; this motion has {motion.fps:g}")
    if len(motion) < min_frames:
        raise UserError(f"the physical verdict needs a motion of at least {min_frames} frames, not {len(motion)}")


@dataclass(frozen=True)
class _Clips:
    """Where C clips lie among F frames end to end: start and length [C], and of each frame its clip [F]."""

    start: torch.Tensor
    length: torch.Tensor
    clip: torch.Tensor

    @classmethod
    def of(cls, lengths: list[int], device: torch.device | str) -> "_Clips":
        length = torch.tensor(lengths)
        clip = torch.repeat_interleave(torch.arange(len(lengths)), length)
        return cls((length.cumsum(0) - length).to(device), length.to(device), clip.to(device))

    def neighbours(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the frames before and after each frame, [F] each, or itself at a clip's ends."""
        frames = torch.arange(len(self.clip), device=self.clip.device)
        first = self.start[self.clip]
        return torch.maximum(frames - 1, first), torch.minimum(frames + 1, first + self.length[self.clip] - 1)

    def central_difference(self, values: torch.Tensor) -> torch.Tensor:
        """Return the rate of values [F, ...] per second: central differences, one-sided at a clip's ends."""
        before, after = self.neighbours()
        span_s = ((after - before) / FPS).view(-1, *[1] * (values.ndim - 1))
        return (values[after] - values[before]) / span_s


def _velocities(
    root_pos_w: torch.Tensor, quat_local: torch.Tensor, clips: _Clips
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return forward differences [F, 3] m/s and [F, 24, 3] rad/s; a clip's last frame has those of the one before."""
    last = clips.start[clips.clip] + clips.length[clips.clip] - 1
    here = torch.minimum(torch.arange(len(last), device=last.device), last - 1)
    step = quat_multiply(quat_conjugate(quat_local[here]), quat_local[here + 1])
    return (root_pos_w[here + 1] - root_pos_w[here]) * FPS, quat_to_rotvec(step) * FPS


def _floor_heights(
    pos_w: torch.Tensor, quat_w: torch.Tensor, humanoid: Humanoid, clips: _Clips, percentile: float | None
) -> torch.Tensor:
    """Return what of each clip goes to z = 0, [C] m: the lowest vertex of its first frame, or a percentile of it."""
    if percentile is None:
        return lowest_vertex_height(pos_w[clips.start], quat_w[clips.start], humanoid.hull_vertices)
    return _percentiles(lowest_vertex_height(pos_w, quat_w, humanoid.hull_vertices), clips, percentile)


def _percentiles(values: torch.Tensor, clips: _Clips, percentile: float) -> torch.Tensor:
    """Return a percentile of every clip's values, [C] of [F], between neighbours by linear interpolation."""
    by_value = values.argsort()
    in_clips = values[by_value[clips.clip[by_value].argsort(stable=True)]]
    rank = (clips.length - 1).double() * (percentile / 100.0)
    below, above = clips.start + rank.floor().long(), clips.start + rank.ceil().long()
    return torch.lerp(in_clips[below], in_clips[above], rank.frac().to(values.dtype))
