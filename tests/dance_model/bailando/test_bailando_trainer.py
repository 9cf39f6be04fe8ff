"""Training: losses against numbers worked out by hand, both stages, resuming, presets."""

from dataclasses import replace

import pytest
import torch

from dance_model.bailando.bailando_losses import (
    LossWeights,
    code_use,
    gpt_loss,
    joints_of,
    reconstruction_figures,
    vqvae_losses,
)
from dance_model.bailando.bailando_trainer import BailandoTrainer
from dance_model.bailando.body_features import body_of
from dance_model.bailando.gpt import Logits
from dance_model.bailando.network import BailandoNetwork, n_parameters
from dance_model.bailando.training_config import StageConfig, demo, preset, tiny
from dance_model.bailando.vqvae import Body
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import EDGE
from skeleton2stage.motion.skeleton import rest_joints

FIGURES = {"pose_mm", "dance_mm", "upper_used", "upper_perplexity", "lower_used", "lower_perplexity", "nats"}


def standing(n_frames=5):
    """Return a body in the rest pose, its root 0.9 m up, that walks forward at 0.6 m/s."""
    joints = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).expand(2, n_frames, 24, 6)
    return Body(joints.clone(), torch.tensor([0.6, 0.0, 0.9, 0.0]).expand(2, n_frames, 4).clone())


def test_joints_of_the_rest_pose_are_the_skeletons():
    expected = torch.from_numpy(rest_joints()).float() + torch.tensor([0.0, 0.0, 0.9])
    assert torch.allclose(joints_of(standing())[1, 3], expected, atol=1e-6)


def test_losses_of_a_body_that_is_too_high_and_too_slow():
    made, target = standing(), standing()
    made.root[..., 2] += 0.2
    made.root[..., 0] -= 0.3
    made.joints[:, 2, 5, 0] += 0.24
    losses = vqvae_losses(made, target, torch.tensor(7.0))
    assert losses.body.item() == pytest.approx(0.24 / (5 * 24 * 6), rel=1e-4)
    assert losses.velocity.item() == pytest.approx(2 * 0.24 / (4 * 24 * 6), rel=1e-4)
    assert losses.acceleration.item() == pytest.approx(4 * 0.24 / (3 * 24 * 6), rel=1e-4)
    assert losses.root.item() == pytest.approx((0.2 + 0.3) / 4, rel=1e-4)
    # After t frames it is 0.01 t m behind, 0.02 on average, in one of two coordinates.
    assert losses.path.item() == pytest.approx(0.01, rel=1e-4)
    assert losses.joints.item() == pytest.approx(0.2 / 3, rel=1e-3)
    weights = LossWeights(body=0, velocity=0, acceleration=0, root=2.0, path=0, joints=0, commitment=0.5)
    assert losses.total(weights).item() == pytest.approx(2.0 * 0.125 + 3.5, rel=1e-4)


def test_figures_of_a_reconstruction_are_millimetres():
    made, target = standing(), standing()
    made.root[..., 0] = 0.0
    figures = reconstruction_figures(made, target)
    assert figures["pose_mm"] == pytest.approx(0.0, abs=1e-3)
    assert figures["dance_mm"] == pytest.approx(1e3 * 0.02 * 2, rel=1e-4)  # 0, 20, 40, 60, 80 mm


def test_loss_of_codes_is_the_pairs_nats():
    logits = Logits(torch.zeros(2, 3, 4), torch.log(torch.tensor([0.5, 0.25, 0.25, 1e-9])).expand(2, 3, 4))
    codes = torch.zeros(2, 3, 2, dtype=torch.long)
    assert gpt_loss(logits, codes).item() == pytest.approx(torch.log(torch.tensor(8.0)).item())


def test_use_of_codes():
    codes = torch.tensor([[[0, 1], [1, 1], [2, 1], [3, 1]]])
    assert code_use(codes, 8) == pytest.approx(
        {"upper_used": 0.5, "upper_perplexity": 4.0, "lower_used": 0.125, "lower_perplexity": 1.0}
    )


def test_both_stages_run_and_give_a_policy(windows):
    points = []
    trainer = BailandoTrainer(tiny(), windows, log=lambda *point: points.append(point))
    policy = trainer.train()
    assert [(stage, step) for stage, step, figures in points if "loss" in figures] == [
        ("vqvae", 2), ("vqvae", 4), ("vqvae", 6), ("gpt", 2), ("gpt", 4)
    ]
    assert set(trainer.figures()) == FIGURES
    rollout = policy.roll_out(windows.music[:2], torch.Generator().manual_seed(0))
    assert torch.isfinite(policy.dances(rollout).poses).all()


def test_training_brings_the_losses_down(windows):
    config = tiny()
    longer = StageConfig(steps=80, batch_size=6, learning_rate=1e-2, warm_up=1)
    config = replace(config, vqvae=longer, gpt=longer, log_every=20, save_every=1000, free_steps=20)
    points = []
    BailandoTrainer(config, windows, log=lambda *point: points.append(point)).train()
    for stage in ("vqvae", "gpt"):
        losses = [figures["loss"] for name, _, figures in points if name == stage and "loss" in figures]
        assert losses[-1] < 0.8 * losses[0]


def test_the_vqvae_stays_as_it_is_in_the_second_stage(windows):
    trainer = BailandoTrainer(tiny(), windows)
    trainer._train_stage("vqvae", trainer.vqvae_loss)
    before = {name: value.clone() for name, value in trainer.network.vqvae.state_dict().items()}
    gpt = trainer.network.gpt.gpt_head.head_up.weight.clone()
    trainer.train()
    assert all(torch.equal(value, before[name]) for name, value in trainer.network.vqvae.state_dict().items())
    assert not torch.equal(trainer.network.gpt.gpt_head.head_up.weight, gpt)


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("stage, step", [("vqvae", 5), ("gpt", 3)])
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(windows, tmp_path, stage, step):
    whole = BailandoTrainer(tiny(), windows).train().module.state_dict()
    trainer = BailandoTrainer(tiny(), windows, tmp_path)
    loss_of = getattr(trainer, f"{stage}_loss")

    def stops(at):
        if at == step:
            raise StoppedError
        return loss_of(at)

    setattr(trainer, f"{stage}_loss", stops)
    with pytest.raises(StoppedError):
        trainer.train()
    resumed = BailandoTrainer(tiny(), windows, tmp_path)
    assert resumed.done[stage] == 3
    for name, value in resumed.train().module.state_dict().items():
        assert torch.equal(value, whole[name]), name


def test_another_runs_state_is_refused(windows, tmp_path):
    BailandoTrainer(tiny(), windows, tmp_path).save()
    config = tiny()
    other = replace(config, network=replace(config.network, vqvae=replace(config.network.vqvae, n_codes=8),
                                            gpt=replace(config.network.gpt, n_codes=8)))
    with pytest.raises(UserError, match="network.vqvae.n_codes=16, not 8"):
        BailandoTrainer(other, windows, tmp_path)
    (tmp_path / "state.pt").write_bytes(b"no")
    with pytest.raises(UserError, match="is damaged"):
        BailandoTrainer(tiny(), windows, tmp_path)


def test_figures_are_of_the_held_out_clips(windows):
    trainer = BailandoTrainer(replace(tiny(), held_out=("two",)), windows)
    assert len(trainer.windows) == 3 and len(trainer.held_out) == 3
    body = body_of(*(windows.vectors(torch.arange(3, 6))[..., part] for part in (EDGE.rot6d, EDGE.translation)))
    made = trainer.network.vqvae.decode(trainer.network.vqvae.encode(body))
    assert trainer.figures()["pose_mm"] == pytest.approx(reconstruction_figures(made, body)["pose_mm"], rel=1e-4)


def test_the_demo_fits_in_6_mb_at_16_bits():
    with torch.device("meta"):
        network = BailandoNetwork(demo().network)
    assert 2 * n_parameters(network) < 6e6
    assert demo().network.n_moments == 30


def test_wrong_input_is_told_in_a_sentence(windows):
    with pytest.raises(UserError, match="choose one of demo, tiny"):
        preset("large")
    with pytest.raises(UserError, match=r"\(151, 30, 35\), the network takes \(151, 150, 35\)"):
        BailandoTrainer(demo(), windows)
    with pytest.raises(UserError, match="no training windows besides"):
        BailandoTrainer(replace(tiny(), held_out=("one", "two")), windows)
    with pytest.raises(UserError, match="must be at least 1"):
        StageConfig(steps=0, batch_size=1, learning_rate=1e-3)
    with pytest.raises(UserError, match="does not come out even in codes of 6"):
        replace(tiny().network, window_frames=31)
    with pytest.raises(UserError, match="the GPT sees 5 at most"):
        replace(tiny().network, window_frames=36)
