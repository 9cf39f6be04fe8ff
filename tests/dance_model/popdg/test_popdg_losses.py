"""POPDG's losses against those of its own code, and on cases whose answers are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import popdg_samples as samples
import pytest
import torch

from dance_model.diffusion.schedule import cosine_schedule
from dance_model.training.joint_positions import kinematic_tree
from dance_model.training.popdg_losses import (
    Denoised,
    PopdgLossConfig,
    PopdgLosses,
    log_variance,
    popdg_losses,
    posterior_mean,
    variational_bound,
)
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import POPDG, encode
from skeleton2stage.motion.scaler import MinMaxScaler

SCHEDULE = cosine_schedule()
IDENTITY = MinMaxScaler(torch.ones(156), torch.zeros(156))
PUBLISHED = Path(__file__).parent / "popdg_reference.npz"


def denoised(**changes):
    clean, predicted, noise, variance, times = samples.loss_inputs()
    noisy = SCHEDULE.add_noise(clean, times, noise)
    return Denoised(predicted, variance, clean, noisy, times)._replace(**changes)


def losses_of(step, config=PopdgLossConfig()):  # noqa: B008 - frozen
    tree = kinematic_tree(step.clean.device)
    return popdg_losses(step, torch.ones(len(step.clean)), POPDG, IDENTITY, config, tree, SCHEDULE)


def test_losses_equal_popdgs():
    with np.load(PUBLISHED) as file:
        weighted, bits = file["weighted_losses"], file["variational_bits"]
    config = PopdgLossConfig()
    found = [getattr(config, name) * term.item() for name, term in losses_of(denoised())._asdict().items()]
    assert found == pytest.approx(weighted.tolist(), rel=1e-5)
    assert losses_of(denoised()).total(config).item() == pytest.approx(weighted.sum(), rel=1e-5)
    np.testing.assert_allclose(variational_bound(denoised(), SCHEDULE).numpy(), bits, rtol=1e-4)


def test_a_hand_that_moves_while_it_touches_counts():
    poses = torch.zeros(1, 4, 24, 3)
    poses[0, 2:, 18, 2] = 0.3  # the left elbow bends between frames 1 and 2: wrist and hand move, nothing else
    still, motion = (encode(p, torch.zeros(1, 4, 3), POPDG) for p in (torch.zeros_like(poses), poses))
    motion[..., POPDG.contacts] = 0.0
    step = denoised(clean=still, noisy=still, variance=torch.zeros_like(still), times=torch.tensor([500]))
    assert losses_of(step._replace(predicted=motion)).body.item() == 0.0
    motion[:, 1, 147 + POPDG.contact_joints.index(20)] = 1.0
    wrist = losses_of(step._replace(predicted=motion)).body.item()
    motion[:, 1, 147 + POPDG.contact_joints.index(22)] = 1.0
    both = losses_of(step._replace(predicted=motion)).body.item()
    motion[:, 1, POPDG.contacts] = 1.0
    assert 0.0 < wrist < both == losses_of(step._replace(predicted=motion)).body.item()


def test_variance_lies_between_the_posteriors_and_beta():
    times = torch.tensor([300])
    ends = [log_variance(torch.full((1, 1, 1), v), times, SCHEDULE).item() for v in (-1.0, 1.0, 0.0)]
    low, high = (table[300].log().item() for table in (SCHEDULE.posterior_variance, SCHEDULE.betas))
    assert ends == pytest.approx([low, high, (low + high) / 2])


def test_the_bound_is_zero_for_the_true_posterior_and_grows_with_the_error():
    clean = denoised().clean
    times = torch.tensor([150, 500, 800])
    exact = denoised(predicted=clean, variance=-torch.ones_like(clean), times=times)
    torch.testing.assert_close(variational_bound(exact, SCHEDULE), torch.zeros(3), atol=1e-6, rtol=0)
    off = exact._replace(predicted=(clean + 0.1).clamp(-1, 1))
    farther = exact._replace(predicted=(clean + 0.2).clamp(-1, 1))
    assert (variational_bound(farther, SCHEDULE) > variational_bound(off, SCHEDULE)).all()
    assert (variational_bound(off, SCHEDULE) > 0).all()


def test_posterior_mean_of_hand_computed_values():
    beta, abar, before = (float(t) for t in (SCHEDULE.betas[1], *SCHEDULE.alphas_cumprod[[1, 0]]))
    expected = (beta * before**0.5 * 0.5 + (1 - before) * (1 - beta) ** 0.5 * 0.25) / (1 - abar)
    x0, x_t = torch.full((1, 1, 1), 0.5), torch.full((1, 1, 1), 0.25)
    assert posterior_mean(x0, x_t, torch.tensor([1]), SCHEDULE).item() == pytest.approx(expected, rel=1e-4)
    assert posterior_mean(x0, x_t, torch.tensor([0]), SCHEDULE).item() == pytest.approx(0.5, rel=1e-3)


def test_a_wider_range_opens_its_bins_at_its_own_ends():
    clean = torch.full((1, 1, 1), 1.5)
    step = Denoised(clean, torch.zeros_like(clean), clean, clean, torch.tensor([0]))
    inside, end = (variational_bound(step, SCHEDULE, bound) for bound in (2.0, 1.5))
    assert end < inside


@pytest.mark.parametrize("mean_gradient", [False, True])
def test_the_bound_teaches_the_variance_and_the_mean_only_where_asked(mean_gradient):
    step = denoised()
    step = step._replace(predicted=step.predicted.requires_grad_(), variance=step.variance.requires_grad_())
    config = PopdgLossConfig(mean_gradient=mean_gradient)
    losses_of(step, config).variational.backward()
    assert step.variance.grad.isfinite().all() and step.variance.grad.abs().sum() > 0
    assert (step.predicted.grad is not None) == mean_gradient


def test_gradient_is_finite_and_reaches_the_prediction():
    step = denoised()
    step = step._replace(predicted=step.predicted.requires_grad_())
    losses_of(step).total(PopdgLossConfig()).backward()
    assert step.predicted.grad.isfinite().all() and step.predicted.grad.abs().sum() > 0


def test_weights_are_those_published():
    ones = PopdgLosses(*(torch.tensor(10.0**power) for power in range(5)))
    expected = 0.636 + 2.964 + 64.6 + 1000942.0 + 100.0
    assert ones.total(PopdgLossConfig()).item() == pytest.approx(expected)
    assert ones.total(replace(PopdgLossConfig(), variational=0.0)).item() == pytest.approx(expected - 100.0)


def test_wrong_settings_are_refused():
    with pytest.raises(UserError, match="metric, normalised"):
        PopdgLossConfig(fk_space="world")
    with pytest.raises(UserError, match="variational must be at least 0, not -1"):
        PopdgLossConfig(variational=-1)
