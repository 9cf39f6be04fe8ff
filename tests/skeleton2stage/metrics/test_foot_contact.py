import pytest
import torch

from skeleton2stage.metrics.foot_contact import foot_contact_violation, pfc, pfc_frames


def test_published_pfc(published, public_joints):
    for name, joints in public_joints.items():
        assert float(pfc(joints)) == pytest.approx(published["per_motion"][name]["pfc_x10000"], rel=1e-4), name


def test_pfc_reward_of_the_field_follows_from_the_raw_score(published, public_joints):
    for name, joints in public_joints.items():
        reward = torch.exp(-1000.0 * foot_contact_violation(joints))
        assert float(reward) == pytest.approx(published["per_motion"][name]["pfc_score_reward_exp"], rel=1e-4)


def _skating(left_step, right_step):
    """Return 4 frames whose root accelerates sideways in the first of its two second differences only."""
    joints = torch.zeros(4, 24, 3, dtype=torch.float64)
    joints[:, 0, 0] = torch.tensor([0.0, 0.0, 0.1, 0.2])
    frame = torch.arange(4, dtype=torch.float64)
    for joint, step in ((7, left_step), (10, 2 * left_step), (8, right_step), (11, 3 * right_step)):
        joints[:, joint, 1] = frame * step
    return joints


def test_by_hand():
    # Relative acceleration 1 then 0; the slower joints move 0.02 and 0.03 m a frame.
    assert float(foot_contact_violation(_skating(0.02, 0.03))) == pytest.approx(0.02 * 0.03 / 2)
    assert float(pfc(_skating(0.02, 0.03))) == pytest.approx(3.0)


def test_one_foot_planted_is_free():
    assert float(pfc(_skating(0.0, 0.03))) == 0.0


def test_falling_counts_no_acceleration_and_a_still_root_gives_zero():
    joints = _skating(0.02, 0.03)
    joints[:, 0, 0] = 0.0
    joints[:, 0, 2] = -torch.tensor([0.0, 1.0, 4.0, 9.0])
    assert float(pfc(joints)) == 0.0


def test_batch_equals_one_by_one():
    joints = torch.randn(3, 20, 24, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(pfc(joints), torch.stack([pfc(dance) for dance in joints]))


def test_frames_by_hand_and_their_mean_is_the_metric():
    # Terms 1 x 0.02 x 0.03 and 0: x 10^4 they are 6 and 0; the edges count their mean.
    torch.testing.assert_close(pfc_frames(_skating(0.02, 0.03)), torch.tensor([3.0, 6.0, 0.0, 3.0]).double())
    dances = torch.randn(3, 20, 24, 3, generator=torch.Generator().manual_seed(0)).double()
    assert pfc_frames(dances).shape == (3, 20)
    torch.testing.assert_close(pfc_frames(dances).mean(dim=-1), pfc(dances))
