import numpy as np
import pytest
import torch

from rl_finetune.dance_music import music_sources
from skeleton2stage.errors import UserError


def _slices(folder, count, width=35):
    folder.mkdir(parents=True)
    for index in range(count):
        np.save(folder / f"{folder.name}_slice{index}.npy", np.full((150, width), index, dtype=np.float32))


def test_song_gives_its_whole_windows(tmp_path, clicks):
    [source] = music_sources(clicks(tmp_path / "song.wav", 9.0), seconds=20)
    music = source.read()
    # Windows start at 0 and 2.5 s; one at 5 s would end behind the song.
    assert (music.name, music.windows.shape, music.n_frames) == ("song", (2, 150, 35), 225)


def test_song_is_cut_to_the_seconds_asked_for(tmp_path, clicks):
    [source] = music_sources(clicks(tmp_path / "song.wav", 9.0), seconds=6)
    music = source.read()
    assert (len(music.windows), music.n_frames) == (2, 180)


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
