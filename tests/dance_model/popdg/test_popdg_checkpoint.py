"""POPDG's checkpoints: read by file alone, written so that POPDG reads them, and never run."""

import json
import os
import sys
import types
import zipfile
from dataclasses import replace
from pathlib import Path

import popdg_samples as samples
import pytest
import torch

from dance_model import families, released
from dance_model.diffusion_loading import load
from dance_model.diffusion_policy import EdgePolicy, PopdgPolicy
from dance_model.edge import edge_checkpoint
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from dance_model.popdg import popdg_checkpoint
from dance_model.popdg.popdg_denoiser import PopdgConfig, PopdgDenoiser
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import POPDG
from skeleton2stage.motion.scaler import MinMaxScaler

PUBLISHED = Path(__file__).parent / "popdg_state_dict.json"
TINY = PopdgConfig(latent_width=16, feedforward_width=8, n_layers=2, n_heads=4, music_width=35, dropout=0.0)


@pytest.fixture
def classes(monkeypatch):
    """Return Normalizer and MinMaxScaler of POPDG's modules, importable as they are where it trains."""
    found = []
    monkeypatch.setitem(sys.modules, "dataset", types.ModuleType("dataset"))
    for module, name in (("dataset.preprocess", "Normalizer"), ("dataset.scaler", "MinMaxScaler")):
        found.append(type(name, (), {"__module__": module}))
        monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**{name: found[-1]}))
    return found


@pytest.fixture
def content(classes):
    """Return what POPDG's training saves: averaged and other weights, the optimiser's state, the normalizer."""
    weights = samples.fill(PopdgDenoiser(TINY)).state_dict()
    normalizer, normalizer.scaler = (cls() for cls in classes)
    scaler = scaler_of(POPDG)
    vars(normalizer.scaler).update(
        feature_range=(-1, 1), copy=True, clip=True, n_samples_seen_=300, scale_=scaler.scale, min_=scaler.minimum
    )
    return {
        "ema_state_dict": {f"module.{name}": value for name, value in weights.items()},
        "model_state_dict": {name: torch.randn_like(value) for name, value in weights.items()},
        "optimizer_state_dict": {"state": {0: {"step": 7}}, "param_groups": [{"lr": 2e-4}]},
        "normalizer": normalizer,
        "n_heads": 4,
    }


def scaler_of(layout):
    return MinMaxScaler.fit(samples.legacy_normal(9, 50, layout.width))


def saved(content, path):
    torch.save(content, path)
    return path


def refusal(path, reader=popdg_checkpoint.read):
    """Return the one sentence with which a file is refused, by what reads POPDG's files or by `reader`."""
    with pytest.raises(UserError) as caught:
        reader(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def outputs(denoiser):
    x, music, times = samples.network_inputs()
    with torch.no_grad():
        return denoiser.forward_with_variance(x, times, denoiser.encode_music(music))


def test_a_file_of_popdgs_training_gives_its_averaged_model(content, tmp_path):
    model = load(saved(content, tmp_path / "train-2000.pt"))
    assert (model.layout, model.music, model.denoiser.training) == (POPDG, "baseline", False)
    assert model.denoiser.config.differences(TINY) == {}
    expected = outputs(samples.fill(PopdgDenoiser(TINY)).eval())
    assert all(torch.equal(*pair) for pair in zip(outputs(model.denoiser), expected, strict=True))
    scaler = scaler_of(POPDG)
    assert torch.equal(model.scaler.scale, scaler.scale) and torch.equal(model.scaler.minimum, scaler.minimum)
    assert [motion.contacts.shape for motion in model.motions(torch.zeros(2, 150, 156))] == [(150, 9)] * 2


def test_sizes_of_the_released_model_follow_from_its_shapes():
    shapes = json.loads(PUBLISHED.read_text())["state_dict"]
    weights = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    assert popdg_checkpoint.sizes(weights) == PopdgConfig()
    assert popdg_checkpoint.recognises(weights)
    with torch.device("meta"):
        assert not popdg_checkpoint.recognises(DanceDecoder(DenoiserConfig()).state_dict())


@pytest.mark.parametrize("convolutions", ["idle", "none"])
def test_what_is_written_reads_back_the_same(tmp_path, convolutions):
    torch.manual_seed(0)
    denoiser = PopdgDenoiser(replace(TINY, convolutions=convolutions)).eval()
    popdg_checkpoint.write(tmp_path / "m.pt", denoiser, scaler_of(POPDG))
    assert not any(name.startswith("dataset") for name in sys.modules)
    again = load(tmp_path / "m.pt")
    assert all(torch.equal(*pair) for pair in zip(outputs(again.denoiser), outputs(denoiser), strict=True))
    names = {name.split(".", 3)[-1] for name in json.loads(PUBLISHED.read_text())["state_dict"]}
    assert {name.split(".", 3)[-1] for name in popdg_checkpoint.read(tmp_path / "m.pt").weights} == names


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"data_std": 0.3, "frame_music": True}, "data_std=0.3 and frame_music=True, which POPDG's code does not know"),
        ({"convolutions": "used"}, "convolutions=used"),
        ({"joint_heads": 2}, "joint_heads=2"),
        ({"frame_heads": 3}, "frame_heads=3"),
        ({"window_frames": 100}, "window_frames=100"),
    ],
)
def test_what_popdg_does_not_know_is_not_written(tmp_path, option, words):
    with pytest.raises(UserError, match=rf"m.pt cannot be written: the denoiser has {words}"):
        popdg_checkpoint.write(tmp_path / "m.pt", PopdgDenoiser(replace(TINY, **option)), scaler_of(POPDG))
    assert not list(tmp_path.iterdir())


def test_edges_checkpoints_and_popdgs_are_told_apart(content, tmp_path):
    torch.manual_seed(0)
    edge = DanceDecoder(DenoiserConfig(motion_width=156, latent_width=16, feedforward_width=8, n_layers=1, n_heads=4))
    edge_checkpoint.write(tmp_path / "edge.pt", edge, scaler_of(POPDG))
    saved(content, tmp_path / "popdg.pt")
    assert "another network than POPDG's denoiser (unusable: 'null_music_embed')" in refusal(tmp_path / "edge.pt")
    with pytest.raises(UserError, match="another network than EDGE's denoiser"):
        edge_checkpoint.read(tmp_path / "popdg.pt")
    for name, network, policy in (("edge", DanceDecoder, EdgePolicy), ("popdg", PopdgDenoiser, PopdgPolicy)):
        assert isinstance(load(tmp_path / f"{name}.pt").denoiser, network)
        assert isinstance(families.load(tmp_path / f"{name}.pt"), policy)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (torch.zeros(3), "holds a Tensor where POPDG's checkpoints have a dict"),
        ({}, "no ema_state_dict but nothing: give a checkpoint of POPDG's"),
        ({"ema_state_dict": {"input_projection.weight": torch.zeros(3)}}, "another network than POPDG's denoiser"),
    ],
)
def test_files_of_other_kinds_are_one_sentence(tmp_path, wrong, words):
    assert words in refusal(saved(wrong, tmp_path / "m.pt"))
    refusal(tmp_path / "m.pt", load)


def test_files_that_lack_a_part_are_one_sentence(content, tmp_path):
    path = tmp_path / "m.pt"
    weights = content["ema_state_dict"]
    assert "no normalizer with scale_ and min_" in refusal(saved(content | {"normalizer": None}, path), load)
    assert "n_heads must be from 1 to 65536, not 0" in refusal(saved(content | {"n_heads": 0}, path), load)
    partial = {name: value for name, value in weights.items() if "norm_music" not in name}
    assert "missing ['norm_music" in refusal(saved(content | {"ema_state_dict": partial}, path), load)
    wide = weights | {"module.cond_projection.weight": torch.zeros(16, 36)}
    saved(content | {"ema_state_dict": wide}, path)
    assert "music features 36 wide: known are 35, 4800" in refusal(path, load)
    wide = weights | {"module.input_projection.weight": torch.zeros(16, 263)}
    saved(content | {"ema_state_dict": wide}, path)
    assert "motions 263 wide: known are 151, 156" in refusal(path, load)


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_code_in_a_file_is_refused_and_not_run(content, tmp_path):
    path = saved(content | {"normalizer": Malicious(tmp_path / "run")}, tmp_path / "m.pt")
    assert "mkdir, which could run code and which POPDG's checkpoints do not have" in refusal(path)
    assert "mkdir, which could run code" in refusal(path, load)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_damaged_and_missing_files_are_one_sentence(tmp_path, share):
    path = tmp_path / "m.pt"
    assert all("no checkpoint at" in refusal(path, reader) for reader in (popdg_checkpoint.read, load))
    released.write(path, PopdgDenoiser(TINY).state_dict(), scaler_of(POPDG))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert all("copy it again" in refusal(path, reader) for reader in (popdg_checkpoint.read, load))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02no pickle")
    assert "no checkpoint of POPDG's: copy it again" in refusal(path)
