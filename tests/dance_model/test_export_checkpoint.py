"""Ours to EDGE's from the command line."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dance_model import diffusion_loading
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from dance_model.export_checkpoint import advice, main
from dance_model.popdg.popdg_denoiser import PopdgConfig, PopdgDenoiser
from rl_finetune.sample import main as sample
from skeleton2stage import paths
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.motion_layout import POPDG
from skeleton2stage.motion.scaler import MinMaxScaler


def test_our_checkpoint_becomes_edges(tiny_checkpoint, tmp_path, capsys):
    main([f"checkpoint={tiny_checkpoint}", f"out={tmp_path / 'sub' / 'm.pt'}"])
    ours, edges = diffusion_loading.load(tiny_checkpoint), diffusion_loading.load(tmp_path / "sub" / "m.pt")
    for name, value in ours.denoiser.state_dict().items():
        assert torch.equal(edges.denoiser.state_dict()[name], value), name
    assert torch.equal(edges.scaler.minimum, ours.scaler.minimum)
    out = capsys.readouterr().out
    assert "feature_type=baseline" in out and "latent_width 16 (not 512)" in out


def test_edges_form_dances_as_ours(tiny_checkpoint, tmp_path, clicks):
    edges, song = tmp_path / "m.pt", clicks(tmp_path / "song.wav", 5.0)
    main([f"checkpoint={tiny_checkpoint}", f"out={edges}"])
    for checkpoint, out in ((tiny_checkpoint, tmp_path / "ours"), (edges, tmp_path / "edges")):
        sample([f"checkpoint={checkpoint}", f"music={song}", f"out={out}", "n_steps=2", "device=cpu"])
    ours, theirs = (read_motion(tmp_path / name / "song.pkl") for name in ("ours", "edges"))
    np.testing.assert_array_equal(theirs.poses, ours.poses)


@pytest.mark.parametrize("convolutions", ["none", "idle"])
def test_popdgs_becomes_popdgs(tmp_path, capsys, convolutions):
    torch.manual_seed(0)
    sizes = {"latent_width": 16, "feedforward_width": 16, "n_layers": 1, "n_heads": 2, "music_width": 35}
    denoiser = PopdgDenoiser(PopdgConfig(convolutions=convolutions, **sizes)).eval()
    scaler = MinMaxScaler(torch.ones(156), torch.zeros(156))
    DanceModel(denoiser, POPDG, scaler).save(tmp_path / "m.safetensors", half=False)
    main([f"checkpoint={tmp_path / 'm.safetensors'}", f"out={tmp_path / 'm.pt'}"])
    again = diffusion_loading.load(tmp_path / "m.pt").denoiser.state_dict()
    assert all(torch.equal(again[name], value) for name, value in denoiser.state_dict().items())
    out = capsys.readouterr().out
    assert "latent_width 16 (not 512)" in out and "convolutions" not in out and "EDGE" not in out


def test_models_of_edges_sizes_need_no_advice():
    assert advice(DenoiserConfig(music_width=4800)) == ""


def test_what_edge_cannot_compute_is_refused_with_the_reason(tiny_model, tmp_path):
    config = replace(tiny_model.denoiser.config, data_std=0.3, cutoff_hz=6.0)
    DanceModel(DanceDecoder(config), tiny_model.layout, tiny_model.scaler).save(tmp_path / "m.safetensors")
    with pytest.raises(UserError, match=r"data_std=0.3 and cutoff_hz=6, which EDGE's code does not know"):
        main([f"checkpoint={tmp_path / 'm.safetensors'}", f"out={tmp_path / 'm.pt'}"])


def test_what_is_written_is_for_code_of_other_sizes(tiny_checkpoint, tmp_path, capsys):
    main([f"checkpoint={tiny_checkpoint}", f"out={tmp_path / 'm.pt'}"])
    assert "must have latent_width 16 (not 512)" in capsys.readouterr().out


def test_the_demo_model_hears_what_edges_cannot(tmp_path):
    with pytest.raises(UserError, match="frame_music=1, which EDGE's code does not know"):
        main([f"checkpoint={paths.demo_checkpoints() / 'dance_model.safetensors'}", f"out={tmp_path / 'm.pt'}"])


def test_out_must_be_a_pt(tiny_checkpoint, tmp_path):
    with pytest.raises(UserError, match=r"must end in .pt"):
        main([f"checkpoint={tiny_checkpoint}", f"out={tmp_path / 'm.safetensors'}"])


def test_help_lists_the_keys(capsys):
    main(["--help"])
    assert "export_checkpoint checkpoint=C out=FILE.pt" in capsys.readouterr().out
