import numpy as np
import pytest
import soundfile
import torch

from dance_model.dance_music import music_sources
from skeleton2stage.errors import UserError
from skeleton2stage.music.groove import steady_groove
from skeleton2stage.music.songs import load_song
from skeleton2stage.music.tracks import Track, save_tracks


def _slices(folder, count, width=35):
    """Write what EDGE's test.py leaves of a song with --cache_features: slices of it and their features."""
    folder.mkdir(parents=True)
    for index in range(count):
        np.save(folder / f"{folder.name}_slice{index}.npy", np.full((150, width), index, dtype=np.float32))
        (folder / f"{folder.name}_slice{index}.wav").touch()


def test_song_gives_its_whole_windows(tmp_path, clicks):
    [source] = music_sources(clicks(tmp_path / "song.wav", 9.0), seconds=20)
    music = source.read()
    # Windows start at 0 and 2.5 s; one at 5 s would end behind the song.
    assert (music.name, music.windows.shape, music.n_frames) == ("song", (2, 150, 35), 225)


def test_song_is_cut_to_the_seconds_asked_for(tmp_path, clicks):
    [source] = music_sources(clicks(tmp_path / "song.wav", 9.0), seconds=6)
    music = source.read()
    assert (len(music.windows), music.n_frames) == (2, 180)


def test_whole_song_is_danced_to_its_end(tmp_path, clicks):
    song = clicks(tmp_path / "song.wav", 9.1)
    [whole], [cut] = music_sources(song, seconds=None), music_sources(song, seconds=20)
    music = whole.read()
    assert (music.windows.shape, music.n_frames) == ((3, 150, 35), 273)
    torch.testing.assert_close(music.windows[:2], cut.read().windows)
    # The last window starts at 5 s, and what is after 9.1 s of the song is silence.
    assert music.windows[2, :120, 0].any() and not music.windows[2, 127:, 0].any()


def test_a_song_is_heard_with_the_beats_that_the_model_wants(tmp_path, clicks):
    [source] = music_sources(clicks(tmp_path / "song.wav", 9.1), seconds=None)
    own, songs = source.read().windows, source.read("song_beats").windows
    assert torch.equal(own[..., :34], songs[..., :34])
    assert songs[..., 34].any() and torch.equal(songs[:-1, 75:, 34], songs[1:, :75, 34])


def test_beats_at_the_end_of_a_dance_are_where_they_are_in_the_song(shared_data):
    song = shared_data / "music" / "lets_go_fishin.ogg"
    [source] = music_sources(song, seconds=20)
    music = source.read("song_beats")
    assert (len(music.windows), music.n_frames) == (7, 600)
    beats = load_song(song).cut(60.0).beats(n_frames=1200) / 2
    last = beats[beats > 450] - 450
    found = np.flatnonzero(music.windows[-1, :, 34])
    assert len(last) > 5 and np.abs(last[:, None] - found).min(axis=1).max() <= 3


def test_whole_song_of_whole_windows_gains_none(tmp_path, clicks):
    music = music_sources(clicks(tmp_path / "song.wav", 7.5), seconds=None)[0].read()
    assert (len(music.windows), music.n_frames) == (2, 225)


def test_whole_tracks_features_and_slices(tmp_path):
    save_tracks(tmp_path / "tracks.json", [Track("long", steady_groove(100, 26.0), 26.0)])
    np.save(tmp_path / "features.npy", np.zeros((1000, 35)))
    _slices(tmp_path / "cached" / "sliced", 12)
    for source, name, n_windows, n_frames in (
        (tmp_path / "tracks.json", "long", 10, 780),
        (tmp_path / "features.npy", "features", 13, 1000),
        (tmp_path / "cached", "sliced", 12, 975),
    ):
        music = music_sources(source, seconds=None)[0].read()
        assert (music.name, len(music.windows), music.n_frames) == (name, n_windows, n_frames)


def test_what_is_too_short_is_not_filled_up_with_silence(tmp_path, clicks):
    save_tracks(tmp_path / "tracks.json", [Track("hop", steady_groove(100, 3.0), 3.0)])
    clicks(tmp_path / "song.wav", 3.0)
    for source in ("tracks.json", "song.wav"):
        for seconds in (None, 20):
            with pytest.raises(UserError, match="lasts 3.00 s, and at least 5 s"):
                music_sources(tmp_path / source, seconds)[0].read()


def test_edges_cache_of_several_songs_is_a_dance_for_each(tmp_path):
    for song, count in (("song_2", 3), ("song_10", 11), ("a_song", 1)):
        _slices(tmp_path / "cached_features" / song, count)
    (tmp_path / "cached_features" / "of_no_features").mkdir()
    music = [source.read() for source in music_sources(tmp_path / "cached_features", None)]
    assert [(piece.name, piece.n_frames) for piece in music] == [("a_song", 150), ("song_10", 900), ("song_2", 300)]
    assert music[1].windows[:, 0, 0].tolist() == list(range(11))  # slice10 after slice9


def test_a_stereo_mp3_at_48_khz_is_heard_like_the_mono_song(tmp_path, clicks):
    clicks(tmp_path / "mono.wav", 7.5, 48000)
    audio, _ = soundfile.read(tmp_path / "mono.wav")
    soundfile.write(tmp_path / "stereo.mp3", np.stack((audio, 0.5 * audio), axis=1), 48000)
    mono, stereo = (music_sources(tmp_path / name, 20)[0].read() for name in ("mono.wav", "stereo.mp3"))
    assert stereo.windows.shape == (2, 150, 35) and stereo.n_frames == 225
    peaks = [music.windows[0, :, 33].nonzero().flatten() for music in (mono, stereo)]
    assert (peaks[0][:, None] - peaks[1]).abs().min(dim=1).values.max() <= 1


def test_a_silent_song_has_finite_features(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(8 * 44100), 44100)
    music = music_sources(tmp_path / "silence.wav", None)[0].read()
    assert music.n_frames == 240 and torch.isfinite(music.windows).all()


def test_slices_of_a_song_are_taken_in_the_order_of_their_numbers(tmp_path):
    _slices(tmp_path / "cached" / "song", 12)
    [source] = music_sources(tmp_path / "cached", seconds=30)
    music = source.read()
    assert music.name == "song"
    assert music.windows[:, 0, 0].tolist() == list(range(11))
    assert music.n_frames == 900


def test_file_of_features_is_cut_into_overlapping_windows(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(400, dtype=np.float64)[:, None].repeat(35, axis=1))
    [source] = music_sources(tmp_path, seconds=10)
    music = source.read()
    assert music.windows.dtype == torch.float32
    assert (music.windows.shape, music.n_frames) == ((3, 150, 35), 300)
    assert music.windows[:, 0, 0].tolist() == [0.0, 75.0, 150.0]


def test_features_are_preferred_over_the_songs_beside_them(tmp_path, clicks):
    clicks(tmp_path / "song.wav", 5.0)
    np.save(tmp_path / "song.npy", np.zeros((150, 35)))
    assert [source.path.name for source in music_sources(tmp_path, 20)] == ["song.npy"]


def test_two_songs_of_one_name_are_refused(tmp_path):
    for suffix in ("wav", "mp3"):
        (tmp_path / f"song.{suffix}").touch()
    with pytest.raises(UserError, match="song.mp3 and song.wav have the same name"):
        music_sources(tmp_path, 20)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.zeros((149, 35)), "at least 150 frames"),
        (np.zeros(150), "features \\[T, F\\]"),
        (np.full((150, 35), np.nan), "not finite"),
        (b"nonsense", "damaged"),
    ],
)
def test_bad_features_are_explained(tmp_path, content, words):
    path = tmp_path / "bad.npy"
    path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
    [source] = music_sources(path, 20)
    with pytest.raises(UserError, match=words):
        source.read()


def test_slices_of_different_kinds_are_refused(tmp_path):
    _slices(tmp_path / "song", 2)
    np.save(tmp_path / "song" / "song_slice9.npy", np.zeros((150, 4800)))
    with pytest.raises(UserError, match="different numbers of features"):
        music_sources(tmp_path, 20)[0].read()


def test_places_without_music_are_explained(tmp_path):
    with pytest.raises(UserError, match="neither songs"):
        music_sources(tmp_path, 20)
    with pytest.raises(UserError, match="does not exist"):
        music_sources(tmp_path / "nowhere", 20)
    with pytest.raises(UserError, match="seconds=4"):
        music_sources(tmp_path, 4)
