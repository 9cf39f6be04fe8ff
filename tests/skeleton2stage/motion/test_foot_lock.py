"""Foot lock: touching feet rest, the floor is at zero, what does not touch is left alone."""

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.motion.foot_lock import FOOT_JOINTS, foot_lock, settled, slid
from skeleton2stage.motion.motion import Motion


def standing(n_frames=30, contact=1.0):
    """Upright, sliding along x by 1 cm a frame, hopping up and down by 1 cm, half a metre too high."""
    poses = np.zeros((n_frames, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    frames = np.arange(n_frames)
    translation = np.stack((0.01 * frames, np.zeros(n_frames), 1.5 + 0.01 * (frames % 2)), axis=1)
    return Motion(poses, translation, contacts=np.full((n_frames, 4), contact))


def test_touching_feet_rest_on_the_floor():
    before, after = standing(), foot_lock(standing())
    feet = after.joints()[:, FOOT_JOINTS]
    assert np.ptp(feet[..., 0], axis=0).max() < 1e-5
    assert abs(after.joints()[..., 2].min(axis=1).mean()) < 2e-3
    assert np.abs(np.diff(feet[..., 2], axis=0)).max() < 0.3 * np.abs(np.diff(before.joints()[..., 2], axis=0)).max()
    assert np.array_equal(after.poses, before.poses)


def test_without_contact_only_the_floor_moves():
    before, after = standing(contact=0.9), foot_lock(standing(contact=0.9))
    moved = after.translation - before.translation
    assert np.abs(moved[:, :2]).max() == 0.0
    assert np.ptp(moved[:, 2]) < 1e-6
    assert moved[0, 2] < -0.4


def test_slides_of_touching_feet_add_up():
    """Foot 0 touches from frame 0 to 1, feet 0 and 1 from 1 to 2, none from 2 to 3."""
    feet = np.zeros((4, 4, 2))
    feet[1:, 0] += [0.1, 0.0]
    feet[2:, 0] += [0.1, 0.0]
    feet[2:, 1] += [0.3, 0.2]
    feet[3:] += 5.0
    touching = np.zeros((4, 4), dtype=bool)
    touching[0, 0] = touching[1, :2] = True
    np.testing.assert_allclose(slid(feet, touching), [[0, 0], [0.1, 0], [0.3, 0.1], [0.3, 0.1]], atol=1e-12)


def test_heights_are_smoothed_where_a_foot_has_touched():
    height = np.zeros(20)
    height[10] = 0.1
    touching = np.zeros((20, 4), dtype=bool)
    touching[9, 2] = True  # from frame 9 to 10
    change = settled(height, touching)
    assert np.flatnonzero(change).tolist() == [10]
    assert change[10] == pytest.approx(-0.1 * (1 - 1 / (1.2 * np.sqrt(2 * np.pi))), rel=0.01)  # the kernel's peak


def test_a_motion_without_contacts_is_refused():
    motion = standing()
    with pytest.raises(UserError, match="needs the contacts"):
        foot_lock(Motion(motion.poses, motion.translation))
