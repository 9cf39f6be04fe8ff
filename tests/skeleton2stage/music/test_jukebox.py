"""Jukebox features, by a stand-in for `jukemirlib`: what it is asked for, and what is made of its answer."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music.jukebox import cached_jukebox_features, jukebox_features, peak_at_one
from skeleton2stage.music.songs import Song, windows

RATE_HZ = 22050


@pytest.fixture
def asked(monkeypatch):
    """Act `jukemirlib`: the loudness of each 30th of a second in all columns. Return what it was asked for."""
    calls = []

    def extract(audio, layers, downsample_target_rate):
        calls.append((audio, layers, downsample_target_rate))
        frames = audio[: len(audio) // 1470 * 1470].reshape(-1, 1470)
        return {66: np.abs(frames).max(axis=1, keepdims=True).repeat(4800, axis=1).astype(np.float64)}

    monkeypatch.setitem(sys.modules, "jukemirlib", SimpleNamespace(extract=extract))
    return calls


@pytest.fixture
def missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "jukemirlib", None)


def tone(seconds=5.0, gain=0.25):
    return (gain * np.sin(2 * np.pi * 300 * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def test_it_is_asked_for_what_edge_asks_for(asked):
    features = jukebox_features(tone(), RATE_HZ)
    [(audio, layers, rate_hz)] = asked
    assert (layers, rate_hz) == ([66], 30)
    assert audio.shape == (5 * 44100,) and audio.dtype == np.float32
    assert np.abs(audio).max() == pytest.approx(1.0)  # the tone was written at a quarter
    assert features.shape == (150, 4800) and features.dtype == np.float32
    np.testing.assert_allclose(features[5:-5], 1.0, atol=0.01)


def test_each_slice_is_scaled_by_its_own_peak_and_kept(asked, tmp_path):
    slices = np.stack((tone(gain=0.1), tone(gain=0.5)))
    features = cached_jukebox_features(slices, RATE_HZ, tmp_path)
    assert features.shape == (2, 150, 4800)
    np.testing.assert_allclose(features[0], features[1], atol=1e-4)
    assert len(asked) == len(list(tmp_path.iterdir())) == 2


def test_what_is_cached_needs_no_extractor(asked, tmp_path, monkeypatch):
    slices = np.stack((tone(gain=0.1), tone(gain=0.5)))
    first = cached_jukebox_features(slices, RATE_HZ, tmp_path)
    monkeypatch.setitem(sys.modules, "jukemirlib", None)
    np.testing.assert_array_equal(cached_jukebox_features(slices[::-1], RATE_HZ, tmp_path), first[::-1])
    with pytest.raises(UserError, match="jukemirlib"):
        cached_jukebox_features(slices, 2 * RATE_HZ, tmp_path)


def test_without_the_package_one_sentence_says_what_to_do(missing):
    with pytest.raises(UserError) as caught:
        jukebox_features(tone(), RATE_HZ)
    assert "pip install git+https://github.com/" in str(caught.value) and "give cached features" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(149, 4800), (150, 64), (4800,)])
def test_an_answer_of_another_shape_is_refused(monkeypatch, shape):
    acted = SimpleNamespace(extract=lambda *_, **__: {66: np.zeros(shape)})
    monkeypatch.setitem(sys.modules, "jukemirlib", acted)
    with pytest.raises(UserError, match="were expected"):
        jukebox_features(tone(), RATE_HZ)


def test_silence_stays_silence():
    assert not peak_at_one(np.zeros(10, np.float32)).any()


def test_windows_of_a_song_are_of_the_kind_asked_for(asked, tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_CACHE", str(tmp_path))
    assert windows(Song("tone", tone(8.0), RATE_HZ), kind="jukebox").shape == (2, 150, 4800)
    with pytest.raises(UserError, match="'mfcc': choose one of baseline, jukebox, song_beats"):
        windows(Song("tone", tone(8.0), RATE_HZ), kind="mfcc")
