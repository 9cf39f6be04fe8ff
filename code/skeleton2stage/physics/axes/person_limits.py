"""What a person can do: ranges of the joints, how fast they turn, how abruptly they move, how strong they are.

Ranges are anatomical ones (Kapandji, The Physiology of the Joints; AAOS) as SMPL's joints divide them, widened where
dance mocap brought onto this skeleton (the 19 clips of CMU's subjects 60, 61 and 131 that are trained on) passes them
in more than one frame of two hundred. Speeds and jerks are over that mocap's 99.9th percentile by a third and more.
Strengths are greatest voluntary torques of strong adults of 70 kg (after Anderson et al., J. Biomech. 40, 2007, for
legs; Winter, Biomechanics and Motor Control; Chaffin et al., Occupational Biomechanics, for trunk and arms).
"""

from functools import lru_cache
from types import MappingProxyType

import numpy as np

from skeleton2stage.motion import skeleton

# Degrees, of the left side: swing and twist about the part's own axes x (left), y (up), z (front) in the T-pose; the
# twist is about the bone, y of legs, spine and head, x of arms. The right side's y and z are the left's negated.
_RANGES_DEG = {
    "pelvis": ((-360, 360), (-360, 360), (-360, 360)),
    "hip": ((-130, 45), (-50, 55), (-40, 80)),
    "knee": ((-8, 155), (-30, 30), (-15, 15)),
    "ankle": ((-58, 48), (-62, 50), (-38, 40)),
    "foot": ((-75, 50), (-20, 20), (-20, 20)),
    "spine1": ((-30, 50), (-30, 30), (-28, 28)),
    "spine2": ((-30, 45), (-30, 30), (-25, 25)),
    "spine3": ((-30, 45), (-30, 30), (-25, 25)),
    "neck": ((-45, 55), (-60, 60), (-40, 40)),
    "head": ((-60, 45), (-60, 60), (-55, 55)),
    "collar": ((-40, 40), (-40, 40), (-45, 40)),
    "shoulder": ((-125, 125), (-125, 95), (-110, 105)),
    "elbow": ((-110, 130), (-165, 12), (-80, 80)),
    "wrist": ((-100, 90), (-85, 65), (-55, 100)),
    "hand": ((-90, 90), (-90, 90), (-90, 90)),
}
_SPEED_RADPS = MappingProxyType({
    "pelvis": 16.0, "hip": 14.0, "knee": 18.0, "ankle": 20.0, "foot": 25.0, "spine1": 8.0, "spine2": 8.0,
    "spine3": 8.0, "neck": 12.0, "head": 14.0, "collar": 8.0, "shoulder": 22.0, "elbow": 22.0, "wrist": 28.0,
    "hand": 28.0,
})
_JERK_MPS3 = MappingProxyType({
    "pelvis": 900.0, "hip": 1000.0, "knee": 1800.0, "ankle": 2800.0, "foot": 3500.0, "spine1": 1000.0,
    "spine2": 1400.0, "spine3": 1600.0, "neck": 1900.0, "head": 2000.0, "collar": 1700.0, "shoulder": 2000.0,
    "elbow": 2400.0, "wrist": 2400.0, "hand": 2800.0,
})
_STRENGTH_NM = MappingProxyType({
    "pelvis": 1.0, "hip": 300.0, "knee": 270.0, "ankle": 220.0, "foot": 80.0, "spine1": 350.0, "spine2": 320.0,
    "spine3": 280.0, "neck": 70.0, "head": 50.0, "collar": 180.0, "shoulder": 130.0, "elbow": 90.0, "wrist": 30.0,
    "hand": 12.0,
})


def _part(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


@lru_cache(maxsize=1)
def ranges_rad() -> np.ndarray:
    """Return lowest and highest swing and twist of every joint about x, y and z, [2, 24, 3] rad."""
    table = []
    for name in skeleton.joint_names():
        x, y, z = _RANGES_DEG[_part(name)]
        if name.startswith("right_"):
            y, z = (-y[1], -y[0]), (-z[1], -z[0])
        table.append((x, y, z))
    return np.radians(np.array(table, dtype=np.float64)).transpose(2, 0, 1)


def speeds_radps() -> np.ndarray:
    """Return how fast a person turns each joint at most, [24] rad/s; the pelvis, against the world."""
    return np.array([_SPEED_RADPS[_part(name)] for name in skeleton.joint_names()])


def jerks_mps3() -> np.ndarray:
    """Return how abruptly a person moves each joint at most, [24] m/s^3 in the world."""
    return np.array([_JERK_MPS3[_part(name)] for name in skeleton.joint_names()])


def strengths_nm() -> np.ndarray:
    """Return the greatest torque of each joint, [24] N·m, about any axis; the pelvis has none of its own."""
    return np.array([_STRENGTH_NM[_part(name)] for name in skeleton.joint_names()])


def twist_axes() -> np.ndarray:
    """Return the axis (0, 1 or 2) of each joint's own bone, [24]: x of arms, y of the rest."""
    arms = ("collar", "shoulder", "elbow", "wrist", "hand")
    return np.array([0 if _part(name) in arms else 1 for name in skeleton.joint_names()])
