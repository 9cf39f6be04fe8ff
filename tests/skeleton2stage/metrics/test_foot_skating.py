import pytest
import torch
from scipy.stats import spearmanr

from skeleton2stage.metrics.foot_skating import foot_skating, sliding_counts, sliding_speed


def test_published_counts(published, public_joints):
    for name, joints in public_joints.items():
        expected = published["per_motion"][name]["footskate_counts_Lslide_Lstatic_Rslide_Rstatic"]
        counts = [int(count) for foot in ((7, 10), (8, 11)) for count in sliding_counts(joints, foot)]
        # One foot height lies 3.5e-6 m from its threshold, so one count may differ.
        assert counts == pytest.approx(expected, abs=1), name


def test_published_ratios(published, public_joints):
    for name, joints in public_joints.items():
        expected = published["per_motion"][name]["footskate_mean"]
        if expected is not None and name != "synth06":  # the motion whose count may differ
            assert float(foot_skating(joints)) == pytest.approx(expected, rel=1e-4), name


def test_published_means_of_the_set(published, public_joints):
    for foot, key in (((7, 10), "footskate_left_nanmean"), ((8, 11), "footskate_right_nanmean")):
        counts = [sliding_counts(joints, foot) for joints in public_joints.values()]
        ratios = torch.stack([slides / grounded for slides, grounded in counts])
        assert float(ratios.nanmean()) == pytest.approx(published["set"][key], rel=1e-4), key


def _gliding(step_m, n_frames=5):
    """Return both feet on the floor, the right one gliding along x."""
    joints = torch.zeros(n_frames, 24, 3)
    joints[:, [8, 11], 0] = step_m * torch.arange(float(n_frames))[:, None]
    return joints


def test_by_hand():
    # Half of a 3 cm step is over 1 cm: four of the right foot's five grounded frames slide, the left's none.
    assert float(foot_skating(_gliding(0.03))) == pytest.approx((4 / 5 + 0) / 2)
    assert float(foot_skating(_gliding(0.015))) == 0.0


def test_a_foot_in_the_air_is_left_out_and_two_give_nothing():
    joints = _gliding(0.03)
    joints[:, [7, 10], 2] = 0.5
    assert float(foot_skating(joints)) == pytest.approx(4 / 5)
    joints[1:, [8, 11], 2] = 0.5
    joints[0, 8, 2] = 0.1
    assert torch.isnan(foot_skating(joints))


def test_uneven_toes_put_the_floor_at_the_lower():
    joints = _gliding(0.0)
    joints[:, 11, 2], joints[:, 8, 2] = 0.06, 0.06
    assert [int(count) for count in sliding_counts(joints, (8, 11))] == [0, 0]
    assert [int(count) for count in sliding_counts(joints, (7, 10))] == [0, 5]


def test_batch_equals_one_by_one(public_joints):
    dances = torch.stack([public_joints["synth02"], public_joints["synth05"]])
    assert torch.equal(foot_skating(dances), torch.stack([foot_skating(dance) for dance in dances]))


def test_sliding_speed_by_hand():
    # Both feet are equally grounded; the right one's ankle and toes glide 3 cm a frame, 0.9 m/s, along x.
    torch.testing.assert_close(sliding_speed(_gliding(0.03)), torch.full((5,), 0.45))
    joints = _gliding(0.03)
    joints[..., [0, 1]] = joints[..., [1, 0]]
    torch.testing.assert_close(sliding_speed(joints), torch.full((5,), 0.45))  # any direction, unlike the metric


def test_a_foot_in_the_air_does_not_slide():
    joints = _gliding(0.03)
    joints[:, [8, 11], 2] = 0.3
    assert float(sliding_speed(joints).max()) < 1e-6
    joints = torch.zeros(5, 24, 3)
    joints[:, [8, 11], 2] = torch.tensor([0.0, 0.0, 0.3, 0.0, 0.0])[:, None]
    joints[2:, [8, 11], 0] = 0.3  # a step: 30 cm while it is lifted
    assert float(sliding_speed(joints).max()) < 1e-6


def test_sliding_where_few_frames_are_grounded_costs_as_much_as_where_all_are():
    joints = _gliding(0.03, 40)
    seldom = joints.clone()
    seldom[20:, [7, 8, 10, 11], 2] = 0.3
    seldom[:, 0, 2] = 0.0  # a joint that keeps the floor where it is
    assert float(sliding_speed(seldom).mean()) == pytest.approx(float(sliding_speed(joints).mean()), rel=0.05)


def test_a_dance_that_never_touches_the_floor_does_not_slide():
    airborne = torch.zeros(5, 24, 3)
    airborne[:, [7, 8, 10, 11], 2] = 1.0
    airborne[:, [7, 8, 10, 11], 0] = torch.arange(5.0)[:, None]
    assert float(sliding_speed(airborne).max()) < 1e-6


def test_the_floor_is_where_a_dance_is_lowest_in_a_quarter_of_its_frames():
    joints = torch.zeros(40, 24, 3)
    joints[:, :, 0] = (0.03 * torch.arange(40.0))[:, None]  # everything glides at 0.9 m/s
    joints[20:, :, 2] = 0.12  # and flies in the second half
    joints[5, :, 2] = -0.5  # one frame is under the floor
    sliding = sliding_speed(joints)
    assert float(sliding[21:].max()) < 1e-6 < float(sliding[:19].min())
    assert float(sliding[:-1].mean()) == pytest.approx(0.9, rel=1e-4)


def _walking(n_slips):
    """Return 60 frames of walking along x whose standing foot slips by 6 cm in some of them."""
    joints = torch.ones(60, 24, 3)
    frame = torch.arange(60)
    for first, foot in ((0, [7, 10]), (10, [8, 11])):
        lifted = (frame + first) % 20 < 10
        step = torch.where(lifted | (frame < n_slips), 0.06, 0.0)
        joints[:, foot, 0] = torch.cumsum(step, dim=0)[:, None]
        joints[:, foot, 2] = torch.where(lifted, 0.2, 0.0)[:, None]
    return joints


def test_sliding_speed_ranks_dances_as_the_metric():
    dances = torch.stack([_walking(n) for n in (0, 11, 17, 23, 36, 48, 60)])
    metric, speed = foot_skating(dances), sliding_speed(dances).mean(dim=-1)
    assert float(metric[0]) < 0.1 and float(metric[-1]) > 0.9
    assert spearmanr(metric, speed).statistic > 0.99
    assert metric.unique().numel() == len(metric)
