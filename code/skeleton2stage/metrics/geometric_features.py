"""Geometric features of a dance, 32 numbers: in which share of its frames the body forms each of 32 relations.

AIST++ (ICCV 2021) calls them manual features; they come from fairmotion and Müller et al. ("Efficient
content-based retrieval of motion capture data", 2005). The field runs them as published: with speeds for 120
frames a second and y up, whatever the joints.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch

from skeleton2stage.metrics.measured_clip import FPS, check_joints
from skeleton2stage.motion import skeleton

PUBLISHED_FPS = 120.0
Y, Z = 1, 2
# Lengths of the extractor's own skeleton, m: all thresholds on distance and speed are multiples of them.
UPPER_ARM_M = 0.2568381092115207
SHOULDERS_M = 0.39084835854945527
HIPS_M = 0.11924706586886204
# Points beside the joints: the origin, one metre up and down from it, and the height of the lowest joint.
_MARKS = ("origin", "above", "below", "lowest")


@dataclass(frozen=True)
class _Points:
    """Joints and marks of frames 1 to T-1 and of the frames before them, [..., T-1, 28, 3] m, and the rate."""

    now: torch.Tensor
    before: torch.Tensor
    fps: float

    def at(self, name: str) -> torch.Tensor:
        return self.now[..., _index(name), :]

    def between(self, start: str, end: str) -> torch.Tensor:
        return self.at(end) - self.at(start)

    def velocity(self, name: str) -> torch.Tensor:
        return (self.now - self.before)[..., _index(name), :] * self.fps


_Relation = Callable[[_Points], torch.Tensor]


def geometric_features(joints_w: torch.Tensor, fps: float = PUBLISHED_FPS, up: int = Y) -> torch.Tensor:
    """Return the share of frames [..., 32] float64 in which each relation holds, of [..., T, 24, 3] m, T >= 2.

    The defaults are those that published numbers use on joints that are z up and at 30 frames a second.
    """
    check_joints(joints_w, min_frames=2)
    points = _with_marks(joints_w.double(), up)
    frames = _Points(points[..., 1:, :, :], points[..., :-1, :, :], fps)
    return torch.stack([relation(frames).double().mean(dim=-1) for relation in _RELATIONS], dim=-1)


def geometric_features_fixed(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the same features with the right rate and axis, [..., 32] float64, of [..., T, 24, 3] m, z up, 30 fps."""
    return geometric_features(joints_w, FPS, Z)


def _with_marks(joints: torch.Tensor, up: int) -> torch.Tensor:
    """Return joints and marks [..., T, 28, 3] m of joints [..., T, 24, 3] m."""
    origin = torch.zeros_like(joints[..., 0, :])
    above, lowest = origin.clone(), origin.clone()
    above[..., up] = 1.0
    lowest[..., up] = joints[..., up].amin(dim=-1)
    return torch.cat((joints, torch.stack((origin, above, -above, lowest), dim=-2)), dim=-2)


@lru_cache(maxsize=64)
def _index(name: str) -> int:
    return (*skeleton.joint_names(), *_MARKS).index(name)


def _along(vector: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Return the length [...] of a vector [..., 3] along a direction [..., 3] of any length."""
    return (vector * direction).sum(dim=-1) / direction.norm(dim=-1)


def _moves_towards(start: str, end: str, joint: str, over: float) -> _Relation:
    """`joint` moves faster than `over` m/s, seen from `start`, along the line from `start` to `end`."""
    return lambda p: _along(p.velocity(joint) - p.velocity(start), p.between(start, end)) > over


def _moves_through(a: str, b: str, c: str, joint: str, over: float) -> _Relation:
    """`joint` moves faster than `over` m/s, seen from `a`, across the plane through three points."""
    return lambda p: _along(p.velocity(joint) - p.velocity(a), p.between(a, c).cross(p.between(a, b), dim=-1)) > over


def _over_plane(a: str, b: str, c: str, joint: str, over: float) -> _Relation:
    """`joint` is more than `over` m over the plane through three points."""
    return lambda p: _along(p.between(a, joint), p.between(a, c).cross(p.between(a, b), dim=-1)) > over


def _beyond(start: str, end: str, origin: str, joint: str, over: float) -> _Relation:
    """`joint` is more than `over` m from `origin` along the line from `start` to `end`."""
    return lambda p: _along(p.between(origin, joint), p.between(start, end)) > over


def _angle(a: str, b: str, c: str, d: str, degrees: tuple[int, int]) -> _Relation:
    """Lines from `a` to `b` and from `c` to `d` form an angle between two limits."""

    def within(p: _Points) -> torch.Tensor:
        first, second = p.between(a, b), p.between(c, d)
        angle = torch.rad2deg(torch.arccos((_along(first, second) / first.norm(dim=-1)).clamp(-1.0, 1.0)))
        return (angle > degrees[0]) & (angle < degrees[1])

    return within


def _fast(joint: str, over: float) -> _Relation:
    """`joint` moves faster than `over` m/s."""
    return lambda p: p.velocity(joint).norm(dim=-1) > over


# In the published order. Relations of both sides stand in pairs, the right one mostly first.
_RELATIONS: tuple[_Relation, ...] = (
    _moves_through("neck", "right_hip", "left_hip", "right_wrist", 1.8 * UPPER_ARM_M),
    _moves_through("neck", "left_hip", "right_hip", "left_wrist", 1.8 * UPPER_ARM_M),
    _beyond("spine3", "neck", "neck", "right_wrist", 0.2 * UPPER_ARM_M),
    _beyond("spine3", "neck", "neck", "left_wrist", 0.2 * UPPER_ARM_M),
    # The published code names the wrists for these two, but takes the chest: they hardly ever hold.
    _moves_towards("spine1", "spine3", "spine3", 1.8 * UPPER_ARM_M),
    _moves_towards("spine1", "spine3", "spine3", 1.8 * UPPER_ARM_M),
    _angle("right_elbow", "right_shoulder", "right_elbow", "right_wrist", (0, 110)),
    _angle("left_elbow", "left_shoulder", "left_elbow", "left_wrist", (0, 110)),
    _beyond("left_shoulder", "right_shoulder", "left_wrist", "right_wrist", 2.5 * SHOULDERS_M),
    _moves_towards("left_wrist", "right_wrist", "right_wrist", 1.4 * UPPER_ARM_M),
    _moves_towards("right_wrist", "pelvis", "left_wrist", 1.4 * UPPER_ARM_M),
    _moves_towards("left_wrist", "pelvis", "right_wrist", 1.4 * UPPER_ARM_M),
    _fast("right_wrist", 2.5 * UPPER_ARM_M),
    _fast("left_wrist", 2.5 * UPPER_ARM_M),
    _over_plane("pelvis", "left_hip", "left_foot", "right_ankle", 0.38 * UPPER_ARM_M),
    _over_plane("pelvis", "right_hip", "right_foot", "left_ankle", 0.38 * UPPER_ARM_M),
    _beyond("origin", "above", "lowest", "right_ankle", 1.2 * UPPER_ARM_M),
    _beyond("origin", "above", "lowest", "left_ankle", 1.2 * UPPER_ARM_M),
    _beyond("left_hip", "right_hip", "left_ankle", "right_ankle", 2.1 * HIPS_M),
    _angle("right_knee", "right_hip", "right_knee", "right_ankle", (0, 110)),
    _angle("left_knee", "left_hip", "left_knee", "left_ankle", (0, 110)),
    _fast("right_ankle", 2.5 * UPPER_ARM_M),
    _fast("left_ankle", 2.5 * UPPER_ARM_M),
    _angle("neck", "pelvis", "right_shoulder", "right_elbow", (25, 180)),
    _angle("neck", "pelvis", "left_shoulder", "left_elbow", (25, 180)),
    _angle("neck", "pelvis", "right_hip", "right_knee", (50, 180)),
    _angle("neck", "pelvis", "left_hip", "left_knee", (50, 180)),
    _over_plane("right_ankle", "neck", "left_ankle", "pelvis", 0.5 * UPPER_ARM_M),
    _angle("neck", "pelvis", "origin", "above", (70, 110)),
    _beyond("origin", "below", "lowest", "right_wrist", -1.2 * UPPER_ARM_M),
    _beyond("origin", "below", "lowest", "left_wrist", -1.2 * UPPER_ARM_M),
    _fast("pelvis", 2.3 * UPPER_ARM_M),
)
