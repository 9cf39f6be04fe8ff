"""Songs by the names of motions, and what is said where there is none."""

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.evaluation.song_beats import song_beats
from skeleton2stage.metrics.beat_alignment import bas
from skeleton2stage.music.beats import kinetic_beats
from swaying_motion import swaying


def test_each_motion_has_the_beats_of_its_own_song(clicks, tmp_path, capsys):
    clicks(tmp_path / "a.wav", 6.0)
    beats = song_beats(tmp_path, ["a.pkl", "more/a.pkl", "b.pkl"])
    assert list(beats) == ["a.pkl", "more/a.pkl"]
    np.testing.assert_array_equal(beats["a.pkl"], beats["more/a.pkl"])
    gaps = np.diff(beats["a.pkl"])
    assert len(gaps) > 3 and np.ptp(gaps) <= 4  # clicks are even, in frames of 60 a second
    assert f"no bas for b.pkl: no song in {tmp_path} has its name" in capsys.readouterr().err


def test_a_song_that_cannot_be_read_is_named_and_the_rest_goes_on(clicks, tmp_path, capsys):
    clicks(tmp_path / "a.wav", 6.0)
    (tmp_path / "b.wav").write_bytes(b"RIFF, and no more")
    assert list(song_beats(tmp_path, ["b.pkl", "a.pkl"])) == ["a.pkl"]
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("no bas for b.pkl: ") and "b.wav" in line


def test_a_folder_without_songs_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("la la")
    with pytest.raises(UserError, match=rf"no songs \(.*wav.*\) in {tmp_path}"):
        song_beats(tmp_path, ["a.pkl"])


@pytest.mark.parametrize(("beats", "why"), [(None, "no music was given"), ({}, "no motion has a song with beats")])
def test_without_beats_the_alignment_is_skipped_with_its_reason(beats, why):
    evaluation = evaluate_motions({"a": swaying(60)}, beats=beats)
    assert evaluation.skipped["bas"] == why and "bas" not in evaluation.metrics


def test_a_song_whose_beats_come_after_the_dance_counts_as_none():
    """Two seconds of dance are 120 of the beats' frames: a beat at 120 is no longer heard, one at 119 is."""
    motion = swaying(60)
    late, last = (evaluate_motions({"a": motion}, beats={"a": np.array([beat])}) for beat in (120, 119))
    assert late.skipped["bas"] == "no motion has a song with beats"
    expected = bas(np.array([119]), kinetic_beats(motion.joints()))
    assert last.per_motion["a"]["bas"] == pytest.approx(expected, rel=1e-3)
