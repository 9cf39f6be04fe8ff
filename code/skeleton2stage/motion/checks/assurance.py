"""How sure one can be of what a motion was taken for: up, scale, rate, left and right, floor, by the motion itself."""

from dataclasses import dataclass

import numpy as np
import roma
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.checks.floor_height import support_height
from skeleton2stage.motion.checks.motion_figures import fastest_fall, frozen_frames, share_of
from skeleton2stage.motion.motion import Motion

_UPRIGHT_M, _UPRIGHT_SHARE = 0.3, 0.5
# A foot carries the body where it is the lower one, near the floor; its steps tell how far the pelvis must have gone.
_CARRYING_M = 0.06
_MIN_TRAVEL_M = 1.0
_MIN_LIKENESS = 0.6
_SCALE_RANGE = (0.67, 1.5)
_FALL_MPS2 = 14.0
_REPEATED_SHARE = 0.3
_FORWARD_SHARE = 0.5
_FLOOR_SPREAD_M = 0.25


@dataclass(frozen=True)
class Assurance:
    """One thing that a file was taken to say, what the motion tells of it, and whether that speaks against it."""

    name: str
    told: str
    doubtful: bool = False


def assurances(motion: Motion) -> tuple[Assurance, ...]:
    """Return what a motion of 30 frames a second tells of its up axis, scale, rate, left and right, and floor."""
    joints_w = motion.joints().astype(np.float64)
    return (
        _up(joints_w), _scale(motion, joints_w), _rate(joints_w), _left_and_right(motion, joints_w), _floor(joints_w)
    )


def said(found: tuple[Assurance, ...]) -> str:
    """Return assurances in a line, those that speak against the reading in capitals."""
    return "; ".join(f"{one.name}{' DOUBTFUL' if one.doubtful else ''}: {one.told}" for one in found)


def _up(joints_w: np.ndarray) -> Assurance:
    head, feet = joints_w[:, skeleton.joint_index("head"), 2], joints_w[:, [7, 8], 2].mean(axis=1)
    share = share_of(head - feet > _UPRIGHT_M)
    return Assurance("up", f"head over feet in {100 * share:.0f} % of frames", share < _UPRIGHT_SHARE)


def _scale(motion: Motion, joints_w: np.ndarray) -> Assurance:
    """Compare how far the pelvis goes with how far the feet that carry the body say it goes."""
    factor, likeness, stepped_m = step_scale(motion.translation.astype(np.float64), joints_w)
    if stepped_m < _MIN_TRAVEL_M:
        return Assurance("scale", f"cannot be told, as steps go {stepped_m:.1f} m in all")
    if likeness < _MIN_LIKENESS:
        return Assurance("scale", "cannot be told, as feet do not stay where they stand")
    doubtful = not _SCALE_RANGE[0] <= factor <= _SCALE_RANGE[1]
    return Assurance("scale", f"steps fit {factor:.2f} times the way gone", doubtful)


def step_scale(root_pos: np.ndarray, joints_w: np.ndarray) -> tuple[float, float, float]:
    """Return by what to multiply the pelvis' way [T, 3] m so that carrying feet stay where they are, how alike the two
    are (a correlation), and how far the feet step (m): least squares over frames in which a foot, the lower one, is
    near the floor.
    """
    feet = joints_w[:, [skeleton.joint_index("left_foot"), skeleton.joint_index("right_foot")]]
    lower = feet[..., 2].argmin(axis=1)
    height = feet[..., 2].min(axis=1)
    carrying = (height[:-1] < np.median(height) + _CARRYING_M) & (lower[:-1] == lower[1:])
    frames = np.flatnonzero(carrying)
    went = np.diff(root_pos[:, :2], axis=0)[frames]
    of_foot = feet[frames + 1, lower[frames], :2] - feet[frames, lower[frames], :2] - went
    stepped = float(np.linalg.norm(of_foot, axis=1).sum())
    product, squares = -float((went * of_foot).sum()), (float((went**2).sum()), float((of_foot**2).sum()))
    if not all(squares):
        return 1.0, 0.0, stepped
    return product / squares[0], product / float(np.sqrt(squares[0] * squares[1])), stepped


def _rate(joints_w: np.ndarray) -> Assurance:
    fall, repeated = fastest_fall(joints_w), share_of(frozen_frames(joints_w))
    if repeated > _REPEATED_SHARE:
        return Assurance("rate", f"{100 * repeated:.0f} % of frames repeat the one before", doubtful=True)
    return Assurance("rate", f"falls at {fall:.0f} m/s² at most", fall > _FALL_MPS2)


def _left_and_right(motion: Motion, joints_w: np.ndarray) -> Assurance:
    """Exchanged sides, or a reflection, turn the pelvis about: toes and knees then point backwards."""
    front = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, 0]).double())[..., 2].numpy()
    shares = []
    for side in ("left", "right"):
        hip, knee, ankle, toe = (
            joints_w[:, skeleton.joint_index(f"{side}_{name}")] for name in ("hip", "knee", "ankle", "foot")
        )
        toes = ((toe - ankle) * front).sum(axis=1) > 0
        knees = ((knee - (hip + ankle) / 2) * front).sum(axis=1) > -0.02
        shares += [share_of(toes), share_of(knees)]
    least = min(shares)
    told = f"toes and knees point forwards in {100 * least:.0f} % of frames or more"
    return Assurance("left and right", told, least < _FORWARD_SHARE)


def _floor(joints_w: np.ndarray) -> Assurance:
    lowest = support_height(joints_w).min(axis=1)
    low, high = np.percentile(lowest, [10, 90])
    told = f"lowest skin at {np.median(lowest):.2f} m, within {100 * (high - low):.0f} cm in most frames"
    return Assurance("floor", told, high - low > _FLOOR_SPREAD_M)
