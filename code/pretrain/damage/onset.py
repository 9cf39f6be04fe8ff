"""When a damage happens and how it sets in: smoothly, after the first frame, somewhere in the motion."""

from dataclasses import replace

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion

MIN_S = 3.0
EARLIEST_S = 0.3  # damages begin no sooner, so that the first frame is left as it is
_FEET = [skeleton.joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot")]


def generator_for(motion: Motion, seed: int) -> np.random.Generator:
    """Return the random numbers of a damage; raise UserError for a motion too short or at another rate."""
    if motion.duration_s < MIN_S or abs(motion.fps - FPS) > 1e-3:
        raise UserError(
            f"a motion to damage needs {MIN_S:g} s at {FPS:g} frames a second, "
            f"not {motion.duration_s:.2f} s at {motion.fps:g}"
        )
    return np.random.default_rng(seed)


def smooth(progress: np.ndarray) -> np.ndarray:
    """Return half a cosine from 0 to 1 over progress 0 to 1, constant outside."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(progress, 0.0, 1.0))


def envelope(motion: Motion, generator: np.random.Generator, hold_s: float, ramp_s: float) -> np.ndarray:
    """Return [T]: 0, a rise of ramp_s to 1, hold_s there, a fall of ramp_s, 0; begun at random within the motion."""
    begin_s = generator.uniform(EARLIEST_S, motion.duration_s - hold_s - 2.0 * ramp_s)
    since_s = np.arange(len(motion)) / FPS - begin_s
    return smooth(since_s / ramp_s) * smooth((hold_s + 2.0 * ramp_s - since_s) / ramp_s)


def raised(motion: Motion, height_m: np.ndarray) -> Motion:
    """Return the motion moved up by heights [T] m."""
    translation = motion.translation.copy()
    translation[:, 2] += height_m
    return replace(motion, translation=translation, contacts=None)


def stillest(motion: Motion, n: int) -> int:
    """Return the first of the n frames, the first frame of all excepted, over which the slower foot moves least."""
    feet = motion.joints()[:, _FEET].reshape(len(motion), 2, 2, 3)
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1).mean(axis=2).min(axis=1)
    travelled = np.convolve(speed, np.ones(n), mode="valid")
    return 1 + int(travelled[1:].argmin())
