"""Any song in, a dance or one sentence out."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.edge.edge_denoiser import DanceDecoder
from rl_finetune.sample import main
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.read_motion import read_motion


def dance_to(music, checkpoint, out, *more):
    return main([f"checkpoint={checkpoint}", f"music={music}", f"out={out}", "n_steps=3", "device=cpu", *more])


@pytest.fixture
def jukebox_checkpoint(tiny_model, tmp_path):
    config = replace(tiny_model.denoiser.config, music_width=4800)
    path = tmp_path / "jukebox.safetensors"
    DanceModel(DanceDecoder(config).eval(), tiny_model.layout, tiny_model.scaler, "jukebox").save(path)
    return path


def test_a_whole_song_is_danced_to_the_same_each_time(tmp_path, tiny_checkpoint, clicks):
    song = clicks(tmp_path / "song.wav", 23.2)
    for out in ("a", "b"):
        assert dance_to(song, tiny_checkpoint, tmp_path / out, "seconds=null", "seed=4") == 0
    first, again = (read_motion(tmp_path / out / "song.pkl") for out in ("a", "b"))
    assert len(first) == 696
    np.testing.assert_array_equal(first.poses, again.poses)
    assert dance_to(song, tiny_checkpoint, tmp_path / "c") == 0
    assert len(read_motion(tmp_path / "c" / "song.pkl")) == 600  # 20 s unless told


def test_silence_is_danced_to(tmp_path, tiny_checkpoint):
    soundfile.write(tmp_path / "silence.wav", np.zeros(6 * 22050), 22050)
    assert dance_to(tmp_path / "silence.wav", tiny_checkpoint, tmp_path / "out", "seconds=null") == 0
    motion = read_motion(tmp_path / "out" / "silence.pkl")
    assert len(motion) == 180 and np.isfinite(motion.poses).all() and np.isfinite(motion.translation).all()


def test_slices_of_the_wrong_width_are_one_sentence(tmp_path, tiny_checkpoint):
    (tmp_path / "cached" / "song").mkdir(parents=True)
    for number in range(3):
        np.save(tmp_path / "cached" / "song" / f"song_slice{number}.npy", np.zeros((150, 4800), np.float32))
    with pytest.raises(UserError, match="'song' gives windows of 150 frames x 4800 features where this model takes"):
        dance_to(tmp_path / "cached", tiny_checkpoint, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_of_jukebox_features_has_them_made(tmp_path, jukebox_checkpoint, clicks, monkeypatch):
    song = clicks(tmp_path / "song.wav", 7.5)
    monkeypatch.setitem(sys.modules, "jukemirlib", None)
    with pytest.raises(UserError, match="made by jukemirlib"):
        dance_to(song, jukebox_checkpoint, tmp_path / "out")
    acted = SimpleNamespace(extract=lambda audio, **_: {66: np.ones((150, 4800), np.float32)})
    monkeypatch.setitem(sys.modules, "jukemirlib", acted)
    assert dance_to(song, jukebox_checkpoint, tmp_path / "out") == 0
    assert len(read_motion(tmp_path / "out" / "song.pkl")) == 225
