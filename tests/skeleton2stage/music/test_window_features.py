"""Features of windows: EDGE's of each by itself, and those with the beats of the whole song."""

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music import columns
from skeleton2stage.music.beats import music_beats
from skeleton2stage.music.groove import steady_groove
from skeleton2stage.music.kinds import BASELINE, KINDS, SONG_BEATS, WIDTHS
from skeleton2stage.music.percussion import SAMPLE_RATE_HZ, synthesise
from skeleton2stage.music.window_features import window_features, with_beats


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def audio():
    return synthesise(steady_groove(97, 11.0), 11.0)


def test_widths_are_the_extractors():
    assert KINDS == ("baseline", "song_beats", "jukebox")
    assert WIDTHS[BASELINE] == WIDTHS[SONG_BEATS] == columns.N_FEATURES


def test_every_window_has_the_songs_beats_where_it_is(audio):
    windows = window_features(audio, SAMPLE_RATE_HZ, "track", SONG_BEATS, stride_s=0.5)
    assert windows.shape == (13, 150, 35)
    beats = music_beats(audio, SAMPLE_RATE_HZ)
    assert len(beats) > 14
    for index, window in enumerate(windows):
        frames = beats / 2 - 15 * index
        found = np.flatnonzero(window[:, 34])
        expected = frames[(frames >= 0) & (frames <= 149)]
        assert len(found) == len(expected) and np.abs(found - expected).max() <= 0.5
    # Windows that overlap agree, which those tracked by themselves need not.
    np.testing.assert_array_equal(windows[1:, :135, 34], windows[:-1, 15:, 34])


def test_all_but_the_beats_are_the_baselines(audio):
    own = window_features(audio, SAMPLE_RATE_HZ, "track", BASELINE)
    songs = window_features(audio, SAMPLE_RATE_HZ, "track", SONG_BEATS)
    np.testing.assert_array_equal(songs[..., :34], own[..., :34])
    assert set(np.unique(songs[..., 34])) == {0.0, 1.0} and songs.dtype == own.dtype


def test_windows_are_as_many_as_wanted_and_there_are(audio):
    assert window_features(audio, SAMPLE_RATE_HZ, "track", SONG_BEATS, at_most=2).shape == (2, 150, 35)
    assert window_features(audio, SAMPLE_RATE_HZ, "track", at_most=9).shape == (3, 150, 35)
    for kind in KINDS:
        none = window_features(audio[: 4 * SAMPLE_RATE_HZ], SAMPLE_RATE_HZ, "track", kind)
        assert none.shape == (0, 150, WIDTHS[kind])


def test_silence_has_no_beats():
    silent = window_features(np.zeros(8 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ, "silence", SONG_BEATS)
    assert silent.shape == (2, 150, 35) and not silent[..., 34].any() and np.isfinite(silent).all()


def test_beats_behind_the_last_window_are_left_out_and_features_given_stay():
    given = np.ones((2, 150, 35), dtype=np.float32)
    marked = with_beats(given, np.array([0, 161, 2000]), stride_s=2.5)
    assert given.all()
    assert [np.flatnonzero(window[:, 34]).tolist() for window in marked] == [[0, 80], [5]]


def test_other_kinds_are_refused(audio):
    with pytest.raises(UserError, match="unknown kind of music features 'mfcc'"):
        window_features(audio, SAMPLE_RATE_HZ, "track", "mfcc")
