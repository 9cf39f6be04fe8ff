"""Motions read off between their frames."""

import numpy as np

from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.motion_curve import MotionCurve


def swaying(times_s, fps=30.0):
    """Every joint turns about its own axis, and the pelvis travels, by smooth functions of time."""
    axes = np.random.default_rng(0).normal(size=(24, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angle = 1.2 * np.sin(2 * np.pi * 0.8 * times_s)
    translation = np.stack((0.3 * np.sin(times_s), 0.2 * times_s, 1.0 + 0.05 * np.cos(9 * times_s)), axis=1)
    return Motion(angle[:, None, None] * axes, translation, fps)


def test_a_smooth_motion_is_known_between_its_frames():
    motion = swaying(np.arange(90) / 30)
    between = np.linspace(2.0, 80.0, 333)
    read, true = MotionCurve(motion).at(between), swaying(between / 30)
    np.testing.assert_allclose(read.poses, true.poses, atol=2e-3)
    np.testing.assert_allclose(read.translation, true.translation, atol=1e-4)
    assert read.fps == motion.fps


def test_frames_come_back_and_ends_are_held():
    motion = swaying(np.arange(30) / 30, fps=60.0)
    read = MotionCurve(motion).at(np.array([-3.0, 0.0, 7.0, 29.0, 40.0]))
    chosen = [0, 0, 7, 29, 29]
    np.testing.assert_allclose(read.joints(), motion.joints()[chosen], atol=1e-5)
    assert read.fps == 60.0
