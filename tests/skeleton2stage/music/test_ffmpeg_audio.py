import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music import ffmpeg_audio
from skeleton2stage.music.audio import AUDIO_SUFFIXES, audio_in, read_audio, write_wav

RATE_HZ, SECONDS = 44100, 6.0


def tone():
    return 0.5 * np.sin(2 * np.pi * 330 * np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ)


def ffmpeg(*arguments):
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, arguments)], check=True)


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    path = tmp_path_factory.mktemp("tone") / "tone.wav"
    write_wav(path, tone().astype(np.float32), RATE_HZ)
    return path


FORMATS = {
    "song.m4a": ("-c:a", "aac"), "song.aac": ("-c:a", "aac"), "song.opus": ("-c:a", "libopus"), "song.aiff": (),
    "song.mka.mkv": ("-c:a", "aac"), "song.wma": ("-c:a", "wmav2"),
    "clip.mp4": ("-f", "lavfi", "-i", "color=c=black:s=32x32:d=6", "-shortest", "-c:a", "aac"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_ffmpeg_reads_sounds_the_same(tmp_path, wav, name):
    ffmpeg("-i", wav, *FORMATS[name], tmp_path / name)
    audio, rate_hz = read_audio(tmp_path / name)
    assert rate_hz in (44100, 48000) and len(audio) / rate_hz == pytest.approx(SECONDS, abs=0.1)
    middle = audio[rate_hz : 5 * rate_hz]
    spectrum = np.abs(np.fft.rfft(middle))
    assert np.argmax(spectrum) * rate_hz / len(middle) == pytest.approx(330, abs=0.5)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert audio_in(tmp_path) == [tmp_path / name]


def test_a_file_is_what_it_holds_whatever_its_name_says(tmp_path, wav):
    ffmpeg("-i", wav, "-c:a", "aac", tmp_path / "song.m4a")
    (tmp_path / "song.m4a").rename(tmp_path / "song.mp3")
    assert len(read_audio(tmp_path / "song.mp3")[0]) == pytest.approx(SECONDS * RATE_HZ, rel=0.01)


def test_names_are_not_taken_for_addresses(tmp_path, wav):
    path = tmp_path / "concat:a|b%d - song #1.m4a"
    ffmpeg("-i", wav, "-c:a", "aac", f"file:{path}")
    assert len(read_audio(path)[0]) == pytest.approx(SECONDS * RATE_HZ, rel=0.01)


def test_a_video_without_sound_and_noise_are_one_sentence_each(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "color=c=black:s=32x32:d=1", tmp_path / "silent.mp4")
    with pytest.raises(UserError, match=r"silent\.mp4 as audio \(it holds no audio\): give an intact wav"):
        read_audio(tmp_path / "silent.mp4")
    (tmp_path / "noise.m4a").write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(UserError, match=r"cannot read .*noise\.m4a as audio") as caught:
        read_audio(tmp_path / "noise.m4a")
    assert "\n" not in str(caught.value)


def test_a_file_that_decodes_to_too_much_is_given_up(tmp_path, wav, monkeypatch):
    monkeypatch.setattr(ffmpeg_audio, "_MOST_BYTES", 10_000)
    with pytest.raises(UserError, match="more sound than a song"), ffmpeg_audio.decoded_as_wav(wav):
        pass


def test_suffixes_are_in_small_letters():
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in AUDIO_SUFFIXES)
