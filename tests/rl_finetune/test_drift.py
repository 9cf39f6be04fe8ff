import pytest
import torch

from dance_model import families
from dance_model.dance_policy import RolloutOptions
from dance_model.diffusion.ddim import step_mean
from rl_finetune.drift import DriftProbe


@pytest.fixture()
def policy(tiny_checkpoint):
    return families.load(tiny_checkpoint).with_options(RolloutOptions(n_steps=6))


@pytest.fixture()
def rollout(policy):
    config = policy.module.config
    music = torch.randn(3, config.window_frames, config.music_width, generator=torch.Generator().manual_seed(0))
    return policy.roll_out(music, torch.Generator().manual_seed(1))


def test_before_any_update_nothing_has_drifted(policy, rollout):
    probe = DriftProbe(policy)
    before = probe.outlook(rollout)
    assert before.shape == (4, 3, *rollout.trace.x0.shape[1:])
    assert probe.figures(rollout, before) == {"step_size": 0.0, "kl": 0.0}


def test_step_and_divergence_are_those_of_the_predictions(policy, rollout):
    """Of the chain's five random steps four are looked at: 0, 1, 3 and 4."""
    probe = DriftProbe(policy)
    base = probe.outlook(rollout)
    with torch.no_grad():
        policy.module.final_layer.bias += 0.01
    moved = probe.outlook(rollout)
    figures = probe.figures(rollout, base)
    assert figures["step_size"] == pytest.approx(float((moved - base).square().mean().sqrt()), rel=1e-5)
    kl = 0.0
    for i, index in enumerate((0, 1, 3, 4)):
        step, x_t = rollout.trace.steps[index], rollout.trace.trajectory[index]
        gap = step_mean(x_t, moved[i], step) - step_mean(x_t, base[i], step)
        kl += float((gap / step.sigma).square().mean()) / 2
    assert figures["kl"] == pytest.approx(kl * 5 / 4, rel=1e-4) and kl > 0
