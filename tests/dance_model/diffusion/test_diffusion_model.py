"""Dance models as checkpoints, and the motions read from their samples."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from dance_model import diffusion_loading
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage.errors import UserError
from skeleton2stage.motion import motion_layout as layouts
from skeleton2stage.motion.scaler import MinMaxScaler

SIZES = {"latent_width": 16, "feedforward_width": 16, "n_layers": 1, "n_heads": 2}


@pytest.fixture
def model():
    torch.manual_seed(0)
    scaler = MinMaxScaler(torch.rand(151) + 0.5, torch.rand(151) - 0.5)
    return DanceModel(DanceDecoder(DenoiserConfig(**SIZES)).eval(), layouts.EDGE, scaler)


def test_saving_and_loading_gives_the_same_model(model, tmp_path):
    model.save(tmp_path / "m", half=False)
    again = diffusion_loading.load(tmp_path / "m.safetensors")
    assert again.layout == layouts.EDGE
    assert again.music == "baseline"
    assert again.denoiser.config == model.denoiser.config
    assert not again.denoiser.training
    assert torch.equal(again.scaler.scale, model.scaler.scale)
    for name, value in model.denoiser.state_dict().items():
        assert torch.equal(again.denoiser.state_dict()[name], value), name


def test_half_storage_is_half_the_size_and_close(model, tmp_path):
    model.save(tmp_path / "full", half=False)
    model.save(tmp_path / "half")
    full, half = ((tmp_path / f"{name}.safetensors").stat().st_size for name in ("full", "half"))
    assert half < 0.65 * full
    again = diffusion_loading.load(tmp_path / "half")
    assert again.denoiser.null_cond_embed.dtype == torch.float32
    torch.testing.assert_close(
        again.denoiser.null_cond_embed, model.denoiser.null_cond_embed, atol=2e-3, rtol=1e-3
    )
    assert torch.equal(again.scaler.minimum, model.scaler.minimum)


def test_motions_undo_scaling_and_encoding(model):
    torch.manual_seed(1)
    axis_angle, root = 0.3 * torch.randn(2, 6, 24, 3), torch.randn(2, 6, 3)
    vectors = layouts.encode(axis_angle, root, layouts.EDGE)
    fitted = DanceModel(model.denoiser, layouts.EDGE, MinMaxScaler.fit(vectors))
    first, second = fitted.motions(fitted.scaler.normalise(vectors))
    np.testing.assert_allclose(first.poses, axis_angle[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(second.translation, root[1].numpy(), atol=1e-5)
    np.testing.assert_allclose(first.contacts, vectors[0, :, :4].numpy(), atol=1e-5)
    assert first.fps == 30.0


def test_missing_checkpoint(tmp_path):
    with pytest.raises(UserError, match="no checkpoint at"):
        diffusion_loading.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "imitation_policy"}, "not a dance model but 'imitation_policy'"),
        ({"layout": "smpl"}, "unknown motion layout 'smpl'"),
        ({"layout": "popdg"}, "popdg is 156 wide, the denoiser 151"),
        ({"music": "jukebox"}, "jukebox music features are 4800 wide"),
        ({"music": "lyrics"}, "choose one of baseline, jukebox"),
        ({"denoiser": {**SIZES, "n_layers": 2}}, "does not fit its description"),
        ({"denoiser": {**SIZES, "latent_width": 32}}, "does not fit its description"),
        ({"denoiser": {"depth": 3}}, "does not fit its description"),
    ],
)
def test_checkpoints_that_contradict_themselves_are_refused(model, tmp_path, change, message):
    model.save(tmp_path / "m")
    description = json.loads((tmp_path / "m.json").read_text())
    (tmp_path / "m.json").write_text(json.dumps(description | change))
    with pytest.raises(UserError, match=message):
        diffusion_loading.load(tmp_path / "m")


def test_extra_weights_are_refused(model, tmp_path):
    model.save(tmp_path / "m")
    weights = load_file(tmp_path / "m.safetensors")
    save_file(weights | {"denoiser.more": torch.zeros(1)}, tmp_path / "m.safetensors")
    with pytest.raises(UserError, match="unknown"):
        diffusion_loading.load(tmp_path / "m")


def test_the_guidance_that_suits_a_model_is_stored_with_it(model, tmp_path):
    path = tmp_path / "m.safetensors"
    replace(model, guidance=1.5).save(path)
    loaded = diffusion_loading.load(path).to("cpu")
    assert loaded.guidance == loaded.guidance_or(None) == 1.5
    assert loaded.guidance_or(3.0) == 3.0
    described = json.loads(path.with_suffix(".json").read_text())
    del described["guidance"]  # as models were stored before
    path.with_suffix(".json").write_text(json.dumps(described))
    assert diffusion_loading.load(path).guidance == 2.0


def test_a_place_range_is_kept_by_denoiser_and_scaler_alike(model, tmp_path):
    denoiser = DanceDecoder(replace(model.denoiser.config, place_range=3.0))
    with pytest.raises(UserError, match="place_range is 3.0, the scaler's bound 1.0"):
        replace(model, denoiser=denoiser)
    wide = replace(model, denoiser=denoiser, scaler=model.scaler.widened(slice(4, 6), 3.0))
    wide.save(tmp_path / "m")
    assert diffusion_loading.load(tmp_path / "m").scaler.bound == 3.0
