import unicodedata

import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music.song_names import song_names, song_of, songs_in

AIST = "gBR_sBM_cAll_d04_mBR0_ch01"


@pytest.mark.parametrize(("dance", "song"), [
    ("SONG", "SONG"), ("SONG_1", "SONG"), ("SONG_4", "SONG"), ("test_SONG", "SONG"), ("test_SONG_2", "SONG"),
    ("100_SONG", "SONG"), ("test_0_SONG", "SONG"), (AIST, "mBR0"), (f"{AIST}.json", "mBR0"), (f"test_{AIST}_3", "mBR0"),
    ("gJS_sFM_c01_d03_mJS5_ch21", "mJS5"), ("SONG.json", "SONG"), ("SONG-2", "SONG"), ("SONG (1)", "SONG"),
    ("SONG_sample3", "SONG"), ("001_2", "001"), ("a_b_1_2", "a_b"), ("test_drive", "test_drive"),
    ("test_test_drive", "test_drive"),
])
def test_the_field_names_dances_after_their_songs(dance, song):
    assert song_of(dance, {song: "its", "other": "another"}) == "its"


OTHERS = ["unknown", f"{AIST}_slice3", "gBR_sBM_cAll_d04_mBR1_ch01", "61_05", "SONGS", "mBR0x"]


@pytest.mark.parametrize("dance", OTHERS)
def test_other_names_tell_no_song(dance):
    assert song_of(dance, {"SONG": 1, "mBR0": 2, "05": 3, "5": 4}) is None


def test_the_song_of_which_least_is_taken_off_is_meant():
    songs = {"track": "short", "track_1": "long", AIST: "own", "mBR0": "shared"}
    assert song_of("track_1", songs) == "long" and song_of("track_1_2", songs) == "long"
    assert song_of(AIST, songs) == "own" and song_of("track_2", songs) == "short"
    assert next(iter(song_names("test_SONG_1"))) == "test_SONG_1"


def test_accents_are_the_same_however_written():
    assert song_of(unicodedata.normalize("NFD", "canción_1"), {unicodedata.normalize("NFC", "canción"): 1}) == 1
    assert song_of(unicodedata.normalize("NFC", "愛のダンス"), {unicodedata.normalize("NFD", "愛のダンス"): 2}) == 2


def test_two_songs_of_one_name_are_an_error(tmp_path):
    for name in ("a.wav", "a.mp3", "._a.wav"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError, match="two songs are called a"):
        songs_in(tmp_path)
    with pytest.raises(UserError, match="not a folder of songs"):
        songs_in(tmp_path / "a.wav")
