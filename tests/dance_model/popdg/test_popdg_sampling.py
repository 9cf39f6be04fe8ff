"""EDGE's diffusion with POPDG's denoiser: sampling, long dances, the policy gradient, regression, music's scale."""

from dataclasses import replace

import pytest
import torch

from dance_model.dance_policy import RolloutOptions
from dance_model.diffusion.ddim import SamplingConfig
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.long import sample_long, stitch
from dance_model.diffusion.schedule import cosine_schedule
from dance_model.diffusion_policy import PopdgPolicy, as_policy
from dance_model.popdg.popdg_denoiser import PopdgConfig, PopdgDenoiser
from dance_model.training.joint_positions import kinematic_tree
from dance_model.training.music_scaling import MusicScaler
from dance_model.training.popdg_losses import Denoised, PopdgLossConfig, popdg_losses
from rl_finetune.algorithms.policy_gradient import GradientConfig, accumulate_gradient
from skeleton2stage.motion.motion_layout import POPDG, encode
from skeleton2stage.motion.scaler import MinMaxScaler

OPTIONS = RolloutOptions(n_steps=6)
CONFIG = GradientConfig(4, 5)
EVERYONE = slice(0, 4)
TINY = PopdgConfig(
    window_frames=10, latent_width=16, feedforward_width=16, n_layers=1, n_heads=2, music_width=35, joint_heads=1,
    dropout=0.1, convolutions="none",
)


@pytest.fixture
def denoiser():
    torch.manual_seed(0)
    return PopdgDenoiser(TINY).eval()


@pytest.fixture
def policy(denoiser):
    scaler = MinMaxScaler.fit(torch.randn(50, 156, generator=torch.Generator().manual_seed(4)))
    return as_policy(DanceModel(denoiser, POPDG, scaler))


@pytest.fixture
def music():
    return torch.randn(4, 10, 35, generator=torch.Generator().manual_seed(1))


def rolled_out(policy, music, **changes):
    return policy.with_options(replace(OPTIONS, **changes)).roll_out(music, torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 2e-5), ("bf16", 2e-2)])
def test_what_was_sampled_scores_the_same_before_any_update(policy, music, precision, tolerance):
    rollout = rolled_out(policy, music, precision=precision)
    steps = policy.scored_steps(rollout)
    assert steps == [0, 1, 2, 3, 4]
    with torch.no_grad():
        rescored = policy.log_prob(rollout, EVERYONE, steps)
    torch.testing.assert_close(rescored, policy.recorded_log_prob(rollout)[steps], atol=tolerance, rtol=1e-5)


def test_without_noise_sampling_is_a_function_of_its_start(policy, music):
    same, again, noisy = (rolled_out(policy, music, eta=eta).trace.x0 for eta in (0.0, 0.0, 1.0))
    assert torch.equal(same, again) and not torch.equal(same, noisy)
    assert same.abs().max() <= 1


def test_gradients_in_parts_are_those_of_all_at_once(policy, music):
    rollout, advantages = rolled_out(policy, music), torch.randn(4, 10, generator=torch.Generator().manual_seed(3))
    found = []
    for dances, steps in ((4, 5), (2, 2)):
        policy.module.zero_grad()
        config = replace(CONFIG, dances_per_pass=dances, steps_per_pass=steps)
        accumulate_gradient(policy, rollout, advantages, policy.scored_steps(rollout), config)
        found.append({name: p.grad.clone() for name, p in policy.module.named_parameters() if p.grad is not None})
    untrained = set(dict(policy.module.named_parameters())) - set(found[0])
    assert untrained == {"variance_layer.weight", "variance_layer.bias"}  # of no use to DDIM
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, atol=1e-6, rtol=1e-3, msg=name)


def test_an_update_raises_what_had_an_advantage(policy, music):
    rollout = rolled_out(policy, music)
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0])[:, None].expand(4, 10)
    steps = policy.scored_steps(rollout)
    accumulate_gradient(policy, rollout, advantages, steps, CONFIG)
    with torch.no_grad():
        for parameter in policy.parameters():
            if parameter.grad is not None:
                parameter -= 1e-4 * parameter.grad / parameter.grad.norm().clamp(min=1e-9)
        change = policy.log_prob(rollout, EVERYONE, steps) - policy.recorded_log_prob(rollout)[steps]
    assert (advantages * change).mean() > 0


def test_windows_of_a_long_dance_agree_where_they_overlap(denoiser):
    windows = sample_long(denoiser, [torch.randn(3, 10, 35)], torch.Generator().manual_seed(2), SamplingConfig(6))[0]
    assert windows.shape == (3, 10, 156)
    motion = stitch(windows, POPDG)
    assert (len(motion), motion.contacts.shape) == (20, (20, 9))


def test_a_scaler_of_music_folds_in_and_out(denoiser, music):
    scaler = MusicScaler(torch.randn(35), torch.rand(35) + 0.5)
    x, times = torch.randn(4, 10, 156), torch.full((4,), 300)
    with torch.no_grad():
        expected = denoiser(x, scaler(music), times)
        scaler.fold_into(denoiser)
        torch.testing.assert_close(denoiser(x, music, times), expected, atol=1e-5, rtol=1e-5)
        scaler.unfold_from(denoiser)
        torch.testing.assert_close(denoiser(x, scaler(music), times), expected, atol=1e-5, rtol=1e-5)


def test_a_dance_model_holds_it(policy, music):
    assert isinstance(policy, PopdgPolicy) and policy.family == "popdg"
    motions = policy.model.motions(rolled_out(policy, music).trace.x0)
    assert [motion.contacts.shape for motion in motions] == [(10, 9)] * 4


def test_training_lowers_the_error(music):
    torch.manual_seed(0)
    schedule, tree = cosine_schedule(), kinematic_tree(torch.device("cpu"))
    clean = encode(0.3 * torch.randn(4, 1, 24, 3).expand(4, 10, 24, 3), torch.zeros(4, 10, 3), POPDG)
    scaler = MinMaxScaler(torch.ones(156), torch.zeros(156))
    # At the published 1000.942 so young a network first learns vectors so long that nothing moves them.
    denoiser, config = PopdgDenoiser(replace(TINY, dropout=0.0)), PopdgLossConfig(body=10.942)
    optimiser, errors = torch.optim.Adam(denoiser.parameters(), lr=3e-3), []
    for _ in range(100):
        times = torch.randint(1000, (4,))
        noisy = schedule.add_noise(clean, times, torch.randn_like(clean))
        predicted, variance = denoiser(noisy, music, times, 0.25, with_variance=True)
        step = Denoised(predicted, variance, clean, noisy, times)
        losses = popdg_losses(step, torch.ones(4), POPDG, scaler, config, tree, schedule)
        optimiser.zero_grad()
        losses.total(config).backward()
        optimiser.step()
        errors.append(losses.reconstruction.item())
    assert sum(errors[-10:]) < 0.25 * sum(errors[:10])
