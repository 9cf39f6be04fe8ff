"""A motion between its frames: smooth curves through them, for showing it at another pace."""

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline

from skeleton2stage.motion.motion import Motion


class MotionCurve:
    """Cubic splines through a motion's frames, of translation and of each joint's rotation.

    Smooth in speed and acceleration, so that a motion read off between its frames loses none of its energy, as it would
    by straight lines.
    """

    def __init__(self, motion: Motion) -> None:
        frames = np.arange(len(motion))
        self._fps = motion.fps
        self._last = len(motion) - 1
        self._translation = CubicSpline(frames, motion.translation)
        self._joints = [RotationSpline(frames, Rotation.from_rotvec(joint)) for joint in motion.poses.swapaxes(0, 1)]

    def at(self, frames: np.ndarray) -> Motion:
        """Return the motion whose frame i shows what is at frames[i], [N], fractional; before and after: the ends."""
        within = np.clip(frames, 0, self._last)
        poses = np.stack([joint(within).as_rotvec() for joint in self._joints], axis=1)
        return Motion(poses, self._translation(within), self._fps)
