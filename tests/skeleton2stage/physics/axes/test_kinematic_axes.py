import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.axes import kinematic_axes
from skeleton2stage.physics.axes.person_limits import jerks_mps3, ranges_rad, speeds_radps, strengths_nm
from skeleton2stage.physics.quaternions import quat_multiply, rotvec_to_quat

FPS = 30.0


def with_joint(motion, name: str, rotvecs: np.ndarray):
    poses = motion[0].clone()
    poses[:, skeleton.joint_index(name)] = torch.from_numpy(rotvecs).float()
    return poses, motion[1]


def test_a_knee_bent_backwards_is_told_in_degrees(stand, frames_of):
    bent = np.zeros((30, 3))
    bent[10:20, 0] = np.radians(-38.0)
    reading = kinematic_axes.joint_limits(frames_of(with_joint(stand(np.zeros(30)), "left_knee", bent)))
    knee = skeleton.joint_index("left_knee")
    assert reading.value[0, 15, knee].item() == pytest.approx(30.0, abs=0.01)  # a knee straightens to -8
    assert reading.value[0, 15].count_nonzero() == 1 and reading.value[0, 5].max() == 0
    assert 0 < reading.share[0, 15, knee] < 1


def test_swing_and_twist_are_taken_apart():
    """A hip turned about its bone by 0.5 and then swung by 0.8 about x; of an elbow the bone is x."""
    hip, elbow = skeleton.joint_index("left_hip"), skeleton.joint_index("left_elbow")
    quat = rotvec_to_quat(torch.zeros(24, 3))
    quat[hip] = quat_multiply(rotvec_to_quat(torch.tensor([0.8, 0.0, 0.0])), rotvec_to_quat(torch.tensor([0, 0.5, 0])))
    quat[elbow] = quat_multiply(rotvec_to_quat(torch.tensor([0, -1.2, 0.0])), rotvec_to_quat(torch.tensor([0.3, 0, 0])))
    angles = kinematic_axes.swing_twist(-quat)  # of either sign
    assert angles[hip].tolist() == pytest.approx([0.8, 0.5, 0.0], abs=1e-5)
    assert angles[elbow].tolist() == pytest.approx([0.3, -1.2, 0.0], abs=1e-5)


def test_tables_are_of_a_person_with_two_sides():
    low, high = ranges_rad()
    left, right = skeleton.joint_index("left_elbow"), skeleton.joint_index("right_elbow")
    assert low[left, 1] == -high[right, 1] and low[left, 0] == low[right, 0]
    assert (low < 0).all() and (high > 0).all()
    for table in (speeds_radps(), jerks_mps3(), strengths_nm()):
        assert table.shape == (24,) and (table > 0).all()
        assert (table[skeleton.mirror_order()] == table).all()


def test_speed_is_that_of_the_joint_and_steps_are_not_smoothed(stand, frames_of):
    turning = np.zeros((30, 3))
    turning[:, 2] = 2.0 * np.arange(30) / FPS
    turning[20:, 2] += 1.0  # at once
    reading = kinematic_axes.joint_speed(frames_of(with_joint(stand(np.zeros(30)), "head", turning)))
    head = skeleton.joint_index("head")
    assert reading.value[0, 10, head].item() == pytest.approx(2.0, abs=1e-3)
    assert reading.value[0, 19, head].item() == pytest.approx(32.0, abs=1e-2)
    assert reading.share[0, 10].max() == 0 and reading.share[0, 20, head] > 0


def test_jerk_is_the_third_derivative(stand, frames_of):
    poses, pelvis = stand(np.zeros(30))
    pelvis[:, 1] += torch.from_numpy(5.0 * (np.arange(30) / FPS) ** 3).float()
    reading = kinematic_axes.jerk(frames_of((poses, pelvis)))
    assert reading.value.shape == (1, 30, 24)
    torch.testing.assert_close(reading.value, torch.full((1, 30, 24), 30.0), atol=0.5, rtol=0)


def test_a_body_at_rest_is_not_in_itself_and_a_leg_swung_into_the_other_is(stand, frames_of, reader):
    swing = np.zeros((30, 3))
    swing[15:, 2] = -0.25  # the left foot 21 cm to the right, where the right one is
    moved = with_joint(stand(np.zeros(30)), "left_hip", swing)
    depth, area = kinematic_axes.self_penetration(frames_of(moved), reader.spheres)
    assert depth.value[0, :15].max() == 0 and area.value[0, :15].max() == 0
    assert depth.value[0, 20].max() > 3.0 and area.value[0, 20].max() > 10.0
    assert depth.value[0, 20, [skeleton.joint_index(n) for n in ("left_wrist", "head")]].max() == 0


def test_the_disc_of_two_spheres_is_their_circle(reader):
    """Two spheres of 5 cm, 6 cm apart: 4 cm deep, and a circle of 4 cm radius."""
    from dataclasses import replace

    spheres = replace(
        reader.spheres, joints=torch.tensor([7, 20]), centers=torch.zeros(2, 3), radii=torch.full((2,), 0.05),
        pairs=torch.tensor([[0, 1]]), rest_gaps=torch.ones(1),
    )
    depth, area = torch.zeros(2, 1, 24)
    kinematic_axes._add_penetration(spheres, torch.tensor([[[0.0, 0, 0], [0.06, 0, 0]]]), depth, area)
    assert depth[0, [7, 20]].tolist() == pytest.approx([0.04, 0.04], abs=1e-6)
    assert area[0, [7, 20]].tolist() == pytest.approx([np.pi * 0.0016] * 2, rel=1e-4)
    assert depth[0].count_nonzero() == 2
