import numpy as np
import pytest
import torch

from skeleton2stage.metrics.ground_contact import (
    FLOATING_FROM_M,
    fgd,
    fgd_floating,
    fgd_penetration,
    ground_contact_reward,
    height_over_floor,
)


def _with_lowest(heights):
    joints = torch.ones(len(heights), 24, 3, dtype=torch.float64)
    joints[:, 10, 2] = torch.tensor(heights, dtype=torch.float64)
    return joints


def test_published_reward_per_frame(public_arrays, public_joints):
    for name, joints in public_joints.items():
        expected = public_arrays[f"{name}/fgc_reward_per_frame"][:600]
        np.testing.assert_allclose(ground_contact_reward(joints).numpy(), expected, rtol=1e-4, err_msg=name)


def test_published_deviation(published, public_joints):
    for name, joints in public_joints.items():
        values = published["per_motion"][name]
        assert float(fgd_penetration(joints)) == pytest.approx(values["penetration_mm_per_frame"], rel=1e-4), name
        assert float(fgd_floating(joints)) == pytest.approx(values["floating_mm_per_frame"], rel=1e-4), name


def test_published_heights_and_frames(published, public_arrays, public_joints):
    for name, joints in public_joints.items():
        height, values = height_over_floor(joints), published["per_motion"][name]
        lowest = public_arrays[f"{name}/lowest_joint_height"][:600]
        np.testing.assert_allclose(height + values["ground_height_m"], lowest, atol=1e-5, err_msg=name)
        assert int((height < 0).sum()) == values["penetration_frames"], name
        assert int((height > FLOATING_FROM_M).sum()) == values["floating_frames"], name


def test_deviation_by_hand():
    # Mean 0.02: heights over it are -0.02, -0.02, 0.08, -0.04, so one frame floats with all its 80 mm.
    joints = _with_lowest([0.0, 0.0, 0.10, -0.02])
    assert float(fgd_penetration(joints)) == pytest.approx((20 + 20 + 40) / 4)
    assert float(fgd_floating(joints)) == pytest.approx(80 / 4)
    assert float(fgd(joints)) == pytest.approx(40.0)


def test_under_five_centimetres_is_not_floating():
    assert float(fgd_floating(_with_lowest([0.0, 0.099]))) == 0.0
    assert float(fgd_floating(_with_lowest([0.0, 0.101]))) == pytest.approx(0.0505 / 2 * 1000)


def test_reward_by_hand_and_batched():
    joints = _with_lowest([0.0, 0.2])
    expected = torch.tensor([1 + np.exp(-1.0), 1 + np.exp(-1.0)], dtype=torch.float64)
    reward = ground_contact_reward(torch.stack([joints, _with_lowest([0.3, 0.3])]))
    assert torch.allclose(reward[0], expected)
    assert torch.allclose(reward[1], torch.full((2,), 2.0, dtype=torch.float64))


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match="24"):
        ground_contact_reward(torch.zeros(10, 22, 3))
