import pytest
import torch

from dance_model.diffusion.ddim import SamplingConfig, sample, step_mean
from dance_model.diffusion.loading import load
from rl_finetune.drift import DriftProbe
from rl_finetune.rollout import Rollout


@pytest.fixture()
def model(tiny_checkpoint):
    return load(tiny_checkpoint)


@pytest.fixture()
def rollout(model):
    config = model.denoiser.config
    music = torch.randn(3, config.window_frames, config.music_width, generator=torch.Generator().manual_seed(0))
    sampling = SamplingConfig(6, 1.0, model.guidance)
    samples = sample(model.denoiser, music, torch.Generator().manual_seed(1), sampling, record=True)
    return Rollout(torch.arange(3), samples, music)


def test_before_any_update_nothing_has_drifted(model, rollout):
    probe = DriftProbe(model, "float32")
    before = probe.predictions(model.denoiser, rollout)
    assert before.shape == (4, 3, *rollout.samples.x0.shape[1:])
    assert probe.figures(model.denoiser, rollout, before) == {"step_size": 0.0, "kl": 0.0}


def test_step_and_divergence_are_those_of_the_predictions(model, rollout):
    """Of the chain's five random steps four are looked at: 0, 1, 3 and 4."""
    probe = DriftProbe(model, "float32")
    base = probe.predictions(model.denoiser, rollout)
    with torch.no_grad():
        model.denoiser.final_layer.bias += 0.01
    moved = probe.predictions(model.denoiser, rollout)
    figures = probe.figures(model.denoiser, rollout, base)
    assert figures["step_size"] == pytest.approx(float((moved - base).square().mean().sqrt()), rel=1e-5)
    kl = 0.0
    for i, index in enumerate((0, 1, 3, 4)):
        step, x_t = rollout.samples.steps[index], rollout.samples.trajectory[index]
        gap = step_mean(x_t, moved[i], step) - step_mean(x_t, base[i], step)
        kl += float((gap / step.sigma).square().mean()) / 2
    assert figures["kl"] == pytest.approx(kl * 5 / 4, rel=1e-4) and kl > 0
