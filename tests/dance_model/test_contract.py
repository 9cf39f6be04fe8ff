"""What every family of dance models promises to fine-tuning, of tiny untrained models of each."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dance_model import families
from dance_model.bailando.bailando_policy import BailandoPolicy
from dance_model.bailando.network import BailandoNetwork, network_config
from dance_model.bailando.training_config import tiny
from dance_model.dance_policy import RolloutOptions
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion_policy import EdgePolicy, PopdgPolicy, as_policy
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from dance_model.popdg.popdg_denoiser import PopdgConfig, PopdgDenoiser
from rl_finetune.drift import DriftProbe
from skeleton2stage.checkpoint import load_checkpoint, save_checkpoint
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import EDGE, POPDG, encode
from skeleton2stage.motion.scaler import MinMaxScaler

TOY = f"{Path(__file__).parents[1] / 'rl_finetune' / 'toy_dance_model.py'}:ToyPolicy"
OPTIONS = RolloutOptions(n_steps=5)
SIZES = {"latent_width": 16, "feedforward_width": 16, "n_layers": 1, "n_heads": 2, "music_width": 35}
CHOSEN = slice(1, 3)
FRAMES = 40  # of the diffusions' windows


def diffusion(denoiser, layout):
    upright = torch.zeros(1, 24, 3)
    upright[:, 0, 0] = torch.pi / 2
    middle = encode(upright[None], torch.tensor([[[0.0, 0.0, 0.95]]]), layout).flatten()
    return as_policy(DanceModel(denoiser, layout, MinMaxScaler.fit(torch.stack((middle - 0.3, middle + 0.3)))))


def edge():
    return diffusion(DanceDecoder(DenoiserConfig(window_frames=FRAMES, dropout=0.1, **SIZES)), EDGE)


def popdg():
    config = PopdgConfig(window_frames=FRAMES, dropout=0.1, joint_heads=1, convolutions="none", **SIZES)
    return diffusion(PopdgDenoiser(config), POPDG)


def bailando():
    """Return a model of six codes a window whose distributions differ from code to code."""
    network = BailandoNetwork(network_config(tiny().network.vqvae.conv, 16, 16, 2, 2, window_frames=36))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        for half in network.vqvae.halves:
            half.codebook.k.normal_()
    return BailandoPolicy(network)


def toy():
    return families.family(TOY)()


FAMILIES = {"edge": edge, "popdg": popdg, "bailando": bailando, "toy": toy}
UNUSED = {"popdg": {"variance_layer.weight", "variance_layer.bias"}}  # of no use to DDIM


@pytest.fixture(params=FAMILIES)
def policy(request):
    torch.manual_seed(0)
    return FAMILIES[request.param]().with_options(OPTIONS)


@pytest.fixture
def music(policy):
    return torch.randn(4, policy.window_frames, 35, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def rollout(policy, music):
    return rolled_out(policy, music)


def rolled_out(policy, music, seed=2, record=True):
    return policy.roll_out(music, torch.Generator().manual_seed(seed), record)


def loaded(path, policy):
    return families.load(path, given=TOY if policy.family == "toy" else None).with_options(policy.options)


def all_equal(first, second):
    """Return whether two batches of dances are the same in every part."""
    return all(a is b is None or torch.equal(a, b) for a, b in zip(first, second, strict=True))


def update(policy, size=0.01):
    """Move every trained parameter a little, each its own way."""
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(size * torch.randn(parameter.shape, generator=generator))


def test_the_family_is_the_one_its_name_says(policy):
    assert policy.family in FAMILIES and policy.music == "baseline"
    if policy.family in families.OWN:
        assert type(policy) is families.family(policy.family)
    assert {EdgePolicy.family, PopdgPolicy.family, BailandoPolicy.family} == set(families.OWN)
    assert not policy.module.training


@pytest.mark.parametrize("record", [True, False])
def test_dances_are_finite_and_as_long_as_a_window(policy, music, record):
    rollout = rolled_out(policy, music, record=record)
    assert len(rollout) == 4 and torch.equal(rollout.music, music) and rollout.n_steps >= 1
    dances = policy.dances(rollout)
    assert dances.poses.shape == (4, policy.window_frames, 24, 3)
    assert dances.translation.shape == (4, policy.window_frames, 3)
    parts = [part for part in dances if part is not None]
    assert all(part.dtype == torch.float32 and part.isfinite().all() and not part.requires_grad for part in parts)
    if dances.contacts is not None:
        assert dances.contacts.shape[:2] == (4, policy.window_frames)
    assert [len(motion) for motion in dances.motions()] == [policy.window_frames] * 4


def test_recording_changes_no_dance(policy, music):
    recorded, plain = (policy.dances(rolled_out(policy, music, record=record)) for record in (True, False))
    assert all_equal(recorded, plain)


def test_the_same_seed_gives_the_same_dances_and_another_others(policy, music):
    first, again, other = (policy.dances(rolled_out(policy, music, seed)) for seed in (3, 3, 4))
    assert all_equal(first, again)
    assert not torch.equal(first.poses, other.poses)


def test_the_generator_is_the_only_source_of_chance(policy, music):
    dances = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        dances.append(policy.dances(rolled_out(policy, music)))
        assert torch.equal(torch.get_rng_state(), before)
    assert all_equal(*dances)


def test_before_any_update_what_was_drawn_scores_as_recorded(policy, rollout):
    steps = policy.scored_steps(rollout)
    assert steps and steps == sorted(set(steps)) and set(steps) <= set(range(rollout.n_steps))
    recorded = policy.recorded_log_prob(rollout)
    assert recorded.shape == (rollout.n_steps, 4, policy.window_frames) and not recorded.requires_grad
    expected = recorded[steps, CHOSEN]
    scored = policy.log_prob(rollout, CHOSEN, steps)
    assert scored.shape == (len(steps), 2, policy.window_frames) and scored.requires_grad
    torch.testing.assert_close(scored.detach(), expected, atol=2e-5, rtol=1e-5)
    with policy.scoring(rollout, CHOSEN) as scores:
        in_parts = torch.cat([scores([step]) for step in steps])
    torch.testing.assert_close(in_parts.detach(), expected, atol=2e-5, rtol=1e-5)
    assert expected.abs().max() > 0.1


def test_steps_are_scored_in_the_order_asked_for(policy, rollout):
    steps = policy.scored_steps(rollout)[::-1]
    expected = policy.recorded_log_prob(rollout)[steps]
    torch.testing.assert_close(policy.log_prob(rollout, slice(0, 4), steps).detach(), expected, atol=2e-5, rtol=1e-5)


def surrogate_gradient(policy, scoring, advantages, parts):
    """Return the gradients, by name, of the sum over steps of the mean of A log p, back-propagated part by part."""
    policy.module.zero_grad(set_to_none=True)
    with scoring as scores:
        for steps in parts:
            (advantages * scores(steps)).mean(dim=(1, 2)).sum().backward()
    return {name: value.grad for name, value in policy.module.named_parameters() if value.grad is not None}


@contextmanager
def plainly(policy, rollout):
    yield lambda steps: policy.log_prob(rollout, CHOSEN, steps)


def test_scoring_in_parts_gives_the_gradient_of_the_plain_loop(policy, rollout):
    advantages = torch.randn(2, policy.window_frames, generator=torch.Generator().manual_seed(3))
    steps = policy.scored_steps(rollout)
    parts = [steps[i : i + 2] for i in range(0, len(steps), 2)]
    ours = surrogate_gradient(policy, policy.scoring(rollout, CHOSEN), advantages, parts)
    plain = surrogate_gradient(policy, plainly(policy, rollout), advantages, [steps])
    assert ours.keys() == plain.keys()
    largest = max(float(value.abs().max()) for value in plain.values())
    assert largest > 1e-4
    for name, value in plain.items():
        torch.testing.assert_close(ours[name], value, atol=1e-5 * max(1.0, largest), rtol=1e-3, msg=name)


def test_the_parameters_are_those_that_get_gradients(policy, rollout):
    advantages = torch.randn(2, policy.window_frames, generator=torch.Generator().manual_seed(3))
    found = surrogate_gradient(
        policy, policy.scoring(rollout, CHOSEN), advantages, [policy.scored_steps(rollout)]
    )
    names = {id(parameter): name for name, parameter in policy.module.named_parameters()}
    trained = {names[id(parameter)] for parameter in policy.parameters()}
    assert trained - set(found) <= UNUSED.get(policy.family, set())
    assert set(found) <= trained


def test_a_step_along_the_gradient_makes_good_dances_likelier(policy, rollout):
    advantages = torch.tensor([1.0, -1.0])[:, None].expand(2, policy.window_frames)
    steps = policy.scored_steps(rollout)
    surrogate_gradient(policy, policy.scoring(rollout, CHOSEN), advantages, [steps])
    gradients = [parameter.grad for parameter in policy.parameters() if parameter.grad is not None]
    norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
    with torch.no_grad():
        for parameter in policy.parameters():
            if parameter.grad is not None:
                parameter.add_(1e-3 / norm * parameter.grad)
        change = policy.log_prob(rollout, CHOSEN, steps) - policy.recorded_log_prob(rollout)[steps, CHOSEN]
    assert (advantages * change).mean() > 0


def test_long_dances_are_as_long_as_their_windows_reach(policy):
    frames = policy.window_frames
    pieces = [torch.randn(count, frames, 35, generator=torch.Generator().manual_seed(count)) for count in (1, 3)]
    seed = torch.Generator().manual_seed
    dances, again, other = (policy.long_dances(pieces, seed(number)) for number in (5, 5, 6))
    for dance, n_frames in zip(dances, (frames, 2 * frames), strict=True):
        assert dance.poses.shape == (1, n_frames, 24, 3) and dance.translation.shape == (1, n_frames, 3)
        assert all(part is None or (part.isfinite().all() and not part.requires_grad) for part in dance)
        assert len(dance.motions()[0]) == n_frames
    assert all(all_equal(*pair) for pair in zip(dances, again, strict=True))
    assert not torch.equal(dances[1].poses, other[1].poses)


def test_saved_whole_it_dances_the_same_when_loaded(policy, music, tmp_path):
    update(policy)
    policy.save(tmp_path / "whole.safetensors", half=False)
    again = loaded(tmp_path / "whole.safetensors", policy)
    assert type(again).__name__ == type(policy).__name__ and not again.module.training
    assert (again.family, again.music, again.window_frames) == (policy.family, policy.music, policy.window_frames)
    assert again.config() == policy.config()
    assert all_equal(*(policy.dances(rolled_out(model, music)) for model in (policy, again)))
    trained = [[p.requires_grad for p in model.module.parameters()] for model in (policy, again)]
    assert trained[0] == trained[1]


def test_saved_in_half_the_bits_it_is_half_as_large_and_saved_again_the_same(policy, music, tmp_path):
    for name, half in (("whole", False), ("half", True)):
        policy.save(tmp_path / f"{name}.safetensors", half)
    whole, half = (sum(v.nbytes for v in loaded_arrays(tmp_path / f"{n}.safetensors")) for n in ("whole", "half"))
    assert half < 0.75 * whole
    again = loaded(tmp_path / "half.safetensors", policy)
    assert all(parameter.dtype == torch.float32 for parameter in again.module.parameters())
    with torch.no_grad():
        apart = [(a - b).abs().max() for a, b in zip(policy.parameters(), again.parameters(), strict=True)]
    assert max(apart) < 5e-3
    again.save(tmp_path / "again.safetensors")
    twice = loaded(tmp_path / "again.safetensors", policy)
    assert all_equal(*(model.dances(rolled_out(model, music)) for model in (again, twice)))


def loaded_arrays(path):
    return load_file(path).values()


def test_a_frozen_copy_does_not_follow(policy, music):
    copy = policy.frozen_copy()
    before = policy.dances(rolled_out(policy, music))
    assert not any(parameter.requires_grad for parameter in copy.module.parameters()) and copy.parameters() == []
    assert policy.parameters() and copy.family == policy.family and copy.options == policy.options
    update(policy, 0.1)
    assert all_equal(copy.dances(rolled_out(copy, music)), before)
    assert not torch.equal(policy.dances(rolled_out(policy, music)).poses, before.poses)


def test_drift_is_nothing_before_an_update_and_above_nothing_after(policy, rollout):
    probe = DriftProbe(policy)
    before = probe.outlook(rollout)
    assert probe.figures(rollout, before) == {"step_size": 0.0, "kl": 0.0}
    sizes = []
    for _ in range(2):
        update(policy)
        figures = probe.figures(rollout, before)
        assert set(figures) == {"step_size", "kl"} and figures["step_size"] > 0 and figures["kl"] > 0
        sizes.append(figures["step_size"])
    assert sizes[1] > sizes[0]


def test_a_familys_usual_estimate_of_the_divergence_is_near_the_exact_one():
    """Of Gaussians of one deviation it is half the squared distance of their means, in deviations."""
    torch.manual_seed(0)
    policy = toy()
    rollout = rolled_out(policy, torch.randn(16, policy.window_frames, 35))
    probe, base = DriftProbe(policy), policy.frozen_copy()
    before = probe.outlook(rollout)
    update(policy, 1e-3)
    with torch.no_grad():
        gap = (policy.module(rollout.music) - base.module(rollout.music)) / 0.1
    exact = float(gap.square().sum(dim=-1).mean() / 2)
    assert probe.figures(rollout, before)["kl"] == pytest.approx(exact, rel=0.2)


def test_options_are_taken_and_leave_the_model_usable(policy, music):
    options = replace(OPTIONS, n_steps=3, eta=0.5, guidance=1.5)
    assert policy.with_options(options) is policy and policy.options == options
    rollout = rolled_out(policy, music)
    if isinstance(policy, EdgePolicy | PopdgPolicy):
        assert rollout.n_steps == 3 and policy.config()["guidance"] == policy.sampling.guidance == 1.5
    assert policy.dances(rollout).poses.isfinite().all()


@pytest.mark.parametrize("model", [edge, popdg])
def test_a_guidance_given_at_once_is_the_models_as_one_given_later(model):
    options = replace(OPTIONS, guidance=1.5)
    policy = as_policy(model().model, options)
    assert policy.model.guidance == policy.config()["guidance"] == policy.sampling.guidance == 1.5


def test_weights_that_do_not_fit_are_one_sentence(policy, tmp_path):
    path = tmp_path / "m.safetensors"
    policy.save(path)
    weights, config = load_checkpoint(path)
    missing = dict(list(weights.items())[1:])
    for wrong in (missing, weights | {"stranger": torch.zeros(2)}):
        save_checkpoint(path, wrong, config)
        with pytest.raises(UserError, match="does not fit its description") as caught:
            loaded(path, policy)
        assert "\n" not in str(caught.value)
