"""EDGE's losses on motions whose errors are known."""

import pytest
import torch

from dance_model.training.dance_losses import (
    DanceLosses,
    LossConfig,
    dance_losses,
    foot_loss,
    time_weights,
    velocity_error,
)
from dance_model.training.joint_positions import kinematic_tree
from skeleton2stage.errors import UserError
from skeleton2stage.motion import motion_layout as layouts
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.motion.skeleton import offsets

IDENTITY_SCALER = MinMaxScaler(torch.ones(151), torch.zeros(151))


def losses_of(predicted, target, scaler, fk_space, weights=None):
    weights = torch.ones(len(predicted)) if weights is None else weights
    tree = kinematic_tree(predicted.device)
    return dance_losses(predicted, target, weights, layouts.EDGE, scaler, fk_space, tree)


def standing(batch=2, frames=5):
    return layouts.encode(
        torch.zeros(batch, frames, 24, 3), torch.zeros(batch, frames, 3), layouts.EDGE
    )


def test_equal_motions_have_no_error_but_feet():
    target = standing()
    losses = losses_of(target, target, IDENTITY_SCALER, "normalised")
    assert [term.item() for term in losses] == [0.0] * 4


def test_a_shift_of_the_root_shows_in_reconstruction_and_joints_alone():
    target = standing()
    predicted = target.clone()
    predicted[..., 4] += 0.3
    losses = losses_of(predicted, target, IDENTITY_SCALER, "normalised")
    assert losses.reconstruction.item() == pytest.approx(0.09 / 151)
    assert losses.velocity.item() == pytest.approx(0.0, abs=1e-12)
    assert losses.joints.item() == pytest.approx(0.09 / 3)


def test_velocity_ignores_contacts():
    target = standing(1, 3)
    predicted = target.clone()
    predicted[:, 1, :4] += 9.0
    predicted[:, 2, 5] += 0.2  # moves in one of two differences
    expected = 0.2**2 / (2 * 147)
    assert velocity_error(predicted, target, layouts.EDGE).item() == pytest.approx(expected)


def test_velocity_leaves_out_popdg_contacts_too():
    target = torch.zeros(1, 3, 156)
    predicted = target.clone()
    predicted[:, 1, 147:] = 5.0
    assert velocity_error(predicted, target, layouts.POPDG).item() == 0.0


def test_foot_movement_counts_only_where_contact_is_predicted():
    joints = torch.zeros(1, 3, 24, 3)
    joints[0, 1:, 10, 0] = 0.5  # the left toe slides between frames 0 and 1
    contacts = torch.zeros(1, 3, 4)
    assert foot_loss(joints, contacts).item() == 0.0
    contacts[0, 0, 2] = 1.0
    assert foot_loss(joints, contacts).item() == pytest.approx(0.25 / (3 * 4 * 3))
    contacts[0, 0, 2] = 0.95  # not above the threshold
    assert foot_loss(joints, contacts).item() == 0.0


def test_metric_space_undoes_the_scaling():
    scaler = MinMaxScaler(torch.full((151,), 0.5), torch.full((151,), -0.25))
    target = standing()
    predicted = target.clone()
    predicted[..., 4] += 0.3
    scaled = [scaler.normalise(x) for x in (predicted, target)]
    losses = losses_of(*scaled, scaler, "metric")
    assert losses.joints.item() == pytest.approx(0.09 / 3, rel=1e-5)
    assert losses.reconstruction.item() == pytest.approx(0.15**2 / 151, rel=1e-5)


def test_rotation_error_moves_the_children():
    target = standing(1, 2)
    turned = torch.zeros(1, 2, 24, 3)
    turned[..., 18, 2] = torch.pi / 2  # left elbow: moves the left wrist and hand
    predicted = layouts.encode(turned, torch.zeros(1, 2, 3), layouts.EDGE)
    losses = losses_of(predicted, target, IDENTITY_SCALER, "normalised")
    forearm, hand = offsets()[20], offsets()[20] + offsets()[22]
    # A quarter turn about z carries (x, y) to (-y, x): squared distance 2 (x^2 + y^2).
    expected = sum(2 * (bone[0] ** 2 + bone[1] ** 2) for bone in (forearm, hand)) / (24 * 3)
    assert losses.joints.item() == pytest.approx(expected, rel=1e-4)


def test_weights_are_those_published():
    ones = DanceLosses(*(torch.tensor(value) for value in (1.0, 10.0, 100.0, 1000.0)))
    assert ones.total(LossConfig()).item() == pytest.approx(0.636 + 29.64 + 64.6 + 10942.0)


def test_gradient_is_finite_at_a_standing_figure():
    predicted = standing().requires_grad_()
    losses_of(predicted, torch.rand(2, 5, 151), IDENTITY_SCALER, "normalised").total(
        LossConfig()
    ).backward()
    assert predicted.grad.isfinite().all()


def test_unknown_space_and_wrong_shapes_are_refused():
    with pytest.raises(UserError, match="metric, normalised"):
        LossConfig(fk_space="world")
    with pytest.raises(ValueError, match="151"):
        losses_of(torch.zeros(1, 2, 150), torch.zeros(1, 2, 150), IDENTITY_SCALER, "metric")


def test_times_are_weighted_by_their_clipped_signal_to_noise_ratio():
    abar = torch.tensor([0.9, 0.5, 0.1])  # SNR 9, 1 and 1/9
    weights = time_weights(abar, 5.0)
    torch.testing.assert_close(weights / weights[1], torch.tensor([5.0, 1.0, 1 / 9]))
    assert weights.mean().item() == pytest.approx(1.0)
    assert time_weights(abar, 0.0).tolist() == [1.0, 1.0, 1.0]


def test_a_window_counts_by_its_weight():
    target = standing()
    predicted = target.clone()
    predicted[0, ..., 4] += 0.3
    plain, none = (
        losses_of(predicted, target, IDENTITY_SCALER, "normalised", weights)
        for weights in (torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]))
    )
    assert plain.reconstruction.item() == pytest.approx(0.09 / 151)
    assert [term.item() for term in none[:3]] == pytest.approx([0.0] * 3, abs=1e-12)
