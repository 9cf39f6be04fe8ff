"""Audio files: what is read is what was written, and bad files end in one sentence."""

import numpy as np
import pytest
import soundfile

from skeleton2stage.errors import UserError
from skeleton2stage.music import audio as audio_files


def sine(seconds, rate_hz, hz=440.0, gain=0.5):
    return (gain * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".ogg", ".flac", ".mp3"])
def test_every_format_is_read(tmp_path, suffix):
    written = sine(1.0, 44100)
    soundfile.write(tmp_path / f"song{suffix}", written, 44100)

    audio, rate_hz = audio_files.read_audio(tmp_path / f"song{suffix}")

    assert rate_hz == 44100 and audio.dtype == np.float32 and audio.ndim == 1
    middle = slice(10000, 30000)  # away from what a lossy coder does at the ends
    assert np.abs(audio[middle] - written[middle]).max() < 0.02


def test_stereo_is_the_mean_of_its_channels(tmp_path):
    left, right = sine(0.5, 8000, gain=0.5), sine(0.5, 8000, hz=200.0, gain=0.25)
    soundfile.write(tmp_path / "s.wav", np.stack((left, right), axis=1), 8000, subtype="FLOAT")

    audio, _ = audio_files.read_audio(tmp_path / "s.wav")

    np.testing.assert_allclose(audio, (left + right) / 2, atol=1e-7)


def test_load_resamples_and_keeps_the_tone(tmp_path):
    soundfile.write(tmp_path / "s.wav", sine(2.0, 44100), 44100, subtype="FLOAT")

    audio = audio_files.load_audio(tmp_path / "s.wav", 15360)

    assert len(audio) == 2 * 15360
    np.testing.assert_allclose(audio[1000:-1000], sine(2.0, 15360)[1000:-1000], atol=2e-3)


def test_resampling_to_the_same_rate_changes_nothing():
    audio = sine(0.1, 8000)
    assert audio_files.resample(audio, 8000, 8000) is audio


def test_silence_is_music_too(tmp_path):
    audio_files.write_wav(tmp_path / "silence.wav", np.zeros(8000, np.float32), 8000)
    audio, _ = audio_files.read_audio(tmp_path / "silence.wav")
    assert len(audio) == 8000 and not audio.any()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.wav does not exist"):
        audio_files.read_audio(tmp_path / "gone.wav")


def test_a_folder_is_not_audio(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        audio_files.read_audio(tmp_path)


@pytest.mark.parametrize("content", [b"", b"this is text, not sound", bytes(range(256)) * 40])
def test_a_damaged_file_is_named_with_the_formats(tmp_path, content):
    path = tmp_path / "broken.ogg"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.ogg as audio .* intact wav, ogg, mp3, flac, m4a.* file"):
        audio_files.read_audio(path)


def test_a_file_of_no_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    with pytest.raises(UserError, match="no audio samples"):
        audio_files.read_audio(tmp_path / "empty.wav")


def test_nan_samples_are_refused(tmp_path):
    samples = sine(0.1, 8000)
    samples[5] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(UserError, match="NaN or infinite"):
        audio_files.read_audio(tmp_path / "nan.wav")


def test_duration_is_required_to_the_sample():
    audio_files.require_duration(np.zeros(40000), 8000, 5.0, "song.wav")
    with pytest.raises(UserError, match=r"song\.wav lasts 5\.00 s, and at least 5 s"):
        audio_files.require_duration(np.zeros(39999), 8000, 5.0, "song.wav")


def test_wav_round_trip_is_exact_to_16_bits_and_clips(tmp_path):
    audio = np.append(sine(0.2, 30720), np.float32([1.5, -1.5]))
    audio_files.write_wav(tmp_path / "new" / "s.wav", audio, 30720)

    back, rate_hz = audio_files.read_audio(tmp_path / "new" / "s.wav")

    assert rate_hz == 30720
    assert np.abs(back[:-2] - audio[:-2]).max() <= 1 / 32767
    assert back[-2] > 0.999 and back[-1] < -0.999


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "s.wav"
    audio_files.write_wav(path, sine(0.1, 8000), 8000)
    before = path.read_bytes()
    with pytest.raises(Exception):  # noqa: B017 - whatever the library says of an impossible rate
        audio_files.write_wav(path, sine(0.1, 8000), -1)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("bad", [np.zeros((2, 100), np.float32), np.zeros(100, np.int16)])
def test_only_mono_floats_pass(bad):
    with pytest.raises(ValueError, match="expected mono audio"):
        audio_files.check_mono(bad)
