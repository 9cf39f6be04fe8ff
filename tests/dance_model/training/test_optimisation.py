"""Adan and the moving average on numbers worked out by hand: the library's is the paper's, and EDGE's."""

import pytest
import torch
from pytorch_optimizer import Adan
from torch import nn

from dance_model.training.ema import ExponentialMovingAverage

LR, B1, B2, B3 = 0.1, 0.02, 0.08, 0.01


def step_with(optimiser, parameter, gradient):
    parameter.grad = torch.tensor([gradient])
    optimiser.step()


def test_two_steps_of_adan_by_hand():
    parameter = nn.Parameter(torch.tensor([1.0]))
    optimiser = Adan([parameter], lr=LR, betas=(1 - B1, 1 - B2, 1 - B3), eps=0.0)
    step_with(optimiser, parameter, 2.0)
    # Bias correction makes the first step -lr g / |g|.
    assert parameter.item() == pytest.approx(1.0 - LR, rel=1e-5)
    step_with(optimiser, parameter, 3.0)
    m = ((1 - B1) * B1 * 2 + B1 * 3) / (1 - (1 - B1) ** 2)
    v = B2 * 1.0 / (1 - (1 - B2) ** 2)
    n = ((1 - B3) * B3 * 4 + B3 * (3 + (1 - B2)) ** 2) / (1 - (1 - B3) ** 2)
    assert parameter.item() == pytest.approx(0.9 - LR * (m + (1 - B2) * v) / n**0.5, rel=1e-5)


def test_weight_decay_shrinks_by_its_share():
    parameter = nn.Parameter(torch.tensor([1.0]))
    step_with(Adan([parameter], lr=LR, eps=0.0, weight_decay=0.5), parameter, 1.0)
    assert parameter.item() == pytest.approx((1.0 - LR) / 1.05, rel=1e-5)


def test_adan_goes_on_from_its_saved_state():
    def run(gradients, optimiser, parameter):
        for gradient in gradients:
            step_with(optimiser, parameter, gradient)
        return parameter.item()

    whole = nn.Parameter(torch.tensor([1.0]))
    expected = run([1.0, -2.0, 0.5], Adan([whole], lr=LR), whole)
    parted = nn.Parameter(torch.tensor([1.0]))
    first = Adan([parted], lr=LR)
    run([1.0, -2.0], first, parted)
    second = Adan([parted], lr=LR)
    second.load_state_dict(first.state_dict())
    assert run([0.5], second, parted) == expected


def weighing(value):
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, value)
    return model


def test_average_moves_by_one_minus_decay():
    model = weighing(0.0)
    ema = ExponentialMovingAverage(model, decay=0.9, warm_up=False)
    nn.init.constant_(model.weight, 1.0)
    ema.update(model)
    ema.update(model)
    ema.copy_to(model)
    assert model.weight.item() == pytest.approx(1 - 0.9**2)


def test_warm_up_forgets_the_initial_weights():
    model = weighing(5.0)
    ema = ExponentialMovingAverage(model, decay=0.9999)
    nn.init.constant_(model.weight, 1.0)
    ema.update(model)  # decay 1 / 10
    ema.copy_to(model)
    assert model.weight.item() == pytest.approx(0.1 * 5 + 0.9 * 1)


def test_applied_lends_the_average_and_returns_the_weights_even_on_errors():
    model = weighing(0.0)
    ema = ExponentialMovingAverage(model, decay=0.5, warm_up=False)
    nn.init.constant_(model.weight, 2.0)
    ema.update(model)
    with pytest.raises(RuntimeError), ema.applied_to(model):
        assert model.weight.item() == 1.0
        raise RuntimeError
    assert model.weight.item() == 2.0


def test_average_goes_on_from_its_saved_state():
    model = weighing(0.0)
    ema = ExponentialMovingAverage(model, decay=0.9)
    nn.init.constant_(model.weight, 1.0)
    ema.update(model)
    other = ExponentialMovingAverage(weighing(7.0), decay=0.9)
    other.load_state_dict(ema.state_dict())
    assert other.n_updates == 1
    other.copy_to(model)
    assert model.weight.item() == pytest.approx(0.9)
