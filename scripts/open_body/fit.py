"""Posing the source body: every bone is turned and stretched until its ends are SMPL's joints."""

from dataclasses import dataclass

import numpy as np
from source import Source

TORSO = (0, 3, 6, 9)
# (hip, knee, ankle, toe) and (collar, shoulder, elbow, wrist, hand), left then right.
LEGS = {"L": (1, 4, 7, 10), "R": (2, 5, 8, 11)}
ARMS = {"L": (13, 16, 18, 20, 22), "R": (14, 17, 19, 21, 23)}
# SMPL's soles are 2-3 cm under the toe joints.
SOLE_UNDER_TOE_M = 0.025


@dataclass(frozen=True)
class Pose:
    """One affine map a joint, source to target: x -> linear[j] @ x + offset[j]; linear [24, 3, 3]."""

    linear: np.ndarray
    offset: np.ndarray

    def apply(self, vertices: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return vertices [V, 3] moved by the maps blended with `weights` [V, 24]."""
        return np.einsum("vab,vb->va", self.blend(weights), vertices) + weights @ self.offset

    def blend(self, weights: np.ndarray) -> np.ndarray:
        """Return the blended linear parts [V, 3, 3]."""
        return np.einsum("vj,jab->vab", weights, self.linear)


class _Fit:
    """The maps while they are being found, with `joints` [24, 3] the target."""

    def __init__(self, joints: np.ndarray) -> None:
        self.joints = joints
        self.linear = np.zeros((24, 3, 3))
        self.offset = np.zeros((24, 3))

    def set_map(self, joint: int, linear: np.ndarray, source_point: np.ndarray, target: np.ndarray) -> None:
        """Let the map of `joint` have this linear part and bring `source_point` to `target`."""
        self.linear[joint] = linear
        self.offset[joint] = target - linear @ source_point

    def set_bone(
        self, joint: int, parent_turn: np.ndarray, scale: float, ends: np.ndarray, targets: np.ndarray
    ) -> np.ndarray:
        """Bring a bone's ends [2, 3] to `targets` [2, 3] by turning it, thickness `scale`; return the turn."""
        goal, bone = targets[1] - targets[0], parent_turn @ (ends[1] - ends[0])
        turn = rotation_between(bone, goal) @ parent_turn
        along = goal / np.linalg.norm(goal)
        stretch = np.linalg.norm(goal) / np.linalg.norm(bone)
        linear = (scale * np.eye(3) + (stretch - scale) * np.outer(along, along)) @ turn
        self.set_map(joint, linear, ends[0], targets[0])
        return turn


def fit_pose(source: Source, joints: np.ndarray) -> Pose:
    """Return the maps that put the source into SMPL's T-pose with its joints at `joints` [24, 3]."""
    fit = _Fit(joints)
    scale, shift = _similarity(source, joints)
    for joint in TORSO:
        fit.set_map(joint, scale * np.eye(3), np.zeros(3), shift)
    _fit_head(fit, source, scale, shift)
    floor = joints[[10, 11], 1].mean() - SOLE_UNDER_TOE_M
    for side in "LR":
        _fit_leg(fit, source, side, scale, shift, floor)
        _fit_arm(fit, source, side, scale, shift)
    return Pose(fit.linear, fit.offset)


def rotation_between(start: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Return the smallest rotation matrix [3, 3] that turns direction `start` into direction `goal`."""
    a, b = start / np.linalg.norm(start), goal / np.linalg.norm(goal)
    axis, cosine = np.cross(a, b), a @ b
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1.0 + cosine)


def turn_about(axis: np.ndarray, angle_rad: float) -> np.ndarray:
    """Return the rotation matrix [3, 3] about a unit `axis` (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross


def _hip(source: Source, side: str) -> np.ndarray:
    """Return the centre the source's thigh turns about: between its two thigh bones' starts."""
    return 0.5 * (source.head(f"upperleg01.{side}") + source.head(f"upperleg02.{side}"))


def _similarity(source: Source, joints: np.ndarray) -> tuple[float, np.ndarray]:
    """Return scale and shift [3] that bring the source's torso over the target's, in least squares."""
    own = np.stack([source.head("neck01"), source.head("head"), source.head("upperarm01.L"),
                    source.head("upperarm01.R"), _hip(source, "L"), _hip(source, "R")])
    target = joints[[12, 15, 16, 17, 1, 2]]
    own_mid, target_mid = own.mean(0), target.mean(0)
    height, goal = own[:, 1] - own_mid[1], target[:, 1] - target_mid[1]
    scale = float(height @ goal / (height @ height))
    return scale, target_mid - scale * own_mid


def _fit_head(fit: _Fit, source: Source, scale: float, shift: np.ndarray) -> None:
    neck = (fit.joints[12] - shift) / scale
    ends = np.stack([neck, source.head("head")])
    fit.set_bone(12, np.eye(3), scale, ends, fit.joints[[12, 15]])
    fit.set_map(15, scale * np.eye(3), ends[1], fit.joints[15])


def _fit_leg(
    fit: _Fit, source: Source, side: str, scale: float, shift: np.ndarray, floor_m: float
) -> None:
    hip, knee, ankle, toe = LEGS[side]
    own_hip, own_knee, own_ankle = (
        _hip(source, side), source.head(f"lowerleg01.{side}"), source.head(f"foot.{side}"))
    thigh = np.stack([scale * own_hip + shift, fit.joints[knee]])
    turn = fit.set_bone(hip, np.eye(3), scale, np.stack([own_hip, own_knee]), thigh)
    fit.set_bone(knee, turn, scale, np.stack([own_knee, own_ankle]), fit.joints[[knee, ankle]])
    linear = _foot_map(source, side, scale, fit.joints[ankle], fit.joints[toe], floor_m)
    fit.set_map(ankle, linear, own_ankle, fit.joints[ankle])
    fit.set_map(toe, linear, own_ankle, fit.joints[ankle])


def _foot_map(
    source: Source, side: str, scale: float, ankle: np.ndarray, toe: np.ndarray, floor_m: float
) -> np.ndarray:
    """Return the foot's linear map: yaw towards the toe joint, stretched so that the sole is on the floor."""
    own_ankle = source.head(f"foot.{side}")
    ball = 0.5 * (source.head(f"toe2-1.{side}") + source.head(f"toe3-1.{side}"))
    own, goal = (ball - own_ankle)[[0, 2]], (toe - ankle)[[0, 2]]
    yaw = 0.5 * (np.arctan2(*goal) - np.arctan2(*own))  # half way: feet turned out less than SMPL's joints
    own_sole = source.vertices[:, 1].min()
    height = (ankle[1] - floor_m) / (own_ankle[1] - own_sole)
    return turn_about(np.array([0.0, 1.0, 0.0]), yaw) @ np.diag([scale, height, scale])


def _fit_arm(fit: _Fit, source: Source, side: str, scale: float, shift: np.ndarray) -> None:
    collar, shoulder, elbow, wrist, hand = ARMS[side]
    knuckles = np.mean([source.head(f"finger{k}-1.{side}") for k in (2, 3, 4, 5)], axis=0)
    own = np.stack([(fit.joints[collar] - shift) / scale, source.head(f"upperarm01.{side}"),
                    source.head(f"lowerarm01.{side}"), source.head(f"wrist.{side}"), knuckles])
    turn = np.eye(3)
    for k, joint in enumerate((collar, shoulder, elbow)):
        child = (shoulder, elbow, wrist)[k]
        turn = fit.set_bone(joint, turn, scale, own[k:k + 2], fit.joints[[joint, child]])
    turn = rotation_between(turn @ (knuckles - own[3]), fit.joints[hand] - fit.joints[wrist]) @ turn
    for joint in (wrist, hand):
        fit.set_map(joint, scale * turn, own[3], fit.joints[wrist])
