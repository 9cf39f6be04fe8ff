"""Tracks in a file: played back to the sample, and refused in words when they are wrong."""

import json

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import read_audio
from skeleton2stage.music.groove import Groove, steady_groove
from skeleton2stage.music.tracks import Track, load_tracks, save_tracks, track_from_motion, write_wavs

TRACKS = [
    Track("one", Groove((0.1, 0.7001, 1.25), (0.9, 0.55, 1.0), downbeat=2, swing=1 / 3), 5.0, 7),
    Track("waltz", steady_groove(93.7, 6.0, meter=3, pattern="waltz"), 6.0),
]


def test_tracks_come_back_equal_and_sound_the_same_to_the_bit(tmp_path):
    save_tracks(tmp_path / "tracks.json", TRACKS)
    loaded = load_tracks(tmp_path / "tracks.json")
    assert loaded == TRACKS
    for before, after in zip(TRACKS, loaded, strict=True):
        assert before.song().audio.tobytes() == after.song().audio.tobytes()


def test_a_track_is_a_song_of_its_length(tmp_path):
    song = TRACKS[0].song()
    assert song.name == "one" and song.duration_s == 5.0 and song.path is None


def test_wavs_are_what_the_tracks_play(tmp_path):
    files = write_wavs(TRACKS, tmp_path / "songs")
    assert [file.name for file in files] == ["one.wav", "waltz.wav"]
    audio, rate_hz = read_audio(files[0])
    song = TRACKS[0].song()
    assert rate_hz == song.sample_rate_hz and np.abs(audio - song.audio).max() <= 1 / 32767


def test_a_dancers_track_lasts_as_long_as_the_dance():
    joints = np.zeros((240, 24, 3))
    joints[:, :, 0] = 0.01 * np.cumsum(1 - np.cos(2 * np.pi * np.arange(240) / 18))[:, None]
    track = track_from_motion("dancer", joints, seed=4)
    assert (track.name, track.duration_s, track.seed) == ("dancer", 8.0, 4)
    np.testing.assert_allclose(np.diff(track.groove.beats_s), 0.6, atol=0.05)  # 18 frames at 30 fps


def test_a_short_dance_is_named():
    with pytest.raises(UserError, match="^hop: .*too short"):
        track_from_motion("hop", np.zeros((20, 24, 3)))


def test_names_must_differ(tmp_path):
    with pytest.raises(UserError, match="more than one track named one"):
        save_tracks(tmp_path / "tracks.json", [TRACKS[0], TRACKS[0]])
    assert not (tmp_path / "tracks.json").exists()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("duration_s", 0.0, "over 0 s"),
        ("seed", -1, "must not be negative"),
        ("groove", steady_groove(100, 5.0, pattern="polka"), "unknown percussion pattern 'polka'"),
        ("name", "../elsewhere", "plain file name"),
        ("name", "", "plain file name"),
    ],
)
def test_impossible_tracks_are_refused(field, value, message):
    fields = {"name": "t", "groove": steady_groove(100, 5.0), "duration_s": 5.0} | {field: value}
    with pytest.raises(UserError, match=message):
        Track(**fields)


def changed(tmp_path, change):
    path = tmp_path / "tracks.json"
    save_tracks(path, TRACKS)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format="other"), 'its "format" must be'),
        (lambda c: c.pop("tracks"), "is damaged"),
        (lambda c: c.update(tracks=[3]), "is damaged"),
        (lambda c: c["tracks"][0].update(tempo=3), "unknown key 'tempo'"),
        (lambda c: c["tracks"][0].pop("duration_s"), "missing key 'duration_s'"),
        (lambda c: c["tracks"][0]["groove"].update(meter=7), r"one of \(3, 4\), not 7"),
        (lambda c: c["tracks"][0]["groove"]["beats_s"].reverse(), "0.05 s apart"),
        (lambda c: c["tracks"][0]["groove"]["beats_s"].append("x"), "must be a number"),
    ],
)
def test_wrong_files_are_named_with_what_is_wrong(tmp_path, change, message):
    with pytest.raises(UserError, match=message) as caught:
        load_tracks(changed(tmp_path, change))
    assert "tracks.json" in str(caught.value)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        load_tracks(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"format": ')
    with pytest.raises(UserError, match="not valid JSON"):
        load_tracks(tmp_path / "half.json")
