"""EDGE's checkpoints: read by file alone, written so that EDGE reads them, and never run."""

import json
import os
import pickletools
import sys
import types
import zipfile

import numpy as np
import pytest
import torch

from dance_model import diffusion_loading
from dance_model.diffusion.ddim import SamplingConfig, generator_for, sample
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.edge import edge_checkpoint
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage.errors import UserError
from skeleton2stage.motion import motion_layout as layouts
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.music.kinds import WIDTHS

TINY = {"latent_width": 16, "feedforward_width": 8, "n_layers": 1, "n_heads": 8}
EDGES_CLASSES = {"dataset.preprocess Normalizer", "dataset.scaler MinMaxScaler"}


@pytest.fixture
def edges_classes(monkeypatch):
    """Return Normalizer and MinMaxScaler of EDGE's modules, importable as they are where EDGE trains."""
    classes = []
    for module, name in (("dataset.preprocess", "Normalizer"), ("dataset.scaler", "MinMaxScaler")):
        classes.append(type(name, (), {"__module__": module}))
        monkeypatch.setitem(sys.modules, "dataset", types.ModuleType("dataset"))
        monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**{name: classes[-1]}))
    return classes


@pytest.fixture
def normalizer(edges_classes, reference):
    """Return a normalizer in the state that EDGE's own had after fitting three dances."""
    names = ("min_", "scale_", "data_min_", "data_max_")
    with np.load(reference / "representation.npz") as file:
        state = {name: torch.from_numpy(file[f"scaler_{name}"]) for name in names}
    result, result.scaler = (cls() for cls in edges_classes)
    state |= {"data_range_": state["data_max_"] - state["data_min_"], "n_samples_seen_": 360}
    vars(result.scaler).update(feature_range=(-1, 1), copy=True, clip=True, **state)
    return result


@pytest.fixture
def official(edge_small, normalizer, tmp_path):
    """Return a file in the released layout: averaged and other weights, the optimiser's state, the normalizer."""
    weights = {name[3:]: value for name, value in edge_small.items() if name.startswith("sd/")}
    moments = {i: {"step": 7, "exp_avg": torch.randn(3), "exp_avg_sq": torch.rand(3)} for i in range(4)}
    content = {
        "ema_state_dict": {f"module.{name}": value for name, value in weights.items()},
        "model_state_dict": {name: torch.randn_like(value) for name, value in weights.items()},
        "optimizer_state_dict": {"state": moments, "param_groups": [{"lr": 4e-4, "betas": (0.02, 0.08, 0.01)}]},
        "normalizer": normalizer,
        "n_heads": 4,
    }
    return saved(content, tmp_path / "checkpoint.pt")


def saved(content, path):
    torch.save(content, path)
    return path


def tiny(layout=layouts.EDGE, **sizes):
    torch.manual_seed(0)
    config = DenoiserConfig(motion_width=layout.width, **TINY | sizes)
    scaler = MinMaxScaler.fit(torch.randn(50, layout.width))
    return DanceModel(DanceDecoder(config).eval(), layout, scaler)


def written(path, model=None):
    model = model or tiny()
    edge_checkpoint.write(path, model.denoiser, model.scaler)
    return path


def refusal(path):
    """Return the one sentence with which a file is refused."""
    with pytest.raises(UserError) as caught:
        diffusion_loading.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_released_layout_gives_edges_outputs_and_samples(official, edge_small, reference):
    model = diffusion_loading.load(official)
    assert (model.layout, model.music, model.denoiser.training) == (layouts.EDGE, "baseline", False)
    assert model.denoiser.config.differences(DenoiserConfig(151, 150, 64, 128, 2, 4, 35)) == {}
    x, music, times = (edge_small[name] for name in ("x", "cond", "times"))
    with torch.no_grad():
        guided = model.denoiser.guided_forward(x, times, model.denoiser.encode_guided(music), 2.0)
    torch.testing.assert_close(guided, edge_small["out_guided_w2"], atol=1e-4, rtol=0)
    with np.load(reference / "representation.npz") as file:
        scaled, expected = (file[name] for name in ("test_normalised_x1p3", "test_unnormalised_of_x1p3"))
    unnormalised = model.scaler.unnormalise(torch.from_numpy(scaled)).numpy()
    np.testing.assert_allclose(unnormalised, expected, atol=1e-5)
    samples = sample(model.denoiser, music, generator_for(model.denoiser, 0), SamplingConfig(n_steps=2))
    assert [len(motion) for motion in model.motions(samples.x0)] == [150, 150]


@pytest.mark.parametrize("music", ["jukebox", "baseline"])
def test_sizes_of_the_released_models_follow_from_their_shapes(reference, music):
    published = json.loads((reference / "edge_full_state_dict.json").read_text())[music]["state_dict"]
    weights = {name: torch.empty(shape, device="meta") for name, shape in published.items()}
    width = WIDTHS[music]
    assert edge_checkpoint.sizes(weights) == DenoiserConfig(music_width=width)


@pytest.mark.parametrize(("latent_width", "heads"), [(512, 8), (64, 8), (40, 4), (12, 2), (6, 1)])
def test_heads_are_edges_eight_where_they_divide(latent_width, heads):
    assert edge_checkpoint.likely_heads(latent_width) == heads


def test_without_averaged_weights_the_others_are_taken(official):
    content = {key: value for key, value in torch_load(official).items() if key != "ema_state_dict"}
    expected = content["model_state_dict"]["final_layer.bias"]
    model = diffusion_loading.load(saved(content, official))
    assert torch.equal(model.denoiser.final_layer.bias, expected)


def torch_load(path):
    """Return a file's content by torch's own reader, admitting the classes that are importable as EDGE's."""
    classes = [sys.modules["dataset.preprocess"].Normalizer, sys.modules["dataset.scaler"].MinMaxScaler]
    with torch.serialization.safe_globals(classes):
        return torch.load(path, weights_only=True)


def test_tensors_of_a_gpu_load_without_one(official, tmp_path):
    moved = tmp_path / "cuda.pt"
    with zipfile.ZipFile(official) as source, zipfile.ZipFile(moved, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("data.pkl"):
                content = content.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            target.writestr(name, content)
    here, there = diffusion_loading.load(official), diffusion_loading.load(moved)
    assert torch.equal(here.denoiser.final_layer.weight, there.denoiser.final_layer.weight)


@pytest.mark.parametrize("layout", [layouts.EDGE, layouts.POPDG])
def test_what_is_written_reads_back_the_same(tmp_path, layout):
    model = tiny(layout, n_heads=2)
    again = diffusion_loading.load(written(tmp_path / "m.pt", model))
    assert again.layout == layout
    assert again.denoiser.config.differences(model.denoiser.config) == {}
    assert torch.equal(again.scaler.scale, model.scaler.scale)
    assert torch.equal(again.scaler.minimum, model.scaler.minimum)
    x, music, times = torch.randn(1, 150, layout.width), torch.randn(1, 150, 35), torch.tensor([500])
    assert torch.equal(again.denoiser(x, music, times), model.denoiser(x, music, times))


def test_written_keys_and_classes_are_edges(tmp_path, reference):
    path = written(tmp_path / "m.pt", tiny(n_layers=8))
    assert not any(name.startswith("dataset") for name in sys.modules)
    with zipfile.ZipFile(path) as archive:
        (pickled,) = (archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))
    named = {argument for code, argument, _ in pickletools.genops(pickled) if code.name == "GLOBAL"}
    assert {name for name in named if not name.startswith(("torch", "collections"))} == EDGES_CLASSES
    published = json.loads((reference / "edge_full_state_dict.json").read_text())["baseline"]["state_dict"]
    assert set(edge_checkpoint.read(path).weights) == set(published)


def test_edges_classes_find_their_whole_state(edges_classes, tmp_path):
    model = tiny()
    scaler = torch_load(written(tmp_path / "m.pt", model))["normalizer"].scaler
    assert type(scaler) is edges_classes[1]
    assert (scaler.feature_range, scaler.copy, scaler.clip) == ((-1, 1), True, True)
    torch.testing.assert_close(scaler.data_min_ * scaler.scale_ + scaler.min_, -torch.ones(151), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaler.data_max_ * scaler.scale_ + scaler.min_, torch.ones(151), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaler.data_range_, 2 / scaler.scale_, atol=1e-5, rtol=0)


def test_modules_of_an_installed_edge_are_put_back(edges_classes, tmp_path):
    written(tmp_path / "m.pt")
    assert sys.modules["dataset.scaler"].MinMaxScaler is edges_classes[1]


def test_what_edge_does_not_know_is_not_written(tmp_path):
    model = tiny(data_std=0.3, cutoff_hz=6.0, frame_music=True)
    with pytest.raises(UserError, match=r"m.pt cannot be written: .* data_std=0.3 and cutoff_hz=6 and frame_music=1, "):
        written(tmp_path / "m.pt", model)
    assert not list(tmp_path.iterdir())


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_code_in_a_file_is_refused_and_not_run(tmp_path):
    weights = tiny().denoiser.state_dict()
    path = saved({"ema_state_dict": weights, "normalizer": Malicious(tmp_path / "run")}, tmp_path / "m.pt")
    assert "it names posix.mkdir" in refusal(path).replace("nt.mkdir", "posix.mkdir")
    assert not (tmp_path / "run").exists()


def test_other_peoples_classes_are_refused_by_name(tmp_path, monkeypatch):
    other = type("StandardScaler", (), {"__module__": "sklearn.preprocessing"})
    monkeypatch.setitem(sys.modules, "sklearn", types.ModuleType("sklearn"))
    monkeypatch.setitem(sys.modules, "sklearn.preprocessing", types.SimpleNamespace(StandardScaler=other))
    path = saved({"ema_state_dict": {}, "normalizer": other()}, tmp_path / "m.pt")
    assert "it names sklearn.preprocessing.StandardScaler" in refusal(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_cut_short_is_one_sentence(tmp_path, share):
    path = written(tmp_path / "m.pt")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "copy it again" in refusal(path)


def test_other_damage_and_missing_files_are_one_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02no pickle")
    assert "damaged" in refusal(tmp_path / "m.pt")
    assert "no checkpoint at" in refusal(tmp_path / "nothing.pt")
    (tmp_path / "folder.pt").mkdir()
    assert "no file of torch.save's" in refusal(tmp_path / "folder.pt")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (torch.zeros(3), "holds a Tensor where EDGE's checkpoints have a dict"),
        ({"step": 3, "denoiser": {}, "ema": {}}, "no ema_state_dict but step, denoiser, ema"),
        ({}, "no ema_state_dict but nothing"),
        ({"ema_state_dict": {"layer.weight": torch.zeros(2, 2)}}, "another network than EDGE's denoiser"),
        ({"ema_state_dict": {"input_projection.weight": torch.zeros(3)}}, "another network than EDGE's denoiser"),
        ({"ema_state_dict": {"input_projection.weight": 3}}, "another network than EDGE's denoiser"),
    ],
)
def test_files_of_other_kinds_are_one_sentence(tmp_path, content, words):
    assert words in refusal(saved(content, tmp_path / "m.pt"))


def test_files_that_lack_a_part_are_one_sentence(official):
    content = torch_load(official)
    assert "no normalizer with scale_ and min_" in refusal(saved(content | {"normalizer": None}, official))
    assert "n_heads must be from 1 to 65536, not 0" in refusal(saved(content | {"n_heads": 0}, official))
    weights = {name: value for name, value in content["ema_state_dict"].items() if "norm_cond" not in name}
    assert "missing ['norm_cond" in refusal(saved(content | {"ema_state_dict": weights}, official))
    weights = content["ema_state_dict"] | {"module.cond_projection.weight": torch.zeros(64, 36)}
    assert "music features 36 wide: known are 35" in refusal(saved(content | {"ema_state_dict": weights}, official))
    weights = content["ema_state_dict"] | {"module.input_projection.weight": torch.zeros(64, 263)}
    assert "motions 263 wide: known are 151, 156" in refusal(saved(content | {"ema_state_dict": weights}, official))
