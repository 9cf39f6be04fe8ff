"""EDGE's Jukebox features, 4800 at 30 frames a second, through the optional package `jukemirlib`.

Castellon et al., "Codified audio language modeling learns useful representations for music information retrieval"
(ISMIR 2021), whose package it is; Tseng et al., EDGE (CVPR 2023), for the layer and the rate. The package needs
Jukebox's weights (some 10 GB, which it fetches) and a GPU of 13 GB, and was not at hand when this was written:
what is here follows its interface and was only run with a stand-in for it.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import resample
from skeleton2stage.music.baseline_features import FPS
from skeleton2stage.music.cache import cache_folder, cached_array, content_key

N_FEATURES = 4800
LAYER = 66  # of Jukebox's 72, as EDGE has it
SAMPLE_RATE_HZ = 44100
INSTALL = "pip install git+https://github.com/rodrigo-castellon/jukemirlib.git"
_FEATURES_VERSION = 1  # raise when `jukebox_features` comes to give other numbers


def cached_jukebox_features(slices: np.ndarray, sample_rate_hz: int, folder: Path | None = None) -> np.ndarray:
    """Return `jukebox_features` [S, T, 4800] of audio slices [S, N], each extracted by itself, through the cache.

    Each slice is an entry, since one takes seconds. What is cached needs no `jukemirlib`. `folder` defaults to
    `cache_folder()`.
    """
    folder = folder or cache_folder()
    return np.stack([_cached(audio, sample_rate_hz, folder) for audio in slices])


def _cached(audio: np.ndarray, sample_rate_hz: int, folder: Path) -> np.ndarray:
    path = folder / f"{jukebox_key(audio, sample_rate_hz)}.npy"
    return cached_array(path, lambda: jukebox_features(audio, sample_rate_hz), ndim=2, last_dim=N_FEATURES)


def jukebox_key(audio: np.ndarray, sample_rate_hz: int) -> str:
    """Return a name made of samples [N], their rate and the extractor's settings."""
    return content_key(audio, ("jukebox", _FEATURES_VERSION, LAYER, audio.shape, str(audio.dtype), sample_rate_hz))


def jukebox_features(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return features [T, 4800] float32 of mono audio [N], T = its whole frames at 30 fps.

    Give slices of 5 s, as EDGE does. The audio is brought to 44.1 kHz and a peak of 1, as `jukemirlib.load_audio`
    does with a file. Raises UserError where the package is missing or gives features of another shape.
    """
    extract, n_frames = _extractor(), len(audio) * FPS // sample_rate_hz
    features = extract(peak_at_one(resample(audio, sample_rate_hz, SAMPLE_RATE_HZ)))
    if features.ndim != 2 or features.shape[1] != N_FEATURES or len(features) < n_frames:
        raise UserError(
            f"jukemirlib gave features {list(features.shape)} where [{n_frames}, {N_FEATURES}] were expected: "
            f"install its present version ({INSTALL})"
        )
    return np.asarray(features[:n_frames], dtype=np.float32)


def _extractor() -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes features [T, 4800] of audio [N] at 44.1 kHz."""
    try:
        import jukemirlib  # optional, and slow to import
    except ImportError as error:
        raise UserError(
            f"jukebox features are made by jukemirlib, which cannot be imported here ({error}): install it "
            f"({INSTALL}), or give cached features (.npy) instead of audio"
        ) from None
    return lambda audio: jukemirlib.extract(audio, layers=[LAYER], downsample_target_rate=FPS)[LAYER]


def peak_at_one(audio: np.ndarray) -> np.ndarray:
    """Return audio [N] scaled so that its loudest sample is 1 or -1; silence stays silence."""
    peak = np.abs(audio).max(initial=0.0)
    return audio / peak if peak > 0 else audio
