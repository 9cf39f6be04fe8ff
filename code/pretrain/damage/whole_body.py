"""Damages to where the body is: slid, lifted, sunk, tilted, flown, leapt, frozen."""

from dataclasses import replace

import numpy as np
import roma
import torch

from pretrain.damage.onset import EARLIEST_S, envelope, generator_for, raised, smooth, stillest
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion

SLIDE_S, HOLD_S = 1.0, 1.0
LIFT_RAMP_S, SINK_RAMP_S, LEAN_RAMP_S, THAW_S = 0.2, 0.5, 0.5, 0.5
JUMP_M = 0.3
GRAVITY = 9.81
_ANKLES = [skeleton.joint_index("left_ankle"), skeleton.joint_index("right_ankle")]


def sliding_pelvis(motion: Motion, seed: int, distance_m: float = 0.5) -> Motion:
    """Slide the pelvis sideways under planted feet.

    Within the second in which the slower foot moves least, the pelvis moves in a random horizontal direction, by half
    a cosine, and stays displaced to the end. Joint rotations are as they were, so the planted feet skate along with it.
    """
    generator = generator_for(motion, seed)
    n = round(SLIDE_S * FPS)
    start = stillest(motion, n)
    progress = smooth((np.arange(len(motion)) - start) / n)
    return replace(
        motion, translation=motion.translation + distance_m * progress[:, None] * _level(generator), contacts=None
    )


def lifted_body(motion: Motion, seed: int, height_cm: float = 10.0) -> Motion:
    """Lift the whole body for a second: 0.2 s up, a second there, 0.2 s down, by half cosines."""
    return raised(motion, 0.01 * height_cm * envelope(motion, generator_for(motion, seed), HOLD_S, LIFT_RAMP_S))


def sunk_feet(motion: Motion, seed: int, depth_cm: float = 8.0) -> Motion:
    """Sink the feet into the floor: the whole body goes down by half a cosine of 0.5 s that begins between 0.3 and
    1 s, and stays down to the end.
    """
    begin_s = generator_for(motion, seed).uniform(EARLIEST_S, 1.0)
    return raised(motion, -0.01 * depth_cm * smooth((np.arange(len(motion)) / FPS - begin_s) / SINK_RAMP_S))


def impossible_lean(motion: Motion, seed: int, angle_deg: float = 30.0) -> Motion:
    """Lean the stiff body over the middle between its ankles for a second, in a random direction, feet flat as they
    were: the ankles turn back what the body turns. Half a second to lean and to come back.
    """
    generator = generator_for(motion, seed)
    amount = envelope(motion, generator, HOLD_S, LEAN_RAMP_S)
    direction = _level(generator)
    turn = torch.from_numpy(np.radians(angle_deg) * amount[:, None] * np.cross([0.0, 0.0, 1.0], direction))
    tilt = roma.rotvec_to_rotmat(turn)
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    positions, before = skeleton.forward_kinematics_rotmat(own, torch.from_numpy(motion.translation).double())
    middle = positions[:, _ANKLES].mean(dim=1)
    poses, translation = motion.poses.copy(), motion.translation.copy()
    poses[:, 0] = roma.rotmat_to_rotvec(tilt @ own[:, 0]).numpy()
    for ankle in _ANKLES:
        shin = tilt @ before[:, skeleton.parents()[ankle]]
        poses[:, ankle] = roma.rotmat_to_rotvec(shin.transpose(1, 2) @ before[:, ankle]).numpy()
    translation[:] = middle + (tilt @ (positions[:, 0] - middle)[..., None]).squeeze(-1)
    return replace(motion, poses=poses, translation=translation, contacts=None)


def impossible_jump(motion: Motion, seed: int, hang: float = 0.9) -> Motion:
    """Fly 30 cm high without push or landing, under a gravity that is smaller by the share `hang` than the earth's: 0
    would fall as bodies do, 0.9 hovers for a second and a half.
    """
    return raised(motion, parabola(motion, generator_for(motion, seed), JUMP_M, (1.0 - hang) * GRAVITY))


def parabola(motion: Motion, generator: np.random.Generator, height_m: float, gravity: float) -> np.ndarray:
    """Return the heights [T] m of a flight so high under a gravity (m/s^2), begun at random, 0 outside it."""
    half_s = float(np.sqrt(2.0 * height_m / gravity))
    apex_s = generator.uniform(EARLIEST_S, motion.duration_s - 2.0 * half_s) + half_s
    since_s = np.arange(len(motion)) / FPS - apex_s
    return np.maximum(height_m - 0.5 * gravity * since_s**2, 0.0)


def teleport(motion: Motion, seed: int, distance_cm: float = 100.0) -> Motion:
    """Put the body elsewhere on the floor from one frame to the next, and leave it there."""
    generator = generator_for(motion, seed)
    at = int(generator.integers(round(EARLIEST_S * FPS), len(motion) - round(EARLIEST_S * FPS)))
    translation = motion.translation.copy()
    translation[at:] += (0.01 * distance_cm * _level(generator)).astype(np.float32)
    return replace(motion, translation=translation, contacts=None)


def frozen_root(motion: Motion, seed: int, duration_s: float = 2.0) -> Motion:
    """Freeze the pelvis, place and heading, while legs and arms go on; then half a second to where it would be."""
    generator = generator_for(motion, seed)
    n = round(duration_s * FPS)
    at = int(generator.integers(round(EARLIEST_S * FPS), max(len(motion) - n - round(THAW_S * FPS), 10) + 1))
    frames = np.arange(len(motion))
    frozen = (1.0 - smooth((frames - at - n) / (THAW_S * FPS))) * (frames >= at)
    translation = motion.translation + frozen[:, None] * (motion.translation[at] - motion.translation)
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, 0]).double())
    turn = roma.rotmat_to_rotvec(own.transpose(1, 2) @ own[at])
    poses = motion.poses.copy()
    turned = own @ roma.rotvec_to_rotmat(torch.from_numpy(frozen)[:, None] * turn)
    poses[:, 0] = roma.rotmat_to_rotvec(turned).numpy()
    return replace(motion, poses=poses, translation=translation, contacts=None)


def _level(generator: np.random.Generator) -> np.ndarray:
    """Return a random horizontal direction [3]."""
    bearing = generator.uniform(0.0, 2.0 * np.pi)
    return np.array([np.cos(bearing), np.sin(bearing), 0.0])
