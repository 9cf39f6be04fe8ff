"""Rotations from joint positions: exact positions, knees and elbows that bend about their hinges, steady in time."""

import numpy as np
import pytest
import roma
import torch
from scipy.spatial.transform import Rotation

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.joint_fit import fit_joints
from skeleton2stage.motion.motion import Motion

J = skeleton.joint_index


def bending(n_frames=90, turn_rad=0.6, bend_rad=0.8):
    """Someone who twists thighs and upper arms while knees and elbows bend about their hinges."""
    t = np.arange(n_frames) / 30
    poses = np.zeros((n_frames, 24, 3))
    poses[:, 0] = (Rotation.from_euler("z", 0.5 * np.sin(t)[:, None]) * Rotation.from_euler("x", np.pi / 2)).as_rotvec()
    for sign, side in ((1, "left"), (-1, "right")):
        thigh = np.stack([sign * turn_rad * np.sin(t), -0.5 + 0 * t], axis=1)
        poses[:, J(f"{side}_hip")] = Rotation.from_euler("yx", thigh).as_rotvec()
        poses[:, J(f"{side}_knee"), 0] = bend_rad * (1 + 0.7 * np.sin(2 * t))
        arm = np.stack([turn_rad * np.sin(t + 1), -sign * (0.8 + 0 * t)], axis=1)
        poses[:, J(f"{side}_shoulder")] = Rotation.from_euler("xz", arm).as_rotvec()
        poses[:, J(f"{side}_elbow"), 1] = -sign * bend_rad * (1 + 0.7 * np.sin(3 * t))
    poses[:, J("spine2"), 1] = 0.3 * np.sin(t)
    return Motion(poses, np.tile([0.0, 0.0, 0.95], (n_frames, 1)))


def angles_deg(found, motion):
    a, b = (roma.rotvec_to_rotmat(torch.tensor(poses, dtype=torch.float64)) for poses in (found, motion.poses))
    world = [skeleton.forward_kinematics_rotmat(r, torch.zeros(len(r), 3, dtype=torch.float64))[1] for r in (a, b)]
    return np.degrees(roma.rotmat_geodesic_distance(*world).numpy())


@pytest.mark.parametrize("n_joints", [22, 24])
def test_joints_are_where_they_were_and_limbs_are_twisted_as_they_were(n_joints):
    motion = bending()
    fit = fit_joints(motion.joints().astype(np.float64)[:, :n_joints])
    found = Motion(fit.poses, fit.translation)
    np.testing.assert_allclose(found.joints()[:, :22], motion.joints()[:, :22], atol=2e-3)
    assert fit.mean_error_m < 1e-3 and fit.scale == pytest.approx(1, abs=1e-4)
    turned = angles_deg(fit.poses, motion)
    for name in ("left_hip", "right_hip", "left_knee", "right_knee", "left_shoulder", "right_shoulder", "left_elbow"):
        assert turned[:, J(name)].mean() < 6, name
    assert turned[:, J("pelvis")].max() < 0.5 and turned[:, J("spine3")].max() < 0.5


def test_a_straight_limb_does_not_spin():
    for bend_rad in (0.0, 0.02, 0.1, 0.2):
        motion = bending(bend_rad=bend_rad)
        noise = 0.001 * np.random.default_rng(0).standard_normal((90, 24, 3))
        fit = fit_joints(motion.joints().astype(np.float64) + noise)
        steps = angles_deg(fit.poses[1:], Motion(fit.poses[:-1], fit.translation[:-1]))
        assert steps[:, :22].max() < 12, bend_rad  # the motion itself turns 3 degrees a frame at most


def test_other_peoples_size_is_scaled_to_the_mean_bodys():
    motion = bending(30)
    fit = fit_joints(1.2 * motion.joints().astype(np.float64))
    assert fit.scale == pytest.approx(1 / 1.2, rel=1e-4)
    np.testing.assert_allclose(Motion(fit.poses, fit.translation).joints()[:, :22], motion.joints()[:, :22], atol=2e-3)


def test_long_motions_are_fitted_in_parts(monkeypatch):
    joints = bending(30).joints().astype(np.float64)
    whole = fit_joints(joints)
    monkeypatch.setattr("skeleton2stage.motion.joint_fit._CHUNK_FRAMES", 7)
    np.testing.assert_allclose(fit_joints(joints).poses, whole.poses, atol=1e-9)


def test_what_is_no_position_in_metres_is_refused():
    joints = bending(5).joints().astype(np.float64)
    with pytest.raises(UserError, match="legs are"):
        fit_joints(10 * joints)
    joints[2, 3] = np.nan
    with pytest.raises(UserError, match="NaN"):
        fit_joints(joints)
    with pytest.raises(UserError, match="no frames"):
        fit_joints(joints[:0])
