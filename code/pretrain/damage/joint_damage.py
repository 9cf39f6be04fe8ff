"""Damages to joints: trembling, a knee bent backwards, a head turned round, legs exchanged; and time run too fast."""

from dataclasses import replace

import numpy as np
import roma
import torch

from pretrain.damage.onset import envelope, generator_for
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.rotations import slerp

HOLD_S, RAMP_S = 1.0, 0.3
RUSH_S, RUSH_RAMP_S = 0.3, 0.1
_LEGS = [
    skeleton.joint_index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "foot") for side in ("left", "right")
]


def jittered_pose(motion: Motion, seed: int, angle_deg: float = 5.0) -> Motion:
    """Jitter the pose: in each frame but the first every joint but the pelvis is turned, in its own frame, about a
    random axis by a normally distributed angle of this root mean square.
    """
    generator = generator_for(motion, seed)
    scale = np.radians(angle_deg) / np.sqrt(3.0)
    turns = generator.normal(scale=scale, size=(len(motion), skeleton.N_JOINTS - 1, 3))
    turns[0] = 0.0
    return _turned(motion, list(range(1, skeleton.N_JOINTS)), turns)


def hyperextended_knee(motion: Motion, seed: int, angle_deg: float = 60.0) -> Motion:
    """Bend one knee backwards for a second: so many degrees past straight, whatever it did, on a straight axis."""
    generator = generator_for(motion, seed)
    knee = skeleton.joint_index(("left_knee", "right_knee")[generator.integers(2)])
    goal = np.tile([-np.radians(angle_deg), 0.0, 0.0], (len(motion), 1))
    return _brought_to(motion, knee, goal, envelope(motion, generator, HOLD_S, RAMP_S))


def backwards_head(motion: Motion, seed: int, angle_deg: float = 180.0) -> Motion:
    """Turn the head about its own axis by so many degrees, to a random side, for a second."""
    generator = generator_for(motion, seed)
    head = skeleton.joint_index("head")
    side = (-1.0, 1.0)[generator.integers(2)]
    # A hair under half a turn, or slerp would choose a side of its own.
    goal = np.tile([0.0, side * np.radians(min(angle_deg, 175.0)), 0.0], (len(motion), 1))
    return _brought_to(motion, head, goal, envelope(motion, generator, HOLD_S, RAMP_S))


def mirrored_feet(motion: Motion, seed: int, share: float = 1.0) -> Motion:
    """Exchange left leg and right, mirrored, for a second, under a pelvis that moves as before: a share of the way."""
    generator = generator_for(motion, seed)
    amount = share * envelope(motion, generator, HOLD_S, RAMP_S)
    mirrored = motion.mirrored().poses
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, _LEGS]).double())
    other = roma.rotvec_to_rotmat(torch.from_numpy(mirrored[:, _LEGS]).double())
    poses = motion.poses.copy()
    poses[:, _LEGS] = roma.rotmat_to_rotvec(slerp(own, other, torch.from_numpy(amount)[:, None, None, None])).numpy()
    return replace(motion, poses=poses, contacts=None)


def time_warp(motion: Motion, seed: int, factor: float = 6.0) -> Motion:
    """Run through the motion so many times as fast for half a second, and evenly slower before and after, so that it
    is as long as it was.
    """
    amount = envelope(motion, generator_for(motion, seed), RUSH_S, RUSH_RAMP_S)
    total, rushed = len(motion) - 1, float(amount[:-1].sum())
    slow = (total - factor * rushed) / (total - rushed)
    rate = slow + (factor - slow) * amount[:-1]
    return at_frames(motion, np.concatenate(([0.0], rate.cumsum())).clip(0.0, total))


def at_frames(motion: Motion, frames: np.ndarray) -> Motion:
    """Return the motion at frames [T] between its own: slerp of rotations, straight lines between positions."""
    before = np.minimum(frames.astype(int), len(motion) - 2)
    share = frames - before
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    between = slerp(own[before], own[before + 1], torch.from_numpy(share)[:, None, None, None])
    step = motion.translation[before + 1] - motion.translation[before]
    translation = motion.translation[before] + share[:, None] * step
    return Motion(roma.rotmat_to_rotvec(between).numpy(), translation, FPS)


def _brought_to(motion: Motion, joint: int, goal: np.ndarray, amount: np.ndarray) -> Motion:
    """Return the motion with a joint brought to rotations [T, 3] by an amount [T]."""
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, joint]).double())
    wanted = roma.rotvec_to_rotmat(torch.from_numpy(goal))
    poses = motion.poses.copy()
    poses[:, joint] = roma.rotmat_to_rotvec(slerp(own, wanted, torch.from_numpy(amount)[:, None, None])).numpy()
    return replace(motion, poses=poses, contacts=None)


def _turned(motion: Motion, joints: list[int], turns: np.ndarray) -> Motion:
    """Return the motion with joints turned in their own frames by turns [T, n, 3] rad."""
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, joints]).double())
    poses = motion.poses.copy()
    poses[:, joints] = roma.rotmat_to_rotvec(own @ roma.rotvec_to_rotmat(torch.from_numpy(turns))).numpy()
    return replace(motion, poses=poses, contacts=None)
