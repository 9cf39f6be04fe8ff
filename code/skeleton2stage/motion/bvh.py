"""Biovision hierarchy files: parsing, and forward kinematics of whatever skeleton they hold."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skeleton2stage.motion.bvh_hierarchy import AXES, read_hierarchy
from skeleton2stage.motion.bvh_text import motion_values, read_sections

ALL = slice(None)
_BLOCK_FRAMES = 2000


@dataclass(frozen=True)
class Bvh:
    """A skeleton with its motion, in the file's own units and axes.

    names: a name for each of J joints, parents before children; an end site is its parent's name + "_end".
    parents: index of each joint's parent, -1 for the root.
    offsets: [J, 3] offset from the parent in the rest pose.
    channels: for each joint the channel names in file order; empty for end sites.
    values: [T, C] channel values, the joints' channels one after another; rotations in degrees.
    frame_time_s: seconds a frame, of the rate that the file's rounded one stands for (`bvh_text.rate_of`).
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    values: np.ndarray
    frame_time_s: float

    @property
    def fps(self) -> float:
        """Frames a second."""
        return round(1.0 / self.frame_time_s, 9)

    def __len__(self) -> int:
        return len(self.values)


def read_bvh(path: Path) -> Bvh:
    """Read a BVH file with any joints and any order of channels; raise UserError for what is none.

    What is odd in a file that can be read all the same is said on stderr.
    """
    path = Path(path)
    header, motion = read_sections(path)
    with motion:
        found = read_hierarchy(path, header)
        n_channels = sum(len(channels) for channels in found.channels)
        values, frame_time_s, odd = motion_values(path, motion, n_channels)
    for sentence in odd:
        print(f"warning: {path}: {sentence}", file=sys.stderr)
    return Bvh(tuple(found.names), tuple(found.parents), np.array(found.offsets), tuple(found.channels), values,
               frame_time_s)


def _axis_rotation(axis: str, angle_rad: np.ndarray) -> np.ndarray:
    """Return rotations [T, 3, 3] about a coordinate axis by angles [T] rad."""
    rotmat = np.zeros((len(angle_rad), 3, 3))
    i = AXES.index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    rotmat[:, i, i] = 1.0
    rotmat[:, j, j] = rotmat[:, k, k] = np.cos(angle_rad)
    rotmat[:, k, j] = np.sin(angle_rad)
    rotmat[:, j, k] = -rotmat[:, k, j]
    return rotmat


def local_transforms(
    bvh: Bvh, frames: slice | np.ndarray = ALL, added: bool | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each joint's rotation [T, J, 3, 3] and position [T, J, 3] relative to its parent, of some frames.

    Rotation channels multiply in the order in which the file lists them. Position channels replace the offset, unless
    the file means them as what is added to it (`added_to_offsets`, unless who asks has found that already).
    """
    values = bvh.values[frames]
    rotmat = np.tile(np.eye(3), (len(values), len(bvh.names), 1, 1))
    position = np.tile(bvh.offsets, (len(values), 1, 1))
    added = added_to_offsets(bvh) if added is None else added
    for joint, channel, column in _columns(bvh):
        axis = channel[0]
        if channel.endswith("rotation"):
            rotmat[:, joint] = rotmat[:, joint] @ _axis_rotation(axis, np.radians(values[:, column]))
        elif channel.endswith("position"):
            i, base = AXES.index(axis), bvh.offsets[joint] if added and joint > 0 else np.zeros(3)
            position[:, joint, i] = base[i] + values[:, column]
    return rotmat, position


def _columns(bvh: Bvh) -> Iterator[tuple[int, str, int]]:
    """Yield joint, channel name and column of the values for every channel."""
    pairs = ((joint, channel) for joint, channels in enumerate(bvh.channels) for channel in channels)
    for column, (joint, channel) in enumerate(pairs):
        yield joint, channel, column


def added_to_offsets(bvh: Bvh) -> bool:
    """Return whether position channels of joints below the root are displacements from their offsets.

    Most files repeat the offset there; in some it is zero at rest, by which all bones would lose their length.
    """
    below = [(joint, AXES.index(channel[0]), column) for joint, channel, column in _columns(bvh)
             if joint > 0 and channel.endswith("position")]
    if not below:
        return False
    joints, axes, columns = (list(kind) for kind in zip(*below, strict=True))
    offsets = bvh.offsets[joints, axes]
    usual = np.array([np.median(bvh.values[:, column]) for column in columns])  # one by one: a copy of all is large
    return bool(np.abs(usual).sum() < np.abs(usual - offsets).sum())


def joint_transforms(
    bvh: Bvh, joints: list[int], frames: slice = ALL, turned: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return world rotations [T, K, 3, 3] and positions [T, K, 3] of K joints, in that order, of some frames.

    They are found a block of frames at a time, so that all the joints of a long clip are never held at once. Without
    `turned` the rotations are left out, [0, K, 3, 3].
    """
    wanted, added = np.arange(len(bvh))[frames], added_to_offsets(bvh)
    rotmat_w = np.empty((len(wanted) if turned else 0, len(joints), 3, 3))
    position_w = np.empty((len(wanted), len(joints), 3))
    for start in range(0, len(wanted), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        rotmat, position = world_transforms(bvh.parents, *local_transforms(bvh, wanted[block], added))
        position_w[block] = position[:, joints]
        if turned:
            rotmat_w[block] = rotmat[:, joints]
    return rotmat_w, position_w


def world_transforms(
    parents: tuple[int, ...], rotmat_local: np.ndarray, position_local: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return world rotations [T, J, 3, 3] and positions [T, J, 3] from those relative to the parents."""
    rotmat_w, position_w = rotmat_local.copy(), position_local.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            rotmat_w[:, joint] = rotmat_w[:, parent] @ rotmat_local[:, joint]
            turned = (rotmat_w[:, parent] @ position_local[:, joint, :, None])[..., 0]
            position_w[:, joint] = position_w[:, parent] + turned
    return rotmat_w, position_w


def usual_offsets(bvh: Bvh) -> np.ndarray:
    """Return each joint's usual position [J, 3] relative to its parent: its offset, where channels give none."""
    offsets, added = bvh.offsets.copy(), added_to_offsets(bvh)
    for joint, channel, column in _columns(bvh):
        if joint > 0 and channel.endswith("position"):
            axis = AXES.index(channel[0])
            offsets[joint, axis] = np.median(bvh.values[:, column]) + (bvh.offsets[joint, axis] if added else 0.0)
    return offsets


def rest_positions(bvh: Bvh) -> np.ndarray:
    """Return joint positions [J, 3] of the zero pose with the root at the origin."""
    positions = usual_offsets(bvh)
    positions[0] = 0.0
    for joint, parent in enumerate(bvh.parents):
        if parent >= 0:
            positions[joint] += positions[parent]
    return positions
