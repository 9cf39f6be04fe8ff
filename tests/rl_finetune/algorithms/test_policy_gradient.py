import math
from dataclasses import replace

import pytest
import torch

from dance_model.diffusion.ddim import SamplingConfig, ddim_step, sample
from dance_model.diffusion.predictor import precision_context, predict_x0
from dance_model.edge.denoiser import DanceDecoder, DenoiserConfig
from rl_finetune.algorithms.policy_gradient import (
    GradientConfig,
    StepChoice,
    accumulate_gradient,
    step_log_probs,
    stochastic_steps,
)

SAMPLING = SamplingConfig(n_steps=6)
CONFIG = GradientConfig(SAMPLING.guidance, 4, 5)
TINY = DenoiserConfig(
    window_frames=8, latent_width=16, feedforward_width=16, n_layers=1, n_heads=2, music_width=5, dropout=0.1
)


@pytest.fixture(params=[False, True], ids=["edge", "frame_music"])
def model(request) -> DanceDecoder:
    torch.manual_seed(0)
    return DanceDecoder(replace(TINY, frame_music=request.param)).eval()


@pytest.fixture()
def music() -> torch.Tensor:
    return torch.randn(4, 8, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture()
def samples(model, music):
    return sample(model, music, torch.Generator().manual_seed(2), SAMPLING, record=True)


def gradient(model, samples, music, advantages, steps, dances_per_pass=2, steps_per_pass=2):
    model.zero_grad()
    config = GradientConfig(SAMPLING.guidance, dances_per_pass, steps_per_pass)
    loss = accumulate_gradient(model, samples, music, advantages, steps, config)
    return loss, {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def test_the_last_step_is_left_out(samples):
    assert stochastic_steps(samples) == [0, 1, 2, 3, 4]


# On one H100, 64 dances of the shipped model, 50 steps: float32 up to 1.2e-6 at times above 100, 4.5e-6 below; bf16 0.
TOLERANCES = {"float32": 2e-5, "bf16": 2e-2}


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("precision", TOLERANCES)
def test_what_was_sampled_scores_the_same_before_any_update(model, music, device, precision, compiled):
    model, music = model.to(device), music.to(device)
    sampling = replace(SAMPLING, precision=precision, compiled=compiled)
    samples = sample(model, music, torch.Generator(device).manual_seed(2), sampling, record=True)
    config = replace(CONFIG, precision=precision, compiled=compiled)
    steps = stochastic_steps(samples)
    with torch.no_grad(), precision_context(model.device, precision):
        encoding = model.encode_guided(music)
    with torch.no_grad():
        rescored = step_log_probs(model, samples, slice(0, 4), encoding, steps, config)
    torch.testing.assert_close(rescored, samples.log_prob[steps], atol=TOLERANCES[precision], rtol=1e-5)


def test_bf16_is_not_float32(model, music):
    """Or the test above would say nothing of it."""
    seed = torch.Generator().manual_seed
    plain = sample(model, music, seed(2), SAMPLING)
    coarse = sample(model, music, seed(2), replace(SAMPLING, precision="bf16"))
    assert 1e-4 < (plain.x0 - coarse.x0).abs().max() < 0.2


def test_before_any_update_a_clipped_ratio_has_the_plain_gradient(model, samples, music):
    advantages = torch.randn(4, 8, generator=torch.Generator().manual_seed(3))
    steps = stochastic_steps(samples)
    _, plain = gradient(model, samples, music, advantages, steps)
    model.zero_grad()
    loss = accumulate_gradient(model, samples, music, advantages, steps, replace(CONFIG, clip_range=0.1))
    assert loss == pytest.approx(-float(advantages.mean()) * len(steps) / SAMPLING.n_steps, abs=1e-4)
    for name, value in plain.items():
        torch.testing.assert_close(dict(model.named_parameters())[name].grad, value, atol=1e-5, rtol=1e-3)


def test_beyond_the_clip_nothing_is_gained(model, samples, music):
    """Recorded as less likely than they are: good dances have their ratio above the clip already."""
    before = replace(samples, log_prob=samples.log_prob - 1.0)
    steps = stochastic_steps(samples)
    model.zero_grad()
    accumulate_gradient(model, before, music, torch.ones(4, 8), steps, replace(CONFIG, clip_range=0.1))
    assert all(not parameter.grad.any() for parameter in model.parameters() if parameter.grad is not None)
    accumulate_gradient(model, before, music, -torch.ones(4, 8), steps, replace(CONFIG, clip_range=0.1))
    assert any(parameter.grad.any() for parameter in model.parameters() if parameter.grad is not None)


def test_steps_are_drawn_from_those_noisy_enough(samples):
    seed = torch.Generator().manual_seed
    assert StepChoice().draw(samples, seed(0)) == [0, 1, 2, 3, 4]
    least = samples.steps[2].time
    assert StepChoice(0, least).draw(samples, seed(0)) == [0, 1, 2]
    drawn = {tuple(StepChoice(2, least).draw(samples, seed(number))) for number in range(40)}
    assert drawn == {(0, 1), (0, 2), (1, 2)}


def test_the_loss_is_the_published_sum(model, samples, music):
    """-(1/S) sum over steps of the mean over dances and frames of A log p, by the plain formula."""
    advantages = torch.randn(4, 8, generator=torch.Generator().manual_seed(3))
    steps = stochastic_steps(samples)
    loss, _ = gradient(model, samples, music, advantages, steps)
    expected = -sum(float((advantages * samples.log_prob[step]).mean()) for step in steps) / SAMPLING.n_steps
    assert loss == pytest.approx(expected, rel=1e-4)


def test_the_gradient_is_that_of_the_plain_loss(model, samples, music):
    """Cutting the music's encoding off and back-propagating it last changes nothing."""
    advantages = torch.randn(4, 8, generator=torch.Generator().manual_seed(3))
    _, ours = gradient(model, samples, music, advantages, stochastic_steps(samples))
    model.zero_grad()
    encoding = model.encode_guided(music)
    total = 0.0
    for index in stochastic_steps(samples):
        x_t, x_next = samples.trajectory[index], samples.trajectory[index + 1]
        step = samples.steps[index]
        x0 = predict_x0(model, x_t, torch.full((len(x_t),), step.time), encoding, SAMPLING.guidance)
        scored = ddim_step(x_t, x0, step, x_next=x_next)
        total = total - (advantages * scored.log_prob).mean() / SAMPLING.n_steps
    total.backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(ours[name], parameter.grad, atol=1e-5, rtol=1e-3, msg=name)


def test_how_the_work_is_cut_does_not_matter(model, samples, music):
    advantages = torch.randn(4, 8, generator=torch.Generator().manual_seed(3))
    steps = stochastic_steps(samples)
    _, small = gradient(model, samples, music, advantages, steps, 1, 1)
    _, large = gradient(model, samples, music, advantages, steps, 4, 5)
    for name, value in small.items():
        torch.testing.assert_close(value, large[name], atol=1e-5, rtol=1e-3)


def test_a_subset_of_steps_is_scaled_up(model, samples, music):
    """Averaged over every single step alone, the estimate is the gradient over all."""
    advantages = torch.ones(4, 8)
    steps = stochastic_steps(samples)
    whole, _ = gradient(model, samples, music, advantages, steps)
    single = [gradient(model, samples, music, advantages, [step])[0] for step in steps]
    assert sum(single) / len(single) == pytest.approx(whole, rel=1e-5)


def test_a_step_along_the_gradient_makes_good_dances_likelier(model, samples, music):
    """With +1 for two dances and -1 for the others, the first gain probability on the others."""
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0])[:, None].expand(4, 8)
    steps = stochastic_steps(samples)
    gradient(model, samples, music, advantages, steps)
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters() if p.grad is not None))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 1e-3 / norm * parameter.grad
        rescored = step_log_probs(model, samples, slice(0, 4), model.encode_guided(music), steps, CONFIG)
    gained = (rescored - samples.log_prob[steps]).mean(dim=(0, 2))
    assert gained[:2].mean() > gained[2:].mean()
