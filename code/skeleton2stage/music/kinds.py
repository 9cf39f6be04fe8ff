"""The kinds of music features that a dance model can be trained on, made from slices of audio."""

import numpy as np

from skeleton2stage.errors import unknown_name
from skeleton2stage.music import features, jukebox
from skeleton2stage.music.cache import cached_slice_features

BASELINE = "baseline"
JUKEBOX = "jukebox"
KINDS = (BASELINE, JUKEBOX)


def slice_features(slices: np.ndarray, sample_rate_hz: int, name: str, kind: str = BASELINE) -> np.ndarray:
    """Return features [S, T, F] of audio slices [S, N], each extracted by itself, through the cache.

    name: the song's, which tells an AIST++ song's tempo. kind: one of KINDS; F is 35 for baseline, 4800 for jukebox.
    Raises UserError for another kind, and for jukebox features without their extractor.
    """
    if kind == JUKEBOX:
        return jukebox.cached_jukebox_features(slices, sample_rate_hz)
    if kind == BASELINE:
        return cached_slice_features(slices, sample_rate_hz, features.aist_tempo_bpm(name))
    raise unknown_name("kind of music features", kind, list(KINDS))
