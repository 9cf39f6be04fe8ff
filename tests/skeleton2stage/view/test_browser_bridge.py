import base64
import io
import re
from html import unescape

import numpy as np
import pytest
import soundfile

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import write_wav
from skeleton2stage.render.soundtrack import Soundtrack
from skeleton2stage.view import browser_bridge as bridge


def test_the_song_is_cut_to_the_dance_and_can_be_decoded(tmp_path):
    seconds = np.arange(8 * 22050) / 22050
    tone = 0.5 * np.sin(440 * 2 * np.pi * seconds) * (seconds > 3)
    write_wav(tmp_path / "song.wav", tone.astype(np.float32), 22050)
    html = bridge.song_html(Soundtrack(tmp_path / "song.wav", 2.0), 4.0)
    content = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    audio, rate_hz = soundfile.read(io.BytesIO(content))
    assert len(audio) / rate_hz == pytest.approx(4.0, abs=0.15)
    assert np.abs(audio[: rate_hz // 2]).max() < 0.05 < np.abs(audio[2 * rate_hz :]).max()


def test_a_song_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "x.ogg").write_text("nothing")
    with pytest.raises(UserError, match=r"cannot read .*x\.ogg as audio"):
        bridge.song_html(Soundtrack(tmp_path / "x.ogg"), 4.0)


def test_orders_are_attributes_that_differ_each_time():
    first, second = (bridge.order('go("a")') for _ in range(2))
    assert first != second
    assert unescape(re.search(r'onload="([^"]+)"', first)[1]).endswith('go("a")')


def test_the_song_is_told_where_and_how_fast_to_play():
    said = bridge.song_order(1.25, True, 0.5)
    assert "1.250" in said and "playbackRate=0.5" in said and ".play()" in said
    assert ".pause()" in bridge.song_order(1.25, False, 1.0)


def test_a_song_that_is_over_first_is_followed_by_silence(tmp_path):
    write_wav(tmp_path / "song.wav", np.full(22050, 0.5, np.float32), 22050)
    html = bridge.song_html(Soundtrack(tmp_path / "song.wav"), 3.0)
    audio, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])))
    assert len(audio) / rate_hz == pytest.approx(3.0, abs=0.15)
    assert np.abs(audio[: rate_hz // 2]).max() > 0.1 > 0.01 > np.abs(audio[-rate_hz:]).max()


def test_the_line_of_the_moment_stands_at_its_share_and_the_song_is_set_back():
    said = bridge.head_order("head", 0.25, 1.5)
    assert "'x1','25.00%'" in said and "'x2','25.00%'" in said and "a.currentTime=1.500" in said
