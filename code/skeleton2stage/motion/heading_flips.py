"""Flips of the heading: the whole body turned within a frame or two, which no person can, spread over longer.

A dance model that is undecided between two headings predicts the mean of both: rows of 6D whose lengths shrink towards
zero where it goes over from one to the other. Gram-Schmidt keeps their directions alone, and these swap at once.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from skeleton2stage.motion.motion import Motion

FASTEST_RADPS = 16.0  # a person's body turns no faster (physics.axes.person_limits)
LONGEST_S = 0.2  # what turns too fast for longer is no flip, and left as it is
SPREAD_RADPS = 6.0  # mean speed of what a flip becomes: half a turn in half a second


def smoothed_flips(motion: Motion) -> Motion:
    """Return the motion with every flip of the pelvis' rotation made a turn of 6 rad/s, the shortest way.

    A flip is at most 0.2 s in which the pelvis turns at over 16 rad/s. It is spread evenly to both sides, as far as
    there are frames, and gathers and loses speed smoothly. All else is kept; a motion without flips is returned itself.
    """
    pelvis = Rotation.from_rotvec(motion.poses[:, 0].astype(np.float64))
    quats = pelvis.as_quat()
    changed = False
    for start, stop in _fast_stretches(_speeds_radps(pelvis, motion.fps)):
        if (stop - start) / motion.fps > LONGEST_S:
            continue
        start, stop = _spread(Rotation.from_quat(quats), start, stop, SPREAD_RADPS / motion.fps)
        quats[start : stop + 1] = _turn(Rotation.from_quat(quats[[start, stop]]), stop - start)
        changed = True
    if not changed:
        return motion
    poses = motion.poses.copy()
    poses[:, 0] = Rotation.from_quat(quats).as_rotvec()
    return replace(motion, poses=poses)


def _speeds_radps(rotation: Rotation, fps: float) -> np.ndarray:
    return (rotation[:-1].inv() * rotation[1:]).magnitude() * fps


def _fast_stretches(speeds_radps: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield first and last frame of the stretches in which steps [T - 1] between frames are too fast."""
    fast = np.concatenate(([False], speeds_radps > FASTEST_RADPS, [False]))
    edges = np.flatnonzero(np.diff(fast.astype(int)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _spread(rotation: Rotation, start: int, stop: int, step_rad: float) -> tuple[int, int]:
    """Return a stretch as much longer to both sides as its turn takes at a mean step between frames."""
    last = len(rotation) - 1
    while (rotation[start].inv() * rotation[stop]).magnitude() > step_rad * (stop - start):
        if (start, stop) == (0, last):
            break
        start, stop = max(start - 1, 0), min(stop + 1, last)
    return start, stop


def _turn(ends: Rotation, n_steps: int) -> np.ndarray:
    """Return quaternions [n + 1, 4] from the first of two rotations to the second, slow at both ends."""
    share = np.linspace(0.0, 1.0, n_steps + 1)
    return Slerp([0.0, 1.0], ends)(share**2 * (3.0 - 2.0 * share)).as_quat()
