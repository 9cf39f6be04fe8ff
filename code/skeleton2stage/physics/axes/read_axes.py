"""All axes of a batch of motions at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch

from skeleton2stage.body.body_model import BodyModel, load_body
from skeleton2stage.body.spheres import BodySpheres, fill_body
from skeleton2stage.motion.frame_windows import windows_of
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes import contact_axes, dynamic_axes, kinematic_axes
from skeleton2stage.physics.axes.dance_frames import DanceFrames, dance_frames, floor_heights
from skeleton2stage.physics.axes.dynamics import dynamics
from skeleton2stage.physics.axes.floor_points import floor_points
from skeleton2stage.physics.axes.reading import Reading
from skeleton2stage.physics.humanoid.build_humanoid import build_humanoid
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.imitation.inverse_dynamics import Inertias
from skeleton2stage.physics.imitation.reference_motions import check_motion

KINEMATIC = ("joint_limits", "joint_speed", "jerk", "penetration", "penetration_area")
CONTACT = ("slide", "sink", "float", "support")
DYNAMIC = ("torque", "ground_force", "residual", "power")
AXES = (*KINEMATIC, *CONTACT, *DYNAMIC)
GROUPS = {
    name: group
    for group, names in (("kinematics", KINEMATIC), ("contact", CONTACT), ("dynamics", DYNAMIC)) for name in names
}
# Of the body as a whole, at whose pelvis they are read; the others say which part.
WHOLE_BODY = ("float", "support", "ground_force", "residual", "power")
MIN_FRAMES = 4
# Frames read at once: on a GPU their tensors take some 13 kB a frame, and small steps wait for Python; a CPU gains
# nothing by more.
CHUNK_FRAMES, CPU_CHUNK_FRAMES = 327680, 4096
# Frames on either side by which a frame's figures are told: smoothing's reach, differences, the highest around.
_MARGIN_FRAMES = 30


@dataclass(frozen=True)
class AxisReader:
    """Reads axes for one humanoid and the spheres that fill the same body."""

    humanoid: Humanoid
    spheres: BodySpheres

    @classmethod
    def of_body(cls, body: str = "open") -> "AxisReader":
        """Return the reader for a body, by the names that `load_body` takes."""
        return cls.of(load_body(body))

    @classmethod
    def of(cls, body: BodyModel) -> "AxisReader":
        """Return the reader for a body that is loaded."""
        return cls(build_humanoid(body.rest_vertices, body.weights, body.rest_joints), fill_body(body))

    @torch.no_grad()
    def read(self, poses: torch.Tensor, translation: torch.Tensor) -> dict[str, Reading]:
        """Return every axis of motions, rotations [N, T, 24, 3] rad and pelvis [N, T, 3] m, on their device."""
        most = CPU_CHUNK_FRAMES if poses.device.type == "cpu" else CHUNK_FRAMES
        at_once = max(1, most // poses.shape[1])
        parts = [
            self._read_in_windows(chunk, moved, most) if poses.shape[1] > most
            else self._read_chunk(dance_frames(chunk, moved, self.humanoid))
            for chunk, moved in zip(poses.split(at_once), translation.split(at_once), strict=True)
        ]
        return {name: _joined([part[name] for part in parts]) for name in AXES}

    def _read_in_windows(self, poses: torch.Tensor, translation: torch.Tensor, size: int) -> dict[str, Reading]:
        """Return the axes of motions too long to be read at once, window by window on the whole ones' floor."""
        floor_m = floor_heights(poses, translation, self.humanoid, size)
        parts: list[dict[str, Reading]] = []
        for window in windows_of(poses.shape[1], size, _MARGIN_FRAMES):
            seen = (poses[:, window.frames], translation[:, window.frames])
            readings = self._read_chunk(dance_frames(*seen, self.humanoid, floor_m=floor_m))
            parts.append({name: _kept(reading, window.inner) for name, reading in readings.items()})
        return {name: _joined([part[name] for part in parts], dim=1) for name in AXES}

    def _read_chunk(self, frames: DanceFrames) -> dict[str, Reading]:
        device = frames.pos_w.device
        points = floor_points(frames, self.humanoid)
        forces = dynamics(frames, points, Inertias.of(self.humanoid, device))
        heights = contact_axes.part_heights(frames, self.humanoid)
        depth, area = kinematic_axes.self_penetration(frames, self._spheres_on(device))
        return {
            "joint_limits": kinematic_axes.joint_limits(frames),
            "joint_speed": kinematic_axes.joint_speed(frames),
            "jerk": kinematic_axes.jerk(frames),
            "penetration": depth,
            "penetration_area": area,
            "slide": contact_axes.slide(points, forces),
            "sink": contact_axes.sink(heights),
            "float": contact_axes.floating(heights, forces),
            "support": contact_axes.support(points, forces),
            "torque": dynamic_axes.torque(forces),
            "ground_force": dynamic_axes.ground_force(forces),
            "residual": dynamic_axes.residual(forces),
            "power": dynamic_axes.power(forces),
        }

    def _spheres_on(self, device: torch.device) -> BodySpheres:
        if device not in self._placed:
            self._placed[device] = self.spheres.to(device)
        return self._placed[device]

    @cached_property
    def _placed(self) -> dict[torch.device, BodySpheres]:
        return {}

    def read_motions(self, motions: list[Motion], device: torch.device | str = "cpu") -> list[dict[str, Reading]]:
        """Return every axis of motions of any lengths, each by itself ([1, T, 24]), in their order, on the CPU.

        Raises UserError for a motion that is not at 30 frames a second or shorter than 4 frames.
        """
        for motion in motions:
            check_motion(motion, MIN_FRAMES)
        found: list[dict[str, Reading]] = [{}] * len(motions)
        for group in _of_one_length(motions):
            poses = torch.stack([torch.from_numpy(motions[index].poses) for index in group]).to(device)
            moved = torch.stack([torch.from_numpy(motions[index].translation) for index in group]).to(device)
            readings = self.read(poses, moved)
            for row, index in enumerate(group):
                found[index] = {name: _row(reading, row) for name, reading in readings.items()}
        return found


def _of_one_length(motions: list[Motion]) -> Iterator[list[int]]:
    """Yield the indices of motions that are equally long, in groups small enough to be read at once."""
    by_length: dict[int, list[int]] = {}
    for index, motion in enumerate(motions):
        by_length.setdefault(len(motion), []).append(index)
    yield from by_length.values()


def _row(reading: Reading, row: int) -> Reading:
    return Reading(reading.value[row : row + 1].cpu(), reading.share[row : row + 1].cpu(), reading.unit)


def _kept(reading: Reading, frames: slice) -> Reading:
    return Reading(reading.value[:, frames].clone(), reading.share[:, frames].clone(), reading.unit)


def _joined(parts: list[Reading], dim: int = 0) -> Reading:
    value, share = (torch.cat([getattr(part, name) for part in parts], dim=dim) for name in ("value", "share"))
    return Reading(value, share, parts[0].unit)
