"""A foreign skeleton understood: which of its joints is what, how they move, how large it is, what is up and left."""

from dataclasses import dataclass, field

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import ALL, Bvh, joint_transforms, rest_positions, usual_offsets
from skeleton2stage.motion.retarget.joint_roles import SIDES, Roles, find_roles
from skeleton2stage.motion.retarget.joint_tree import JointTree

# Feet point to where the body faces: less than this on average (1: straight ahead) tells nothing, or the opposite.
_FACING = 0.3


@dataclass(frozen=True)
class SourceSkeleton:
    """A foreign skeleton and its motion by role ("pelvis", "chest", "left_knee", ...), in the file's units and axes.

    rest: position [3] of each role's joint in the zero pose, root at the origin.
    rotmat, position: world rotations [T, 3, 3] and positions [T, 3] of each role's joint.
    joints: index of each role's joint in the file.
    """

    rest: dict[str, np.ndarray]
    rotmat: dict[str, np.ndarray]
    position: dict[str, np.ndarray]
    joints: dict[str, int] = field(default_factory=dict)

    def leg_length(self) -> float:
        """Return hip to knee to ankle, the mean of both legs, in source units."""
        return _leg_length(self.rest)

    def scale_m(self) -> float:
        """Return metres per source unit that give the legs the length of SMPL's mean legs."""
        return _leg_length(smpl_rest()) / self.leg_length()

    def up(self) -> np.ndarray:
        """Return the axis of the file [3] along which heads are above feet, on average over the clip."""
        feet = (self.position["left_ankle"] + self.position["right_ankle"]) / 2
        mean = (self.position["head"] - feet).mean(axis=0)
        axis = int(np.abs(mean).argmax())
        return np.eye(3)[axis] * np.sign(mean[axis])


def smpl_rest() -> dict[str, np.ndarray]:
    """Return the positions [3] of SMPL's joints at rest by the roles of foreign ones: its foot joint is the toe."""
    rest = dict(zip(skeleton.joint_names(), skeleton.rest_joints(), strict=True))
    return rest | {"chest": rest["spine3"]} | {f"{side}_toe": rest[f"{side}_foot"] for side in SIDES}


def _leg_length(positions: dict[str, np.ndarray]) -> float:
    lengths = [
        np.linalg.norm(positions[f"{side}_{lower}"] - positions[f"{side}_{upper}"])
        for side in SIDES for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(sum(lengths) / len(SIDES))


def understand(bvh: Bvh, turned: bool = True) -> SourceSkeleton:
    """Return what the joints of a BVH skeleton are and do; raise UserError that names those not recognised.

    Without `turned` it has their positions alone: rotations are most of a long clip (`during` has those of a part).
    """
    roles = find_roles(bvh.names, JointTree(bvh.parents, np.linalg.norm(usual_offsets(bvh), axis=1)))
    found = _source(bvh, roles.joints, ALL, turned)
    sided = _with_sides(roles, found.position).joints
    role_of = {joint: role for role, joint in roles.joints.items()}
    old = {role: role_of[joint] for role, joint in sided.items()}
    return SourceSkeleton(*({role: part[old[role]] for role in sided if old[role] in part}
                            for part in (found.rest, found.rotmat, found.position)), sided)


def during(bvh: Bvh, source: SourceSkeleton, frames: slice = ALL) -> SourceSkeleton:
    """Return a skeleton that has been understood, with what its joints do in some frames alone."""
    return _source(bvh, source.joints, frames, turned=True)


def _source(bvh: Bvh, joints: dict[str, int], frames: slice, turned: bool) -> SourceSkeleton:
    rotmat, position = joint_transforms(bvh, list(joints.values()), frames, turned)
    rest, places = rest_positions(bvh), {role: place for place, role in enumerate(joints)}
    return SourceSkeleton(
        {role: rest[joint] for role, joint in joints.items()},
        {role: rotmat[:, place] for role, place in places.items()} if turned else {},
        {role: position[:, place] for role, place in places.items()},
        joints,
    )


def _with_sides(roles: Roles, position: dict[str, np.ndarray]) -> Roles:
    """Return the roles with left and right where the feet have them, which is where the names have them."""
    facing = _facing(position)
    if roles.sides_named:
        if facing < -_FACING:
            raise UserError(
                "its feet point backwards: its left and right are exchanged, or its axes are left-handed: "
                "export it again with right-handed axes"
            )
        return roles
    if abs(facing) < _FACING:
        raise UserError("neither names nor feet tell which of its sides is left: rename its joints, as LeftFoot")
    return roles if facing > 0 else roles.mirrored()


def _facing(position: dict[str, np.ndarray]) -> float:
    """Return how far the feet point to where left, up and front make a right-handed body, -1 to 1, 0 without toes."""
    left = position["left_hip"] - position["right_hip"]
    up = position["head"] - (position["left_hip"] + position["right_hip"]) / 2
    front = unit(np.cross(left, up))
    feet = [unit(position[f"{side}_toe"] - position[f"{side}_ankle"]) for side in SIDES if f"{side}_toe" in position]
    return float(np.mean([(foot * front).sum(axis=-1) for foot in feet])) if feet else 0.0


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors [..., 3] of length 1; those without length stay."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def shortest_rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the rotation matrix [3, 3] of least angle that takes one unit vector [3] to another.

    Opposite vectors are turned about an axis perpendicular to both.
    """
    axis, cosine = np.cross(start, end), float(start @ end)
    if cosine < -1 + 1e-9:
        helper = np.eye(3)[np.abs(start).argmin()]
        axis = unit(np.cross(start, helper))
        return 2 * np.outer(axis, axis) - np.eye(3)
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + cosine)


def frame_of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rotation [3, 3] of columns: the first direction, the second made square to it, and their cross."""
    x = unit(first)
    y = unit(second - (second @ x) * x)
    return np.stack((x, y, np.cross(x, y)), axis=1)
