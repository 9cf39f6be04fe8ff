"""Motions as the axes need them: where every part is and how it moves, in a batch, with the smoothing stated."""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.imitation.inverse_dynamics import BodyMotion
from skeleton2stage.physics.imitation.reference_motions import body_kinematics, lowest_vertex_height
from skeleton2stage.physics.quaternions import quat_conjugate, quat_multiply, quat_to_rotvec, rotvec_to_quat

# Standard deviation of the Gaussian over time that velocities and accelerations are smoothed by before forces are
# worked out: 50 ms, which halves the power at 2.7 Hz.
# Less leaves more of the noise of mocap and models in forces (docs/verdict.md has figures), more blurs jumps.
SMOOTHING_FRAMES = 1.5
# What forces ask for in less of a row is not a fault: a sixth of a second, the width of that Gaussian.
PERSISTING_FRAMES = 5
# A motion that stands within this of z = 0 in its median frame is on the floor that it declares.
FLOOR_TOLERANCE_M = 0.10
FLOOR_PERCENTILE = 0.30  # of the lowest vertex over the motion: where the floor of other motions is


@dataclass(frozen=True)
class DanceFrames:
    """N motions of T frames, 30 a second, z up, floor at z = 0.

    pos_w [N, T, 24, 3] m; quat_w, quat_local [N, T, 24, 4] wxyz. step_vel_local [N, T-1, 24, 3] rad/s: the turn from
    each frame to the next, not smoothed. root_acc_w [N, T, 3] m/s^2, ang_vel_local and ang_acc_local [N, T, 24, 3]
    rad/s and rad/s^2 in each part's own frame: central differences, smoothed. floor_m [N]: what was subtracted from
    heights.
    """

    pos_w: torch.Tensor
    quat_w: torch.Tensor
    quat_local: torch.Tensor
    step_vel_local: torch.Tensor
    root_acc_w: torch.Tensor
    ang_vel_local: torch.Tensor
    ang_acc_local: torch.Tensor
    floor_m: torch.Tensor

    def __getitem__(self, motions: slice) -> "DanceFrames":
        return replace(self, **{field.name: getattr(self, field.name)[motions] for field in fields(self)})

    @property
    def shape(self) -> tuple[int, int]:
        """Motions and frames."""
        return self.pos_w.shape[0], self.pos_w.shape[1]

    def body_motion(self) -> BodyMotion:
        """Return all frames one after another, [N · T], as inverse dynamics takes them."""
        parts = (self.pos_w, self.quat_w, self.root_acc_w, self.ang_vel_local, self.ang_acc_local)
        return BodyMotion(*(part.flatten(0, 1) for part in parts))


def dance_frames(
    poses: torch.Tensor, translation: torch.Tensor, humanoid: Humanoid, smoothing_frames: float = SMOOTHING_FRAMES,
    floor_m: torch.Tensor | None = None,
) -> DanceFrames:
    """Return the frames of motions: rotations [N, T, 24, 3] rad and pelvis [N, T, 3] m, on their device.

    The floor is the motion's own z = 0 where it stands within 10 cm of it, else the 30th percentile of the lowest
    vertex; of a part of a motion, the whole one's `floor_m` [N]. Raises ValueError for other shapes or fewer than 4
    frames, of which there is no jerk.
    """
    n, t = poses.shape[:2]
    if tuple(poses.shape[2:]) != (skeleton.N_JOINTS, 3) or tuple(translation.shape) != (n, t, 3) or t < 4:
        raise ValueError(
            f"expected poses [N, T, 24, 3] and translation [N, T, 3] of at least 4 frames, got "
            f"{tuple(poses.shape)} and {tuple(translation.shape)}"
        )
    quat_local = rotvec_to_quat(poses.float())
    pos_w, quat_w = _placed(quat_local, translation, humanoid)
    if floor_m is None:
        floor_m = _floor_of(_lowest(pos_w, quat_w, humanoid))
    pos_w = pos_w - floor_m[:, None, None, None] * torch.tensor([0.0, 0.0, 1.0], device=poses.device)
    step_vel = quat_to_rotvec(quat_multiply(quat_conjugate(quat_local[:, :-1]), quat_local[:, 1:])) * FPS
    root_step_vel = pos_w[:, :, 0].diff(dim=1) * FPS
    ang_vel, ang_acc = (smoothed(rate, smoothing_frames) for rate in _rates(step_vel))
    root_acc_w = smoothed(_rates(root_step_vel)[1], smoothing_frames)
    return DanceFrames(pos_w, quat_w, quat_local, step_vel, root_acc_w, ang_vel, ang_acc, floor_m)


def smoothed(values: torch.Tensor, sigma_frames: float) -> torch.Tensor:
    """Return values [N, T, ...] smoothed over time by a Gaussian, ends continued as they are; 0 changes nothing."""
    if sigma_frames <= 0:
        return values
    reach = int(np.ceil(3.0 * sigma_frames))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_frames) ** 2)
    weights /= weights.sum()
    t = values.shape[1]
    frames = torch.arange(t, device=values.device)
    total = torch.zeros_like(values)
    for shift, weight in zip(range(-reach, reach + 1), weights.tolist(), strict=True):
        total += weight * values[:, (frames + shift).clamp(0, t - 1)]
    return total


def highest_around(values: torch.Tensor, frames: int = round(SMOOTHING_FRAMES + 0.5)) -> torch.Tensor:
    """Return the highest of values [N, T] within so many frames of each, by default those that smoothing mixes."""
    padded = torch.nn.functional.pad(values[:, None], (frames, frames), mode="replicate")
    return torch.nn.functional.max_pool1d(padded, 2 * frames + 1, stride=1)[:, 0]


def persisting(values: torch.Tensor, frames: int = PERSISTING_FRAMES) -> torch.Tensor:
    """Return of values [N, T] at every frame the most that they stay at or over for so many frames in a row with this
    one among them. Peaks of forces that are shorter are noise of positions differentiated twice, most of all at the
    ends. Of a motion that is shorter, what it never falls below.
    """
    row = min(frames, values.shape[1])
    lowest = -torch.nn.functional.max_pool1d(-values[:, None], row, stride=1)
    padded = torch.nn.functional.pad(lowest, (row - 1, row - 1), value=-torch.inf)
    return torch.nn.functional.max_pool1d(padded, row, stride=1)[:, 0]


def _rates(step_vel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return velocity and acceleration at frames [N, T, ...] of velocities between them [N, T-1, ...].

    At both ends the velocity is that of the only step there is, and the acceleration that of the frame next to it.
    """
    velocity = torch.cat((step_vel[:, :1], 0.5 * (step_vel[:, 1:] + step_vel[:, :-1]), step_vel[:, -1:]), dim=1)
    acceleration = step_vel.diff(dim=1) * FPS
    return velocity, torch.cat((acceleration[:, :1], acceleration, acceleration[:, -1:]), dim=1)


def floor_heights(
    poses: torch.Tensor, translation: torch.Tensor, humanoid: Humanoid, at_once: int
) -> torch.Tensor:
    """Return where the floor of motions is, [N] m, as `dance_frames` takes it, looking at some frames at a time."""
    parts = zip(poses.split(at_once, dim=1), translation.split(at_once, dim=1), strict=True)
    lowest = [_lowest(*_placed(rotvec_to_quat(part.float()), moved, humanoid), humanoid) for part, moved in parts]
    return _floor_of(torch.cat(lowest, dim=1))


def _placed(
    quat_local: torch.Tensor, translation: torch.Tensor, humanoid: Humanoid
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return positions [N, T, 24, 3] m and rotations [N, T, 24, 4] of parts in the world."""
    offsets = torch.as_tensor(humanoid.bone_offsets, dtype=torch.float32, device=quat_local.device)
    return body_kinematics(quat_local, translation.float(), offsets)


def _lowest(pos_w: torch.Tensor, quat_w: torch.Tensor, humanoid: Humanoid) -> torch.Tensor:
    """Return the height of the lowest vertex, [N, T] m."""
    lowest = lowest_vertex_height(pos_w.flatten(0, 1), quat_w.flatten(0, 1), humanoid.hull_vertices)
    return lowest.view(pos_w.shape[:2])


def _floor_of(lowest: torch.Tensor) -> torch.Tensor:
    """Return where the floor of each motion is, [N] m, of the heights [N, T] m of its lowest vertex."""
    in_order = lowest.sort(dim=1).values
    last = lowest.shape[1] - 1
    median, found = in_order[:, last // 2], in_order[:, round(FLOOR_PERCENTILE * last)]
    return torch.where(median.abs() <= FLOOR_TOLERANCE_M, 0.0, found)
