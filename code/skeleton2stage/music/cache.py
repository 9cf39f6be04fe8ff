"""A cache of music features on disk, found by content: the same samples never cost twice."""

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from skeleton2stage import paths
from skeleton2stage.arrays import read_npy
from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path
from skeleton2stage.music.baseline_features import baseline_features
from skeleton2stage.music.beats import music_beats
from skeleton2stage.music.columns import N_FEATURES

_BEATS_VERSION = 1  # raise when `music_beats` comes to give other numbers
_FEATURES_VERSION = 1  # raise when `baseline_features` comes to give other numbers


def cache_folder() -> Path:
    """Return the folder of cached music features."""
    return paths.cache() / "music_features"


def cached_features(
    audio: np.ndarray, sample_rate_hz: int, start_bpm: float | None = None, folder: Path | None = None
) -> np.ndarray:
    """Return `baseline_features` [T, 35] of audio [N], from the cache `folder` (default: `cache_folder()`) if there."""
    path = (folder or cache_folder()) / f"{features_key(audio, sample_rate_hz, start_bpm)}.npy"
    return cached_array(
        path, lambda: baseline_features(audio, sample_rate_hz, start_bpm), ndim=2, last_dim=N_FEATURES
    )


def cached_beats(audio: np.ndarray, sample_rate_hz: int, folder: Path | None = None) -> np.ndarray:
    """Return `music_beats` [K] of audio [N], frames at 60 fps, from the cache if there."""
    made_by = ("beats", _BEATS_VERSION, version("librosa"))
    key = content_key(audio, (*made_by, audio.shape, str(audio.dtype), sample_rate_hz))
    path = (folder or cache_folder()) / f"{key}.npy"
    return cached_array(path, lambda: music_beats(audio, sample_rate_hz)[:, None], ndim=2, last_dim=1)[:, 0]


def features_key(audio: np.ndarray, sample_rate_hz: int, start_bpm: float | None) -> str:
    """Return a name made of all that features depend on: samples, settings and the extractor's version."""
    settings = (_FEATURES_VERSION, version("librosa"), audio.shape, str(audio.dtype), sample_rate_hz, start_bpm)
    return content_key(audio, settings)


def content_key(audio: np.ndarray, settings: tuple) -> str:
    """Return a name, 32 hexadecimal digits, made of samples of any shape and of settings that have a plain repr."""
    digest = hashlib.sha256(repr(settings).encode())
    digest.update(np.ascontiguousarray(audio).data)
    return digest.hexdigest()[:32]


def cached_array(path: Path, compute: Callable[[], np.ndarray], ndim: int, last_dim: int) -> np.ndarray:
    """Return the array in `path`, or compute it and put it there.

    An entry that cannot be read, or is not a finite array of `ndim` dimensions with the last of
    `last_dim`, is computed again. A folder that cannot be written only costs the time next time.
    """
    try:
        value = read_npy(path)
        if value.ndim == ndim and value.shape[-1] == last_dim and np.isfinite(value).all():
            return value
    except (UserError, OSError, AttributeError, TypeError):
        pass  # absent, out of reach, damaged, or something else
    value = compute()
    _store(path, value)
    return value


def _store(path: Path, value: np.ndarray) -> None:
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, value, allow_pickle=False)
    except OSError:
        return
