import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.files import read_json
from skeleton2stage.music import features
from skeleton2stage.music.audio import write_wav
from skeleton2stage.music.songs import load_song, windows


def song(path, seconds=8.0, bpm=120):
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(seconds * 22050)) / 22050
    beat = (t * bpm / 60) % 1
    write_wav(path, (0.5 * np.exp(-20 * beat) * np.sin(2 * np.pi * 220 * t)).astype(np.float32), 22050)
    return path


def run(music, out, *more):
    return features.main([f"music={music}", f"out={out}", *more])


def test_slices_are_those_that_dances_are_conditioned_on(tmp_path):
    path = song(tmp_path / "songs/beat.wav", 11.0)
    assert run(tmp_path / "songs", tmp_path / "out") == 0
    files = sorted((tmp_path / "out/beat").iterdir())
    assert [file.name for file in files] == ["beat_slice0.npy", "beat_slice1.npy", "beat_slice2.npy"]
    slices = np.stack([np.load(file) for file in files])
    np.testing.assert_array_equal(slices, windows(load_song(path), kind="song_beats"))
    assert read_json(tmp_path / "out/features.json") == {
        "kind": "song_beats", "songs": {"beat": {"file": "beat.wav", "slices": 3}}}


def test_a_song_made_shorter_leaves_no_slices_of_the_longer_one(tmp_path):
    song(tmp_path / "beat.wav", 11.0)
    run(tmp_path / "beat.wav", tmp_path / "out", "kind=baseline")
    (tmp_path / "out/beat/notes.txt").write_text("mine")
    song(tmp_path / "beat.wav", 6.0)
    assert run(tmp_path / "beat.wav", tmp_path / "out", "kind=baseline") == 0
    assert sorted(file.name for file in (tmp_path / "out/beat").iterdir()) == ["beat_slice0.npy", "notes.txt"]


def test_bad_songs_are_left_out_and_named(tmp_path, capsys):
    song(tmp_path / "songs/beat.wav")
    song(tmp_path / "songs/short.wav", 2.0)
    (tmp_path / "songs/broken.mp3").write_bytes(b"x" * 100)
    (tmp_path / "songs/._beat.wav").write_bytes(b"x")
    assert run(tmp_path / "songs", tmp_path / "out", "kind=baseline") == 1
    said = capsys.readouterr().err
    assert "left out short.wav" in said and "left out broken.mp3" in said and "._beat" not in said
    assert list(read_json(tmp_path / "out/features.json")["songs"]) == ["beat"]


def test_kinds_are_not_mixed_in_a_folder(tmp_path):
    song(tmp_path / "beat.wav")
    run(tmp_path / "beat.wav", tmp_path / "out", "kind=baseline")
    with pytest.raises(UserError, match="holds baseline features: give another folder"):
        run(tmp_path / "beat.wav", tmp_path / "out", "kind=song_beats")


def test_jukebox_features_without_their_extractor_are_one_sentence(tmp_path):
    song(tmp_path / "beat.wav")
    with pytest.raises(UserError, match="jukemirlib"):
        run(tmp_path / "beat.wav", tmp_path / "out", "kind=jukebox")
    assert not (tmp_path / "out").exists()


def test_two_songs_of_one_name_and_no_songs_are_refused(tmp_path):
    song(tmp_path / "songs/beat.wav")
    (tmp_path / "songs/beat.mp3").write_bytes(b"x")
    with pytest.raises(UserError, match="two songs are called beat"):
        run(tmp_path / "songs", tmp_path / "out")
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="holds no songs"):
        run(tmp_path / "none", tmp_path / "out")
