"""Recognise the joints of a foreign skeleton by name, and align its rest pose with SMPL's."""

import re
from dataclasses import dataclass

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import Bvh, rest_positions

SIDES = ("left", "right")
# Names that programs give to a joint, best first, without side, prefix or punctuation. "Shoulder" is the
# collar where an "arm" exists (Mixamo) and the shoulder where it does not (CMU, Biovision).
_CENTRAL = {"pelvis": ("hips", "hip", "pelvis", "root"), "neck": ("neck", "neck1"), "head": ("head",)}
_SIDED = {
    "hip": ("upleg", "upperleg", "thigh", "femur", "hip"),
    "knee": ("knee", "shin", "calf", "lowerleg", "lowleg", "tibia", "leg"),
    "ankle": ("ankle", "foot"),
    "toe": ("toebase", "toe", "toes", "ball", "footend", "ankleend"),
    "shoulder": ("upperarm", "uparm", "arm", "shldr", "humerus", "shoulder"),
    "elbow": ("elbow", "forearm", "lowerarm", "lowarm", "radius"),
    "wrist": ("wrist", "hand"),
    "collar": ("collar", "clavicle", "shoulder"),
}
_OPTIONAL = {"neck", "left_collar", "right_collar"}


@dataclass(frozen=True)
class SourceSkeleton:
    """A foreign skeleton understood: which joint is what, how large it is, and how it stands at rest.

    roles: source joint index by role ("pelvis", "left_knee", ..., "chest": where the arms branch off).
    rest: [J, 3] rest positions, root at the origin, source units and axes.
    frame: [3, 3] rotation from SMPL's rest axes (x left, y up, z front) to the source's.
    """

    roles: dict[str, int]
    rest: np.ndarray
    frame: np.ndarray

    def direction(self, start: str, end: str) -> np.ndarray:
        """Return the unit vector [3] between two roles' joints at rest, source axes.

        Raises UserError where the two coincide, as they do in a file without a rest pose.
        """
        if np.allclose(self.rest[self.roles[end]], self.rest[self.roles[start]]):
            raise UserError(f"its rest pose has {start} and {end} in one place, so their bone has no direction")
        return _unit(self.rest[self.roles[end]] - self.rest[self.roles[start]])

    def leg_length(self) -> float:
        """Return hip to knee to ankle, the mean of both legs, in source units."""
        return _leg_length(self.rest, self.roles)

    def scale_m(self) -> float:
        """Return metres per source unit that give the legs the length of SMPL's mean legs."""
        roles = {f"{side}_{part}": skeleton.joint_index(f"{side}_{part}")
                 for side in SIDES for part in ("hip", "knee", "ankle")}
        return _leg_length(skeleton.rest_joints(), roles) / self.leg_length()


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _leg_length(positions: np.ndarray, roles: dict[str, int]) -> float:
    lengths = [
        np.linalg.norm(positions[roles[f"{side}_{lower}"]] - positions[roles[f"{side}_{upper}"]])
        for side in SIDES for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(sum(lengths) / len(SIDES))


def understand(bvh: Bvh) -> SourceSkeleton:
    """Return what the joints of a BVH skeleton are; raise UserError that names those not recognised."""
    roles = find_roles(bvh.names)
    roles.setdefault("pelvis", 0)
    wanted = [*_CENTRAL, *(f"{side}_{part}" for side in SIDES for part in _SIDED)]
    missing = [role for role in wanted if role not in roles and role not in _OPTIONAL]
    if missing:
        raise UserError(
            f"its skeleton has no joint recognisable as {', '.join(missing)}; its joints are {', '.join(bvh.names)}"
        )
    roles["chest"] = _common_ancestor(bvh.parents, roles["left_shoulder"], roles["right_shoulder"])
    rest = rest_positions(bvh)
    if _leg_length(rest, roles) == 0:
        raise UserError("its rest pose has legs without length, so its size cannot be told")
    return SourceSkeleton(roles, rest, _rest_frame(rest, roles))


def find_roles(names: tuple[str, ...]) -> dict[str, int]:
    """Return joint index by role for the joint names that are known, in whatever style they are written."""
    plain = {}
    for index, name in enumerate(names):
        for reading in _readings(name):
            plain.setdefault(reading, index)
    roles: dict[str, int] = {}
    wanted = [("", part, aliases) for part, aliases in _CENTRAL.items()]
    wanted += [(side, part, aliases) for side in SIDES for part, aliases in _SIDED.items()]
    for side, part, aliases in wanted:
        found = [plain[side, alias] for alias in aliases if (side, alias) in plain]
        free = [index for index in found if index not in roles.values()]
        if free:
            roles[f"{side}_{part}" if side else part] = free[0]
    return roles


def _readings(name: str) -> list[tuple[str, str]]:
    """Return the ways to read a joint's name as (side, part)."""
    bare = re.sub(r"[^A-Za-z0-9]", "", name.rsplit(":", 1)[-1]).lower()
    readings = [("", bare)]
    for side in SIDES:
        for mark in (side, side[0]):
            if bare.startswith(mark):
                readings.append((side, bare[len(mark):]))
            if bare.endswith(mark) and (mark == side or re.search(r"[._ -][lrLR]$", name)):
                readings.append((side, bare[: -len(mark)]))
    return readings


def _common_ancestor(parents: tuple[int, ...], first: int, second: int) -> int:
    above = [first]
    while parents[above[-1]] >= 0:
        above.append(parents[above[-1]])
    while second not in above:
        second = parents[second]
    return second


def _rest_frame(rest: np.ndarray, roles: dict[str, int]) -> np.ndarray:
    """Return the axes (left, up, front) of the rest pose as columns [3, 3], snapped to the file's axes.

    Skeletons are modelled along the axes; a few degrees off come from the asymmetry of a real body.
    """
    left = rest[roles["left_hip"]] - rest[roles["right_hip"]]
    up = rest[roles["head"]] - (rest[roles["left_ankle"]] + rest[roles["right_ankle"]]) / 2
    columns = [_snapped(left), _snapped(up)]
    if abs(columns[0] @ columns[1]) > 0.5:
        raise UserError("its rest pose does not stand upright, so left and up cannot be told apart")
    return np.stack([*columns, np.cross(*columns)], axis=1)


def _snapped(vector: np.ndarray) -> np.ndarray:
    axis = int(np.abs(vector).argmax())
    snapped = np.zeros(3)
    snapped[axis] = np.sign(vector[axis])
    return snapped


def shortest_rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the rotation matrix [3, 3] of least angle that takes one unit vector [3] to another.

    Opposite vectors are turned about an axis perpendicular to both.
    """
    axis, cosine = np.cross(start, end), float(start @ end)
    if cosine < -1 + 1e-9:
        helper = np.eye(3)[np.abs(start).argmin()]
        axis = _unit(np.cross(start, helper))
        return 2 * np.outer(axis, axis) - np.eye(3)
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + cosine)
