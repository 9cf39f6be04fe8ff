"""The feature cache: found by content, and never trusted when damaged."""

import numpy as np
import pytest

from skeleton2stage.music import cache
from skeleton2stage.music.baseline_features import baseline_features
from skeleton2stage.music.beats import music_beats
from skeleton2stage.music.cache import cached_array, cached_beats, cached_features, features_key
from skeleton2stage.music.groove import steady_groove
from skeleton2stage.music.percussion import synthesise

RATE_HZ = 15360


@pytest.fixture(scope="module")
def audio():
    return synthesise(steady_groove(100, 6.0), 6.0, sample_rate_hz=RATE_HZ)


def counted(value):
    """Return a computation of `value` and the list it appends to when it runs."""
    runs = []

    def compute():
        runs.append(1)
        return value

    return compute, runs


def test_features_come_back_as_computed(audio, tmp_path):
    expected = baseline_features(audio, RATE_HZ)
    np.testing.assert_array_equal(cached_features(audio, RATE_HZ, folder=tmp_path), expected)
    np.testing.assert_array_equal(cached_features(audio, RATE_HZ, folder=tmp_path), expected)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_second_time_nothing_is_extracted(audio, tmp_path, monkeypatch):
    features, beats = cached_features(audio, RATE_HZ, folder=tmp_path), cached_beats(audio, RATE_HZ, tmp_path)

    def refuse(*_):
        raise AssertionError("extracted again")

    monkeypatch.setattr(cache, "baseline_features", refuse)
    monkeypatch.setattr(cache, "music_beats", refuse)
    np.testing.assert_array_equal(cached_features(audio, RATE_HZ, folder=tmp_path), features)
    np.testing.assert_array_equal(cached_beats(audio, RATE_HZ, tmp_path), beats)
    for cached in (cached_features, cached_beats):
        with pytest.raises(AssertionError, match="extracted again"):
            cached(0.5 * audio, RATE_HZ, folder=tmp_path)


def test_beats_come_back_as_tracked(audio, tmp_path):
    expected = music_beats(audio, RATE_HZ)
    assert len(expected) > 5
    for _ in range(2):
        found = cached_beats(audio, RATE_HZ, tmp_path)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
        assert cached_beats(np.zeros(6 * RATE_HZ, np.float32), RATE_HZ, tmp_path).shape == (0,)


def test_the_key_tells_apart_all_that_matters(audio):
    changed = audio.copy()
    changed[1000] += 1e-6
    keys = {
        features_key(audio, RATE_HZ, None),
        features_key(changed, RATE_HZ, None),
        features_key(audio, 2 * RATE_HZ, None),
        features_key(audio, RATE_HZ, 120.0),
        features_key(audio[None], RATE_HZ, None),
        features_key(audio.astype(np.float64), RATE_HZ, None),
    }
    assert len(keys) == 6
    assert features_key(audio, RATE_HZ, None) == features_key(audio.copy(), RATE_HZ, None)


def test_the_key_depends_on_the_extractor(audio, monkeypatch):
    before = features_key(audio, RATE_HZ, None)
    monkeypatch.setattr(cache, "version", lambda _: "0.0")
    assert features_key(audio, RATE_HZ, None) != before


def damage(path, kind):
    content = path.read_bytes()
    if kind == "cut short":
        path.write_bytes(content[:-10])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not an array")
    elif kind == "pickled":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif kind == "other shape":
        np.save(path, np.zeros((3, 4)))
    else:
        np.save(path, np.full((2, 3, 35), np.nan))


@pytest.mark.parametrize("kind", ["cut short", "empty", "text", "pickled", "other shape", "nan"])
def test_damaged_entries_are_computed_again(tmp_path, kind):
    path, value = tmp_path / "entry.npy", np.ones((2, 3, 35))
    compute, runs = counted(value)
    cached_array(path, compute, ndim=3, last_dim=35)
    damage(path, kind)

    np.testing.assert_array_equal(cached_array(path, compute, ndim=3, last_dim=35), value)
    np.testing.assert_array_equal(cached_array(path, compute, ndim=3, last_dim=35), value)

    assert len(runs) == 2  # once at first, once for the damage, none for what was mended


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / "taken").write_text("a file where the folder should be")
    compute, runs = counted(np.ones((2, 35)))
    for _ in range(2):
        assert cached_array(tmp_path / "taken" / "entry.npy", compute, ndim=2, last_dim=35).shape == (2, 35)
    assert len(runs) == 2


def test_the_folder_is_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_CACHE", str(tmp_path))
    assert cache.cache_folder() == tmp_path.resolve() / "music_features"
