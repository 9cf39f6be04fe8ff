import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import write_wav
from skeleton2stage.render.soundtrack import Soundtrack, part_of, silence_note

RATE_HZ = 8000


@pytest.fixture
def song(tmp_path):
    """Six seconds, each louder than the last."""
    write_wav(tmp_path / "song.wav", np.repeat(np.arange(6) / 10, RATE_HZ).astype(np.float32), RATE_HZ)
    return tmp_path / "song.wav"


def test_a_part_begins_where_the_dance_does_and_is_as_long(song):
    audio, rate_hz = part_of(Soundtrack(song, 2.0), 3.0)
    assert rate_hz == RATE_HZ and len(audio) == 3 * RATE_HZ + 1
    assert audio[0] == pytest.approx(0.2, abs=1e-3) and audio[-2] == pytest.approx(0.4, abs=1e-3)


@pytest.mark.parametrize(("start_s", "duration_s", "heard"), [(0.0, 6.0, None), (0.0, 6.05, None), (2.0, 4.0, None),
                                                              (0.0, 60.0, "6.0 s"), (5.0, 10.0, "1.0 s")])
def test_a_song_that_is_over_before_the_dance_is_told(song, start_s, duration_s, heard):
    note = silence_note(Soundtrack(song, start_s), duration_s)
    if heard is None:
        assert note is None
    else:
        assert note == f"song.wav ends after {heard} of the dance's {duration_s:.1f}: the rest is silent"


def test_a_dance_after_the_songs_end_is_a_sentence(song):
    with pytest.raises(UserError, match=r"song\.wav lasts 6\.0 s, and music_start_s=6 is after its end: give less"):
        part_of(Soundtrack(song, 6.0), 1.0)
