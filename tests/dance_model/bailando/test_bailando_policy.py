"""The interface of fine-tuning: densities, their gradients, the same chance twice, saving."""

import json

import pytest
import torch
from bailando_models import made_policy

from dance_model.bailando.bailando_policy import BailandoPolicy
from dance_model.bailando.network import NetworkConfig
from dance_model.dance_policy import RolloutOptions
from rl_finetune.drift import DriftProbe
from skeleton2stage.checkpoint import load_checkpoint
from skeleton2stage.errors import UserError

STEPS = [0, 2, 4]
CHOSEN = slice(1, 3)


def test_shapes(policy, rollout):
    assert len(rollout) == 4 and rollout.n_steps == 5
    assert rollout.trace.codes.shape == (4, 5, 2)
    assert policy.recorded_log_prob(rollout).shape == (5, 4, 30)
    assert policy.log_prob(rollout, CHOSEN, STEPS).shape == (3, 2, 30)
    dances = policy.dances(rollout)
    assert dances.poses.shape == (4, 30, 24, 3) and dances.translation.shape == (4, 30, 3)
    assert torch.allclose(dances.translation[:, 0, :2], torch.zeros(4, 2), atol=1e-6)
    assert policy.window_frames == 30


@pytest.mark.parametrize("credit", ["frame", "later", "dance"])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_log_prob_is_the_recorded_one_before_any_update(music, credit, temperature):
    policy = made_policy(credit=credit, temperature=temperature)
    rollout = policy.roll_out(music, torch.Generator().manual_seed(2))
    recorded = policy.recorded_log_prob(rollout)[STEPS, CHOSEN]
    assert torch.allclose(policy.log_prob(rollout, CHOSEN, STEPS), recorded, atol=1e-5)
    assert recorded.abs().max() > 1.0


def test_a_codes_log_prob_lies_on_its_own_frames(policy, rollout):
    by_frame = policy.recorded_log_prob(rollout)
    own = torch.zeros(5, 30, dtype=torch.bool)
    for step in range(5):
        own[step, 6 * step : 6 * step + 6] = True
    assert torch.equal(by_frame != 0, own[:, None].expand(5, 4, 30))
    assert torch.allclose(by_frame.sum(dim=0)[:, ::6], rollout.trace.log_prob)


def test_later_lays_it_on_the_frames_to_come_and_dance_on_all(music):
    for credit, counts in (("later", [30, 24, 18, 12, 6]), ("dance", [30] * 5)):
        policy = made_policy(credit=credit)
        by_frame = policy.recorded_log_prob(policy.roll_out(music, torch.Generator().manual_seed(2)))
        assert [int((step[0] != 0).sum()) for step in by_frame] == counts
        assert bool((by_frame[:, :, -1] != 0).all())


def test_drawn_codes_are_as_frequent_as_their_probabilities():
    policy = made_policy()
    music = torch.randn(1, 30, 35).expand(4000, 30, 35)
    rollout = policy.roll_out(music, torch.Generator().manual_seed(0))
    shares = torch.bincount(rollout.trace.codes[:, 0, 0], minlength=16) / 4000
    upper = policy._scores(rollout, slice(0, 1))[0][0, 0].exp()
    assert upper.max() > 0.1
    assert torch.allclose(shares, upper, atol=0.03)


def surrogate_gradient(policy, rollout, advantages, scorer):
    """Return the gradients of the sum over steps of the mean of A log p, two steps at a time."""
    policy.module.zero_grad(set_to_none=True)
    with scorer as score:
        for steps in ([0, 1], [2, 3], [4]):
            (advantages * score(steps)).mean(dim=(1, 2)).sum().backward()
    return torch.cat([parameter.grad.flatten() for parameter in policy.parameters()])


def test_gradient_of_the_surrogate_is_that_of_a_plain_loop(policy, rollout):
    """For advantages by dance it is k/T sum_s A log p_s, each code scored by itself with only what it could know."""
    advantages = torch.tensor([1.5, -0.5])
    ours = surrogate_gradient(policy, rollout, advantages[:, None], policy.scoring(rollout, CHOSEN))
    policy.module.zero_grad(set_to_none=True)
    gpt, heard, codes = policy.module.gpt, policy.module.heard(rollout.music), rollout.trace.codes
    for weight, n in zip(advantages, range(1, 3), strict=True):
        for moment in range(5):
            before = torch.cat((torch.full((1, 1, 2), 16), codes[n : n + 1, :moment]), dim=1)
            logits = gpt(before, heard[n : n + 1, : moment + 1])
            log_prob = sum(
                part[0, -1].log_softmax(dim=-1)[codes[n, moment, half]] for half, part in enumerate(logits)
            )
            (weight * log_prob / 2 * 6 / 30).backward()
    plain = torch.cat([parameter.grad.flatten() for parameter in policy.parameters()])
    assert plain.norm() > 1e-3
    assert torch.allclose(ours, plain, atol=1e-5 * float(plain.abs().max()))


def test_scoring_once_gives_the_gradient_of_log_prob(policy, rollout):
    from contextlib import nullcontext

    advantages = torch.randn(2, 30, generator=torch.Generator().manual_seed(5))
    once = surrogate_gradient(policy, rollout, advantages, policy.scoring(rollout, CHOSEN))
    each = surrogate_gradient(
        policy, rollout, advantages, nullcontext(lambda steps: policy.log_prob(rollout, CHOSEN, steps))
    )
    assert torch.allclose(once, each, atol=1e-5 * float(each.abs().max()))


def test_a_step_along_the_gradient_makes_good_codes_likelier(policy, rollout):
    advantages = torch.tensor([1.0, -1.0])
    surrogate_gradient(policy, rollout, advantages[:, None], policy.scoring(rollout, slice(0, 2)))
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.05 * parameter.grad)
        after = policy.log_prob(rollout, slice(0, 2), list(range(5))).sum(dim=(0, 2))
    change = after - policy.recorded_log_prob(rollout)[:, :2].sum(dim=(0, 2))
    assert change[0] > 0 > change[1]


def test_the_gpt_alone_is_trained(policy):
    trained = {id(parameter) for parameter in policy.parameters()}
    assert trained == {id(parameter) for parameter in policy.module.gpt.parameters()}
    assert not any(parameter.requires_grad for parameter in policy.frozen_copy().module.parameters())
    assert {id(parameter) for parameter in policy.parameters()} == trained


def test_same_seed_same_dances(policy, music):
    first, second, other = (policy.roll_out(music, torch.Generator().manual_seed(seed)) for seed in (7, 7, 8))
    assert torch.equal(policy.dances(first).poses, policy.dances(second).poses)
    assert not torch.equal(policy.dances(first).poses, policy.dances(other).poses)


def test_dances_follow_the_music(policy, music):
    ours, other = (policy.roll_out(x, torch.Generator().manual_seed(7)) for x in (music, -music))
    assert not torch.equal(ours.trace.codes, other.trace.codes)


def test_save_and_load(policy, music, tmp_path):
    policy.settings = type(policy.settings)(temperature=0.7, credit="later")
    policy.save(tmp_path / "model.safetensors", half=False)
    tensors, config = load_checkpoint(tmp_path / "model.safetensors")
    assert config["kind"] == "dance_model" and config["family"] == "bailando"
    loaded = BailandoPolicy.from_config(config)
    loaded.module.load_state_dict(tensors)
    assert loaded.settings == policy.settings
    ours, theirs = (model.roll_out(music, torch.Generator().manual_seed(7)) for model in (policy, loaded))
    assert torch.equal(policy.dances(ours).poses, loaded.dances(theirs).poses)


def test_config_survives_json(policy):
    plain = json.loads(json.dumps(policy.config()))
    assert plain == policy.config()
    assert NetworkConfig.from_plain(plain["network"]) == policy.module.config


def test_drift_is_zero_without_a_change_and_the_exact_divergence_with_one(policy, rollout):
    base, probe = policy.frozen_copy(), DriftProbe(policy)
    before = probe.outlook(rollout)
    assert probe.figures(rollout, before) == pytest.approx({"step_size": 0.0, "kl": 0.0}, abs=1e-6)
    with torch.no_grad():
        policy.module.gpt.gpt_head.head_up.weight.mul_(1.1)
    drift = probe.figures(rollout, before)
    with torch.no_grad():
        (own_up, _), (base_up, _) = (model._scores(rollout, slice(0, 4)) for model in (policy, base))
    by_hand = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=own_up), torch.distributions.Categorical(logits=base_up)
    ).mean()
    assert drift["kl"] == pytest.approx(float(by_hand), rel=1e-4)
    assert drift["step_size"] > 0


def test_options_that_are_a_diffusions_change_nothing(policy, music):
    ours = policy.roll_out(music, torch.Generator().manual_seed(7))
    theirs = policy.with_options(RolloutOptions(guidance=2.0, n_steps=10)).roll_out(
        music, torch.Generator().manual_seed(7), record=False
    )
    assert torch.equal(ours.trace.codes, theirs.trace.codes)


def test_wrong_input_is_told_in_a_sentence(policy, rollout, music):
    with pytest.raises(UserError, match="temperature must be above 0"):
        made_policy(temperature=0.0)
    with pytest.raises(UserError, match="choose one of dance, frame, later"):
        made_policy(credit="step")
    with pytest.raises(UserError, match="hears 35 features a frame"):
        policy.roll_out(music[..., :34], torch.Generator())
    with pytest.raises(UserError, match="does not come out even in codes of 6"):
        policy.roll_out(music[:, :29], torch.Generator())
    with pytest.raises(UserError, match="sees 5 codes at most"):
        policy.roll_out(torch.cat((music, music), dim=1), torch.Generator())
    with pytest.raises(UserError, match="jukebox music features are 4800 wide"):
        BailandoPolicy(policy.module, "jukebox")
    with pytest.raises(UserError, match="lacks credit, music"):
        BailandoPolicy.from_config({"network": {}, "temperature": 1.0})
    with pytest.raises(UserError, match="no description of a Bailando model"):
        BailandoPolicy.from_config(policy.config() | {"network": {"vqvae": {}}})
    with pytest.raises(UserError, match="roll out with this model"):
        policy.dances(type(rollout)(music, None, 5))
