"""Songs from files, and the windows that dances are conditioned on."""

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import write_wav
from skeleton2stage.music.baseline_features import baseline_features
from skeleton2stage.music.groove import steady_groove
from skeleton2stage.music.percussion import SAMPLE_RATE_HZ, synthesise
from skeleton2stage.music.songs import Song, load_song, load_songs, windows


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def audio():
    return synthesise(steady_groove(100, 8.0), 8.0)


def test_a_song_keeps_its_own_rate_and_name(tmp_path, audio):
    write_wav(tmp_path / "my song.wav", audio, SAMPLE_RATE_HZ)
    song = load_song(tmp_path / "my song.wav")
    assert (song.name, song.sample_rate_hz, song.duration_s) == ("my song", SAMPLE_RATE_HZ, 8.0)
    assert song.path == tmp_path / "my song.wav"


def test_short_songs_are_named(tmp_path, audio):
    write_wav(tmp_path / "short.wav", audio[: 4 * SAMPLE_RATE_HZ], SAMPLE_RATE_HZ)
    with pytest.raises(UserError, match=r"short\.wav lasts 4\.00 s, and at least 5 s"):
        load_song(tmp_path / "short.wav")


def test_corrupt_songs_are_named_even_among_good_ones(tmp_path, audio):
    write_wav(tmp_path / "good.wav", audio, SAMPLE_RATE_HZ)
    (tmp_path / "bad.mp3").write_bytes(b"nothing to hear")
    with pytest.raises(UserError, match=r"bad\.mp3"):
        load_songs(tmp_path)


def test_a_folder_is_read_in_the_order_of_names_and_other_files_left(tmp_path, audio):
    for name in ("b.wav", "a.wav", "C.WAV"):
        write_wav(tmp_path / name, audio, SAMPLE_RATE_HZ)
    (tmp_path / "notes.txt").write_text("hello")
    assert [song.name for song in load_songs(tmp_path)] == ["C", "a", "b"]
    assert [song.name for song in load_songs(tmp_path / "a.wav")] == ["a"]


def test_a_folder_without_songs_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no audio files"):
        load_songs(tmp_path)


def test_windows_are_extracted_slice_by_slice(audio):
    song = Song("track", audio, SAMPLE_RATE_HZ)
    features = windows(song)
    assert features.shape == (2, 150, 35)
    second = audio[int(2.5 * SAMPLE_RATE_HZ) :][: 5 * SAMPLE_RATE_HZ]
    np.testing.assert_array_equal(features[1], baseline_features(second, SAMPLE_RATE_HZ))
    # A cut of the song's own features differs: the extractor's references are the slice's.
    assert np.abs(features[1] - song.features()[75:225]).max() > 0.1


def test_aist_names_set_the_start_tempo(audio):
    named = windows(Song("gBR_sBM_cAll_d04_mBR0_ch01", audio, SAMPLE_RATE_HZ))
    expected = baseline_features(audio[: 5 * SAMPLE_RATE_HZ], SAMPLE_RATE_HZ, start_bpm=80.0)
    np.testing.assert_array_equal(named[0], expected)


def test_a_song_shorter_than_a_window_is_refused(audio):
    with pytest.raises(UserError, match=r"track lasts 8\.00 s, and at least 9 s"):
        windows(Song("track", audio, SAMPLE_RATE_HZ), seconds=9.0)


def test_whole_features_beats_and_cut(audio):
    song = Song("track", audio, SAMPLE_RATE_HZ)
    assert song.features().shape == (240, 35)
    assert song.cut(5.0).duration_s == 5.0 and song.cut(5.0).name == "track"
    beats = song.beats()
    np.testing.assert_array_equal(song.beats(n_frames=240), beats[beats < 240])
    assert np.abs(np.diff(beats) - 36).max() <= 2  # 100 bpm


def test_stereo_is_refused():
    with pytest.raises(ValueError, match="mono"):
        Song("stereo", np.zeros((2, 100), np.float32), 8000)


def test_real_songs_have_finite_windows(shared_data):
    for song in load_songs(shared_data / "music"):
        features = windows(song.cut(7.5))
        assert features.shape == (2, 150, 35) and np.isfinite(features).all()
        assert features[:, :, 34].any(), f"no beats in {song.name}"
