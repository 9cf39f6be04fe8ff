import numpy as np
import pytest

from skeleton2stage.motion.motion import Motion
from skeleton2stage.render import camera


def test_facing_of_a_standing_body(standing):
    assert camera.facing_rad(standing) == pytest.approx(0.0, abs=1e-6)


def test_facing_turns_with_the_body(standing):
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("z", 2.0)
    poses = standing.poses.copy()
    poses[:, 0] = (turn * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
    assert camera.facing_rad(Motion(poses, standing.translation)) == pytest.approx(2.0, abs=1e-5)


def test_follow_keeps_the_height_and_calms_a_trembling_path():
    t = np.arange(300)
    path = np.stack([0.01 * t, 0.05 * (-1.0) ** t, 1 + 0.1 * np.sin(t)], axis=1)
    targets = camera.follow(path, height_m=0.8, fps=30.0)
    assert np.all(targets[:, 2] == 0.8)
    assert np.abs(targets[75:225, 1]).max() < 0.1 * 0.05
    np.testing.assert_allclose(targets[150, 0], path[150, 0], atol=1e-6)  # a steady walk is followed


def test_view_axes_are_right_handed_and_look_where_asked():
    forward, right, up = camera.view_axes(0.0, 0.0)
    np.testing.assert_allclose([forward, right, up], [[1, 0, 0], [0, -1, 0], [0, 0, 1]], atol=1e-12)
    axes = np.stack(camera.view_axes(0.7, -0.4))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)


def test_fitting_distance_of_one_point():
    # A point 1 m over the target is in frame from 1 / tan(19 degrees).
    points, targets = np.array([[[0.0, 0.0, 1.0]]]), np.zeros((1, 3))
    distance = camera.fitting_distance(points, targets, 0.0, 0.0, aspect=1.0, margin_m=0.0)
    assert distance == pytest.approx(1 / np.tan(np.radians(19.0)))
    # Half a metre nearer to the eye it needs half a metre more.
    nearer = points - [0.5, 0.0, 0.0]
    assert camera.fitting_distance(nearer, targets, 0.0, 0.0, 1.0, 0.0) == pytest.approx(distance + 0.5)
    # To the side, a picture twice as wide needs half the distance.
    aside = np.array([[[0.0, 1.0, 0.0]]])
    assert camera.fitting_distance(aside, targets, 0.0, 0.0, 2.0, 0.0) == pytest.approx(distance / 2)


def test_plan_faces_the_dancer_from_one_distance(standing):
    near = standing.joints()
    far = near * [1.0, 3.0, 1.0]
    first, second = camera.plan([standing, standing], [near, far], 1.0, turn_rad=0.0, elevation_rad=-0.2)
    assert len(first) == len(second) == len(standing)
    assert first[0].distance_m == second[0].distance_m
    assert first[0].azimuth_rad == pytest.approx(np.pi)  # a dancer who faces +x is looked at towards -x
