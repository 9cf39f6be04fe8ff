"""What joint positions must be to be those of SMPL's joints: of a body's size, of its bones, not mirrored."""

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton

# Hip to knee to ankle of people, children included; no two of the units are near enough to be mistaken.
LEG_M = (0.4, 1.3)
UNITS = {"metres": 1.0, "centimetres": 100.0, "millimetres": 1000.0}
# A bone of a body brought to the mean one's legs is no further from the mean one's; other orders of joints are.
_BONE_M = 0.15
_BACKWARDS_SHARE = 0.8


def leg_length(joints: np.ndarray) -> float:
    """Return the median length of hip to knee to ankle, both sides, of joints [T, 22 or 24, 3]."""
    legs = []
    for side in ("left", "right"):
        leg = joints[:, [skeleton.joint_index(f"{side}_{name}") for name in ("hip", "knee", "ankle")]]
        legs.append(np.linalg.norm(np.diff(leg, axis=1), axis=-1).sum(axis=1))
    return float(np.median(legs))


def checked_positions(joints: np.ndarray) -> tuple[np.ndarray, str]:
    """Return joints [T, 22 or 24, 3] of SMPL's skeleton in metres, in any axes, and the unit that they were in.

    Raises UserError where legs are of no person's length in any unit, bones are not SMPL's, or sides are exchanged.
    """
    leg = leg_length(joints)
    unit = next((name for name, size in UNITS.items() if LEG_M[0] * size <= leg <= LEG_M[1] * size), None)
    if unit is None:
        raise UserError(f"its legs are {leg:.3g} long: give joint positions, not rotations, and in metres")
    joints = joints / UNITS[unit]
    _check_bones(joints)
    _check_sides(joints)
    return joints, unit


def _check_bones(joints: np.ndarray) -> None:
    """Raise UserError, naming the bone that is furthest off, where joints [T, J, 3] m are of another skeleton."""
    parents = np.array(skeleton.parents()[1 : joints.shape[1]])
    own = np.linalg.norm(skeleton.offsets()[1 : joints.shape[1]], axis=1)
    found = np.median(np.linalg.norm(joints[:, 1:] - joints[:, parents], axis=-1), axis=0)
    scale = leg_length(skeleton.rest_joints()[None]) / leg_length(joints)
    off = np.abs(scale * found - own)
    worst = int(off.argmax())
    if off[worst] > _BONE_M:
        names = skeleton.joint_names()
        raise UserError(
            f"its joints are not SMPL's in SMPL's order: what would be the bone from {names[parents[worst]]} to "
            f"{names[worst + 1]} is {found[worst]:.2f} m long; put them in the order of SMPL's joints"
        )


def _check_sides(joints: np.ndarray) -> None:
    """Raise UserError where toes and knees of joints [T, J, 3] m point to the back that left, right and up make."""
    at = {name: joints[:, skeleton.joint_index(name)] for name in skeleton.joint_names()[:22]}
    front = np.cross(at["left_hip"] - at["right_hip"], at["neck"] - at["pelvis"])
    backwards = []
    for side in ("left", "right"):
        toe = at[f"{side}_foot"] - at[f"{side}_ankle"]
        knee = at[f"{side}_knee"] - (at[f"{side}_hip"] + at[f"{side}_ankle"]) / 2
        backwards += [((part * front).sum(axis=1) < 0).mean() for part in (toe, knee)]
    if min(backwards[0], backwards[2]) > _BACKWARDS_SHARE and max(backwards[1], backwards[3]) > 0.5:
        raise UserError(
            "its feet point backwards: left and right are exchanged, or it was written with left-handed axes; exchange "
            "the sides' joints, or flip the axis that was flipped"
        )
