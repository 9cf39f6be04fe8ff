"""Biovision hierarchy files: parsing, and forward kinematics of whatever skeleton they hold."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.limits import check_rate

_AXES = "XYZ"
_CHANNELS = {f"{axis}{kind}" for axis in _AXES for kind in ("position", "rotation")}


@dataclass(frozen=True)
class Bvh:
    """A skeleton with its motion, in the file's own units and axes.

    names: a name for each of J joints, parents before children; an end site is its parent's name + "_end".
    parents: index of each joint's parent, -1 for the root.
    offsets: [J, 3] offset from the parent in the rest pose.
    channels: for each joint the channel names in file order; empty for end sites.
    values: [T, C] channel values, the joints' channels one after another; rotations in degrees.
    frame_time_s: seconds a frame.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    values: np.ndarray
    frame_time_s: float

    def __post_init__(self) -> None:
        check_rate(len(self.values), self.fps)

    @property
    def fps(self) -> float:
        """Frames a second; a frame time rounded in the file is taken for the whole rate it stands for."""
        rate = 1.0 / self.frame_time_s
        return float(round(rate)) if abs(rate - round(rate)) < 1e-3 * rate else rate

    def __len__(self) -> int:
        return len(self.values)


class _Tokens:
    """The words of a file, taken one by one; running out of them is the user's broken file."""

    def __init__(self, path: Path, words: list[str]) -> None:
        self.path, self.words, self.position = path, words, 0

    def take(self) -> str:
        if self.position >= len(self.words):
            raise UserError(f"{self.path} ends in the middle of its hierarchy: it was cut short, copy it again")
        self.position += 1
        return self.words[self.position - 1]

    def expect(self, word: str) -> None:
        found = self.take()
        if found.upper() != word:
            raise UserError(f"{self.path} is not a BVH file: expected {word}, found '{found[:40]}'")

    def number(self) -> float:
        word = self.take()
        try:
            return float(word)
        except ValueError:
            raise UserError(f"{self.path}: expected a number in the hierarchy, found '{word[:40]}'") from None


class _Hierarchy:
    """The joints gathered while reading a hierarchy."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float]] = []
        self.channels: list[tuple[str, ...]] = []

    def add(self, name: str, parent: int) -> int:
        self.names.append(name)
        self.parents.append(parent)
        self.offsets.append([0.0, 0.0, 0.0])
        self.channels.append(())
        return len(self.names) - 1


def read_bvh(path: Path) -> Bvh:
    """Read a BVH file with any joints and any order of channels; raise UserError for what is none."""
    header, motion = _split(Path(path))
    tokens = _Tokens(path, header.split())
    tokens.expect("HIERARCHY")
    tokens.expect("ROOT")
    hierarchy = _Hierarchy()
    _read_joints(tokens, hierarchy)
    n_channels = sum(len(channels) for channels in hierarchy.channels)
    values, frame_time_s = _read_motion(path, motion, n_channels)
    return Bvh(
        tuple(hierarchy.names), tuple(hierarchy.parents), np.array(hierarchy.offsets),
        tuple(hierarchy.channels), values, frame_time_s,
    )


def _split(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if not text.lstrip("\ufeff \r\n\t").upper().startswith("HIERARCHY"):
        raise UserError(f"{path} is not a BVH file: it does not begin with HIERARCHY")
    header, found, motion = text.lstrip("\ufeff").partition("\nMOTION")
    if not found:
        raise UserError(f"{path} has no MOTION part: it was cut short, copy it again")
    return header, motion


def _read_joints(tokens: _Tokens, hierarchy: _Hierarchy) -> None:
    """Read joints from the root's name to the brace that closes it."""
    stack = [hierarchy.add(tokens.take(), -1)]
    tokens.expect("{")
    while stack:
        word = tokens.take().upper()
        if word == "OFFSET":
            hierarchy.offsets[stack[-1]] = [tokens.number() for _ in range(3)]
        elif word == "CHANNELS":
            hierarchy.channels[stack[-1]] = _read_channels(tokens)
        elif word in ("JOINT", "END"):
            name = tokens.take()
            name = f"{hierarchy.names[stack[-1]]}_end" if word == "END" else name
            stack.append(hierarchy.add(name, stack[-1]))
            tokens.expect("{")
        elif word == "}":
            stack.pop()
        else:
            raise UserError(f"{tokens.path}: '{word[:40]}' has no place in a BVH hierarchy")


def _read_channels(tokens: _Tokens) -> tuple[str, ...]:
    count = tokens.take()
    if not count.isdigit():
        raise UserError(f"{tokens.path}: CHANNELS is followed by '{count[:40]}' where their number was expected")
    channels = tuple(tokens.take().capitalize() for _ in range(int(count)))
    unknown = set(channels) - _CHANNELS
    if unknown:
        raise unknown_name(f"channel in {tokens.path}", min(unknown), list(_CHANNELS))
    return channels


def _read_motion(path: Path, text: str, n_channels: int) -> tuple[np.ndarray, float]:
    """Return channel values [T, C] and the frame time of the part after the word MOTION."""
    words = text.split()
    labelled = words[:1] == ["Frames:"] and words[2:4] == ["Frame", "Time:"] and len(words) > 4
    try:
        if not labelled:
            raise ValueError
        n_frames, frame_time_s = int(words[1]), float(words[4])
        values = np.array(words[5:], dtype=np.float64)
    except ValueError:
        raise UserError(f"{path} is damaged: its MOTION part is not 'Frames:', 'Frame Time:' and numbers") from None
    if len(values) != n_frames * n_channels:
        raise UserError(
            f"{path} promises {n_frames} frames of {n_channels} values and holds {len(values)} values: "
            "it was cut short or altered, copy it again"
        )
    if n_frames == 0 or not 0 < frame_time_s < np.inf or not np.isfinite(values).all():
        raise UserError(f"{path} holds no usable motion: no frames, a frame time of {frame_time_s} s, or NaN")
    return values.reshape(n_frames, n_channels), frame_time_s


def _axis_rotation(axis: str, angle_rad: np.ndarray) -> np.ndarray:
    """Return rotations [T, 3, 3] about a coordinate axis by angles [T] rad."""
    rotmat = np.zeros((len(angle_rad), 3, 3))
    i = _AXES.index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    rotmat[:, i, i] = 1.0
    rotmat[:, j, j] = rotmat[:, k, k] = np.cos(angle_rad)
    rotmat[:, k, j] = np.sin(angle_rad)
    rotmat[:, j, k] = -rotmat[:, k, j]
    return rotmat


def local_transforms(bvh: Bvh) -> tuple[np.ndarray, np.ndarray]:
    """Return each joint's rotation [T, J, 3, 3] and position [T, J, 3] relative to its parent.

    Rotation channels multiply in the order in which the file lists them; position channels replace the
    offset.
    """
    n_frames, n_joints = len(bvh), len(bvh.names)
    rotmat = np.tile(np.eye(3), (n_frames, n_joints, 1, 1))
    position = np.tile(bvh.offsets, (n_frames, 1, 1))
    column = 0
    for joint, channels in enumerate(bvh.channels):
        for channel in channels:
            values, axis = bvh.values[:, column], channel[0]
            if channel.endswith("rotation"):
                rotmat[:, joint] = rotmat[:, joint] @ _axis_rotation(axis, np.radians(values))
            else:
                position[:, joint, _AXES.index(axis)] = values
            column += 1
    return rotmat, position


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


def rest_positions(bvh: Bvh) -> np.ndarray:
    """Return joint positions [J, 3] of the rest pose with the root at the origin."""
    positions = bvh.offsets.copy()
    positions[0] = 0.0
    for joint, parent in enumerate(bvh.parents):
        if parent >= 0:
            positions[joint] += positions[parent]
    return positions
