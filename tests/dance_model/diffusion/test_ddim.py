"""DDIM steps, their densities, and sampling, against the published chain."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from dance_model.diffusion.ddim import (
    SamplingConfig,
    ddim_step,
    gaussian_log_prob,
    generator_for,
    sample,
)
from dance_model.diffusion.predictor import Predictor, predict_x0
from dance_model.diffusion.schedule import cosine_schedule, ddim_steps
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage.errors import UserError

STEPS = ddim_steps(cosine_schedule())
ORIGINAL_SIGMA_FLOOR = 1e-6


def at(step, batch):
    return torch.full((batch,), step.time)


@pytest.fixture(scope="module")
def chain(reference):
    with np.load(reference / "diffusion.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.fixture(scope="module")
def edge_model(reference):
    config = DenoiserConfig(latent_width=64, feedforward_width=128, n_layers=2, n_heads=4, dropout=0.0)
    with np.load(reference / "edge_small.npz") as file:
        weights = {name[3:]: torch.from_numpy(file[name]) for name in file.files if name.startswith("sd/")}
        music = torch.from_numpy(file["cond"])
    model = DanceDecoder(config).eval()
    model.load_state_dict(weights)
    return model, music


@pytest.fixture
def tiny_model():
    torch.manual_seed(0)
    return DanceDecoder(DenoiserConfig(5, 8, 16, 16, 1, 2, 3)).eval()


def chosen_steps(chain):
    return [(row, STEPS[index]) for row, index in enumerate(chain["step_index"].tolist())]


def test_drawn_steps_equal_the_published_chain(chain):
    for row, step in chosen_steps(chain):
        drawn = ddim_step(
            chain["step_x_t"][row], chain["step_x0_pred"][row], step, noise=chain["step_noise"][row]
        )
        torch.testing.assert_close(drawn.mean, chain["step_mean"][row], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(drawn.x_next, chain["step_x_next"][row], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("suffix", ["", "_perturbed"])
def test_scored_steps_equal_the_published_log_probabilities(chain, suffix):
    for row, step in chosen_steps(chain):
        scored = ddim_step(
            chain["step_x_t"][row],
            chain[f"step_x0_pred{suffix}"][row],
            step,
            x_next=chain["step_x_next"][row],
            sigma_floor=ORIGINAL_SIGMA_FLOOR,
        )
        published = chain[f"step_logprob_per_frame{suffix}"][row]
        torch.testing.assert_close(scored.log_prob, published, atol=1e-4, rtol=1e-4)


def test_first_prediction_of_the_chain_equals_edge(chain, edge_model):
    model, music = edge_model
    with torch.no_grad():
        x0 = predict_x0(model, chain["x_T"], at(STEPS[0], 2), model.encode_guided(music), guidance=2.0)
    torch.testing.assert_close(x0[:, :30], chain["step_x0_pred"][0], atol=1e-4, rtol=0)


def test_gaussian_log_prob_of_hand_computed_values():
    log_prob = gaussian_log_prob(torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2), sigma=2.0)
    expected = -(1 / 8 + 9 / 8) / 2 - math.log(2.0) - 0.5 * math.log(2 * math.pi)
    assert log_prob.item() == pytest.approx(expected, rel=1e-6)


def test_last_step_returns_its_prediction_and_has_no_density():
    x_t = torch.randn(2, 3, 4)
    x0 = torch.rand(2, 3, 4, requires_grad=True)
    drawn = ddim_step(x_t, x0, STEPS[-1], noise=torch.randn(2, 3, 4))
    torch.testing.assert_close(drawn.x_next, x0)
    assert drawn.log_prob.abs().max() == 0
    assert not drawn.log_prob.requires_grad


def test_a_step_is_either_drawn_or_scored():
    x = torch.zeros(1, 2, 3)
    with pytest.raises(ValueError, match="either noise"):
        ddim_step(x, x, STEPS[0])
    with pytest.raises(ValueError, match="either noise"):
        ddim_step(x, x, STEPS[0], noise=x, x_next=x)


def test_log_ratio_is_zero_before_any_update(tiny_model):
    music = torch.randn(3, 8, 3)
    samples = sample(tiny_model, music, generator_for(tiny_model, 1), record=True)
    encoding = tiny_model.encode_guided(music)
    for index, step in enumerate(samples.steps):
        x_t, x_next = samples.trajectory[index], samples.trajectory[index + 1]
        scored = ddim_step(x_t, predict_x0(tiny_model, x_t, at(step, 3), encoding, 2.0), step, x_next=x_next)
        torch.testing.assert_close(scored.log_prob, samples.log_prob[index], atol=0, rtol=0)


def test_log_ratio_moves_with_the_weights(tiny_model):
    music = torch.randn(2, 8, 3)
    samples = sample(tiny_model, music, generator_for(tiny_model, 1), record=True)
    with torch.no_grad():
        tiny_model.final_layer.bias += 0.05
        encoding = tiny_model.encode_guided(music)
        x0 = predict_x0(tiny_model, samples.trajectory[40], at(STEPS[40], 2), encoding, 2.0)
        scored = ddim_step(samples.trajectory[40], x0, STEPS[40], x_next=samples.trajectory[41])
    assert (scored.log_prob - samples.log_prob[40]).abs().max() > 1e-4


def test_sampling_is_seeded_and_within_range(tiny_model):
    music = torch.randn(2, 8, 3)
    config = SamplingConfig(n_steps=5)
    first, again, other = (
        sample(tiny_model, music, generator_for(tiny_model, seed), config).x0 for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (2, 8, 5)
    assert first.abs().max() <= 1.0


def test_recording_keeps_every_state_and_changes_nothing(tiny_model):
    music = torch.randn(2, 8, 3)
    config = SamplingConfig(n_steps=4)
    plain = sample(tiny_model, music, generator_for(tiny_model, 0), config)
    recorded = sample(tiny_model, music, generator_for(tiny_model, 0), config, record=True)
    assert plain.trajectory is None
    assert recorded.trajectory.shape == (5, 2, 8, 5)
    assert recorded.log_prob.shape == (4, 2, 8)
    assert torch.equal(recorded.trajectory[-1], recorded.x0)
    assert torch.equal(plain.x0, recorded.x0)


def test_refinement_of_x0_reaches_the_sample(tiny_model):
    def lift_last(x0, step):
        return x0.clone().fill_(0.25) if step.time_next < 0 else x0

    samples = sample(
        tiny_model, torch.randn(1, 8, 3), generator_for(tiny_model, 0), SamplingConfig(n_steps=3),
        refine_x0=lift_last,
    )
    assert samples.x0.eq(0.25).all()


def test_a_model_that_knows_the_answer_is_sampled_exactly(tiny_model):
    """With a constant prediction the chain must end at it, whatever the noise."""
    with torch.no_grad():
        tiny_model.final_layer.weight.zero_()
        tiny_model.final_layer.bias.copy_(torch.linspace(-0.8, 0.8, 5))
    x0 = sample(tiny_model, torch.randn(1, 8, 3), generator_for(tiny_model, 0)).x0
    torch.testing.assert_close(x0[0, 0], torch.linspace(-0.8, 0.8, 5))


def test_bf16_predictions_are_near_those_in_float32(edge_model):
    model, music = edge_model
    x = torch.randn(len(music), 150, 151, generator=torch.Generator().manual_seed(0))
    exact, rounded = (Predictor(model, music, precision)(x, 500, 2.0) for precision in ("float32", "bf16"))
    assert rounded.dtype == torch.float32
    difference = ((exact - rounded).norm() / exact.norm()).item()
    assert 0.0 < difference < 0.02
    with pytest.raises(UserError, match="bf16"):
        Predictor(model, music, "half")


@pytest.mark.parametrize("form", [{}, {"data_std": 0.3}, {"cutoff_hz": 6.0}])
def test_bf16_does_not_round_the_motion_itself(form):
    """A network in 16 bits that says 0 leaves what is added to it in 32."""
    torch.manual_seed(0)
    model = DanceDecoder(DenoiserConfig(5, 20, 16, 16, 1, 2, 3, 0.0, **form)).eval()
    with torch.no_grad():
        model.final_layer.weight.zero_()
        model.final_layer.bias.copy_(torch.linspace(-0.8, 0.8, 5))
    x, music = 0.1 * torch.randn(2, 20, 5), torch.randn(2, 20, 3)
    exact, ours = (Predictor(model, music, precision)(x, 19, 2.0) for precision in ("float32", "bf16"))
    torch.testing.assert_close(ours, exact, atol=1e-6, rtol=0)


def test_bf16_does_not_round_the_noisy_motion_before_the_network_sees_it():
    """Frames that differ by less than 16 bits can tell at 2 are told apart all the same."""
    torch.manual_seed(0)
    model = DanceDecoder(DenoiserConfig(5, 20, 16, 16, 1, 2, 3, 0.0)).eval()
    with torch.no_grad():
        model.input_projection.weight.mul_(50)
        model.input_projection.bias.copy_(-2 * model.input_projection.weight.sum(dim=1))
    x, music = 2 + 0.004 * torch.randn(2, 20, 5), torch.randn(2, 20, 3)
    exact, ours = (Predictor(model, music, precision)(x, 19, 1.0) for precision in ("float32", "bf16"))
    assert ((ours - exact).norm() / (exact - exact.mean(dim=1, keepdim=True)).norm()).item() < 0.1


def test_predictions_are_held_within_the_place_range():
    config = DenoiserConfig(5, 20, 16, 16, 1, 2, 3, 0.0)
    for bound in (1.0, 4.0):
        model = DanceDecoder(replace(config, place_range=bound)).eval()
        with torch.no_grad():
            model.final_layer.weight.zero_()
            model.final_layer.bias.copy_(torch.tensor([-9.0, -2.0, 0.5, 2.0, 9.0]))
        predicted = Predictor(model, torch.randn(1, 20, 3))(torch.randn(1, 20, 5), 500, 1.0)[0, 0]
        assert predicted.tolist() == pytest.approx([-bound, -min(2.0, bound), 0.5, min(2.0, bound), bound])
    with pytest.raises(UserError, match="place_range must be from 1 to 1000, not 0.5"):
        replace(config, place_range=0.5)


def test_guidance_of_one_takes_half_the_work_and_others_both_halves():
    torch.manual_seed(0)
    model = DanceDecoder(DenoiserConfig(5, 8, 16, 16, 1, 2, 3)).eval()
    x, times, seen = torch.randn(2, 8, 5), torch.tensor([3, 700]), []
    forward = model.forward_encoded
    model.forward_encoded = lambda x, *rest: seen.append(len(x)) or forward(x, *rest)
    with torch.no_grad():
        encoding = model.encode_guided(torch.randn(2, 8, 3))
        one, as_tensor, none = (
            model.guided_forward(x, times, encoding, weight) for weight in (1.0, torch.ones(2, 1, 1), 0.0)
        )
        double = model.guided_forward(x, times, encoding, 2.0)
    assert seen == [2, 4, 4, 4]
    torch.testing.assert_close(one, as_tensor, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(double, 2.0 * one - none, atol=1e-5, rtol=1e-5)


def test_motions_times_and_music_must_be_as_many():
    model = DanceDecoder(DenoiserConfig(5, 8, 16, 16, 1, 2, 3)).eval()
    encoding = model.encode_guided(torch.randn(2, 8, 3))
    with pytest.raises(ValueError, match="as many of each: 3 motions, 3 times, 4 windows of encoded music"):
        model.forward_encoded(torch.randn(3, 8, 5), torch.tensor([1, 2, 3]), encoding)
