"""Audio files in and out, always as mono float32 arrays [N] in [-1, 1]."""

from pathlib import Path

import librosa
import numpy as np
import soundfile

from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path
from skeleton2stage.folder_walk import files_in, of_kinds
from skeleton2stage.limits import check_sound
from skeleton2stage.music.ffmpeg_audio import decoded_as_wav

AUDIO_SUFFIXES = (
    ".wav", ".ogg", ".mp3", ".flac", ".m4a", ".aac", ".opus", ".aiff",
    ".aif", ".oga", ".wma", ".caf", ".m4b", ".w64", ".au", ".mp4", ".mov", ".m4v", ".mkv", ".webm",
)
COMMON_SUFFIXES = AUDIO_SUFFIXES[:8]  # for sentences
MIN_DURATION_S = 5.0
_BLOCK_FRAMES = 1 << 16


def audio_in(folder: Path, below: bool = False) -> list[Path]:
    """Return the audio files of a folder and, if wanted, of the folders below it, sorted, hidden ones passed over."""
    return of_kinds(files_in(folder, below), AUDIO_SUFFIXES)


def read_audio(path: Path) -> tuple[np.ndarray, int]:
    """Return a file's audio, mixed down to mono float32 [N], and its own sample rate in Hz.

    What libsndfile does not read (m4a, aac, mp4 and other videos) is decoded by ffmpeg, whatever its name says it is.
    Raises UserError where the file is missing, of an unreadable format, damaged, or empty.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} {'is a folder, not an audio file' if path.is_dir() else 'does not exist'}")
    try:
        mono, sample_rate_hz = _mixed_down(path)
    except (soundfile.SoundFileError, RuntimeError):
        mono, sample_rate_hz = _decoded(path)
    except UserError as error:
        raise UserError(f"{path} cannot be used: {error}") from None
    if len(mono) == 0:
        raise UserError(f"{path} holds no audio samples")
    if not np.isfinite(mono).all():
        raise UserError(f"{path} holds samples that are NaN or infinite: convert it again from its source")
    return mono, int(sample_rate_hz)


def _mixed_down(path: Path) -> tuple[np.ndarray, int]:
    """Return the mean of a file's channels [N], read a piece at a time: what its header promises is not believed."""
    with soundfile.SoundFile(path) as file:
        check_sound(file.frames, file.channels, file.samplerate)
        pieces = [block.mean(axis=1) for block in file.blocks(_BLOCK_FRAMES, dtype="float32", always_2d=True)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32), file.samplerate


def _decoded(path: Path) -> tuple[np.ndarray, int]:
    try:
        with decoded_as_wav(path) as wav:
            return _mixed_down(wav)
    except (UserError, soundfile.SoundFileError, RuntimeError) as error:
        formats = ", ".join(suffix[1:] for suffix in COMMON_SUFFIXES)
        raise UserError(f"cannot read {path} as audio ({error}): give an intact {formats} file") from None


def load_audio(path: Path, sample_rate_hz: int) -> np.ndarray:
    """Return a file's audio as mono float32 [N] at the given rate; raises UserError as `read_audio` does."""
    return resample(*read_audio(path), sample_rate_hz)


def resample(audio: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Return audio [N] at another sample rate, [ceil(N to_hz / from_hz)] (soxr, high quality)."""
    check_mono(audio)
    return audio if from_hz == to_hz else librosa.resample(audio, orig_sr=from_hz, target_sr=to_hz)


def check_mono(audio: np.ndarray) -> None:
    """Raise ValueError unless the array is audio [N] of floats."""
    if audio.ndim != 1 or not np.issubdtype(audio.dtype, np.floating):
        raise ValueError(f"expected mono audio [N] of floats, got {list(audio.shape)} of {audio.dtype}")


def require_duration(audio: np.ndarray, sample_rate_hz: int, seconds: float, path: Path) -> None:
    """Raise UserError, naming `path`, where audio [N] is shorter than `seconds`."""
    duration_s = len(audio) / sample_rate_hz
    if duration_s < seconds:
        raise UserError(f"{path} lasts {duration_s:.2f} s, and at least {seconds:g} s are needed")


def write_wav(path: Path, audio: np.ndarray, sample_rate_hz: int) -> None:
    """Write mono audio [N] atomically as 16-bit WAV; values outside [-1, 1] are clipped."""
    check_mono(audio)
    with atomic_path(Path(path)) as temporary:
        soundfile.write(temporary, np.clip(audio, -1.0, 1.0), sample_rate_hz, subtype="PCM_16", format="WAV")
