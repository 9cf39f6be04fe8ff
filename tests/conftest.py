"""Fixtures that several tests share."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage import paths
from skeleton2stage.motion.motion_layout import EDGE
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.music.audio import write_wav
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread():
    """Keep small tests fast and repeatable: their tensors are too small to gain from threads."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of mocap and songs, or skip."""
    folder = paths.shared_data()
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder} (set S2S_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def reference(shared_data: Path) -> Path:
    """Return the folder of the field's reference numbers, or skip."""
    folder = shared_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference numbers at {folder}")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep music features of tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("S2S_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_model():
    """Return an untrained model whose poses stay near an upright one: rotations vary by a tenth."""
    torch.manual_seed(0)
    config = DenoiserConfig(latent_width=16, feedforward_width=16, n_layers=1, n_heads=2)
    upright = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0, -1.0])
    middle = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).repeat(24)
    middle[:6] = upright
    middle = torch.cat((torch.zeros(4), torch.tensor([0.0, 0.0, 0.95]), middle))
    scaler = MinMaxScaler.fit(torch.stack((middle - 0.1, middle + 0.1)))
    return DanceModel(DanceDecoder(config).eval(), EDGE, scaler)


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "weights" / "train-3.safetensors"
    tiny_model.save(path)
    return path


@pytest.fixture(scope="session")
def tiny_policy(tmp_path_factory):
    """Return the file of an untrained imitation policy that adds nothing to the reference."""
    policy = ImitationPolicy(PolicyConfig(hidden=(4,)))
    for parameter in policy.parameters():
        torch.nn.init.zeros_(parameter)
    path = tmp_path_factory.mktemp("policy") / "policy.safetensors"
    policy.save(path)
    return path


@pytest.fixture(scope="session")
def clicks():
    """Return a function (path, seconds) that writes a song of clicks at 120 beats a minute."""

    def write(path, seconds, sample_rate_hz=15360):
        audio = 0.001 * np.random.default_rng(0).standard_normal(int(seconds * sample_rate_hz))
        burst = np.random.default_rng(1).standard_normal(400) * np.exp(-np.arange(400) / 80)
        for start in range(0, len(audio) - 400, sample_rate_hz // 2):
            audio[start : start + 400] += 0.5 * burst
        write_wav(path, audio.astype(np.float32), sample_rate_hz)
        return path

    return write
