"""A body that flips about within a frame turns as a person does; whatever a person can do stays as it was."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from skeleton2stage.motion.heading_flips import FASTEST_RADPS, LONGEST_S, SPREAD_RADPS, smoothed_flips
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes.dance_frames import dance_frames
from skeleton2stage.physics.axes.kinematic_axes import joint_speed
from skeleton2stage.physics.axes.person_limits import speeds_radps
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid

UPRIGHT = Rotation.from_euler("x", 90, degrees=True)


def headed(yaws_rad, fps=30.0, tilt_rad=0.0):
    """Upright, or leaning forward a little, at these headings."""
    yaws = np.asarray(yaws_rad, dtype=np.float64)
    pelvis = Rotation.from_euler("z", yaws[:, None]) * UPRIGHT * Rotation.from_euler("x", tilt_rad)
    poses = np.random.default_rng(0).normal(0, 0.2, (len(yaws), 24, 3))
    poses[:, 0] = pelvis.as_rotvec()
    return Motion(poses.astype(np.float32), np.zeros((len(yaws), 3)), fps)


def pelvis_speeds(motion):
    pelvis = Rotation.from_rotvec(motion.poses[:, 0])
    return (pelvis[:-1].inv() * pelvis[1:]).magnitude() * motion.fps


def yaws(motion):
    forward = (Rotation.from_rotvec(motion.poses[:, 0])).apply([0.0, 0.0, 1.0])
    return np.unwrap(np.arctan2(forward[:, 1], forward[:, 0]) + np.pi / 2)


def flip(angle_rad, at=30, n_frames=60):
    return np.where(np.arange(n_frames) < at, 0.0, angle_rad)


@pytest.mark.parametrize("fps", [30.0, 60.0])
@pytest.mark.parametrize("angle_rad", [0.8, 2.4, -3.0])
def test_a_flip_becomes_a_turn_of_a_persons_speed(angle_rad, fps):
    before = headed(flip(angle_rad), fps, tilt_rad=0.2)
    after = smoothed_flips(before)
    if abs(angle_rad) * fps <= FASTEST_RADPS:
        pytest.skip("no flip at this rate")
    assert pelvis_speeds(before).max() == pytest.approx(abs(angle_rad) * fps, rel=0.02)
    assert pelvis_speeds(after).max() <= 1.5 * SPREAD_RADPS * 1.01 < FASTEST_RADPS
    turned = yaws(after)
    assert turned[-1] - turned[0] == pytest.approx(angle_rad, abs=1e-4)
    assert (np.diff(turned) * np.sign(angle_rad) > -1e-4).all()  # one way, and never back
    halfway = np.interp(angle_rad / 2 * np.sign(angle_rad), turned * np.sign(angle_rad), np.arange(60))
    assert halfway == pytest.approx(29.5, abs=0.6)


def test_all_else_is_kept():
    before = headed(flip(2.4))
    after = smoothed_flips(before)
    np.testing.assert_array_equal(after.poses[:, 1:], before.poses[:, 1:])
    np.testing.assert_array_equal(after.translation, before.translation)
    far = np.r_[0:20, 40:60]
    np.testing.assert_allclose(after.poses[far, 0], before.poses[far, 0], atol=1e-6)
    assert after.poses.dtype == before.poses.dtype and before.poses[30, 0, 1] != after.poses[30, 0, 1]


def test_the_axis_of_speed_finds_a_flip_and_none_afterwards():
    assert speeds_radps()[0] == FASTEST_RADPS

    def read(motion):
        poses, pelvis = torch.from_numpy(motion.poses)[None], torch.from_numpy(motion.translation)[None]
        return joint_speed(dance_frames(poses, pelvis, load_humanoid("open"))).share[0, :, 0]

    before = headed(flip(2.4))
    assert read(before).max() == 1.0 and read(before).argmax() in (29, 30)
    assert read(smoothed_flips(before)).max() == 0.0


@pytest.mark.parametrize("radps", [3.0, 12.0, -15.0])
def test_a_spin_that_a_person_can_make_stays_itself(radps):
    motion = headed(np.arange(90) * radps / 30)
    assert smoothed_flips(motion) is motion


def test_what_spins_too_fast_for_long_is_no_flip():
    n_fast = int(LONGEST_S * 30) + 1
    yaw = np.concatenate((np.zeros(20), np.arange(1, n_fast + 1) * 1.0, np.full(20, 1.0 * n_fast)))
    motion = headed(yaw)
    assert smoothed_flips(motion) is motion
    assert smoothed_flips(headed(np.arange(60) * 1.0)).poses.shape == (60, 24, 3)


def test_a_flip_in_a_spin_costs_at_most_half_a_turn():
    spin = np.arange(90) * 0.25
    before, after = headed(spin + flip(2.4, 45, 90)), smoothed_flips(headed(spin + flip(2.4, 45, 90)))
    assert pelvis_speeds(after).max() < FASTEST_RADPS
    np.testing.assert_allclose(after.poses[[0, 20, 70, 89], 0], before.poses[[0, 20, 70, 89], 0], atol=1e-6)


def test_several_flips_and_flips_at_the_ends():
    yaw = flip(2.0, 2, 90) + flip(2.4, 40, 90) + flip(-2.8, 50, 90) + flip(1.5, 89, 90)
    after = smoothed_flips(headed(yaw))
    assert pelvis_speeds(after)[5:80].max() < FASTEST_RADPS
    np.testing.assert_allclose(after.poses[[0, -1], 0], headed(yaw).poses[[0, -1], 0], atol=1e-6)


@pytest.mark.parametrize("n_frames", [1, 2, 3])
def test_motions_that_are_too_short_to_turn_in(n_frames):
    after = smoothed_flips(headed(flip(3.0, 1, n_frames)))
    assert np.isfinite(after.poses).all() and len(after) == n_frames
    assert smoothed_flips(headed(np.zeros(n_frames))).poses.shape == (n_frames, 24, 3)
