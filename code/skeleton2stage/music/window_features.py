"""Features of the windows of a piece of music, which dances are conditioned on."""

import numpy as np

from skeleton2stage.errors import unknown_name
from skeleton2stage.music import baseline_features, beats, columns, jukebox
from skeleton2stage.music.cache import cached_beats, cached_features
from skeleton2stage.music.kinds import BASELINE, JUKEBOX, KINDS, SONG_BEATS, WIDTHS
from skeleton2stage.music.slicing import SAMPLING_STRIDE_S, WINDOW_S, slice_audio


def window_features(
    audio: np.ndarray,
    sample_rate_hz: int,
    name: str,
    kind: str = BASELINE,
    seconds: float = WINDOW_S,
    stride_s: float = SAMPLING_STRIDE_S,
    at_most: int | None = None,
) -> np.ndarray:
    """Return features [S, T, F] of all whole windows of mono audio [N], one each `stride_s` seconds, through the cache.

    name: the song's, which tells an AIST++ song's tempo. kind: one of KINDS; F is WIDTHS[kind]. at_most: how many.
    Audio shorter than a window gives none. Raises UserError for another kind, and for jukebox features without their
    extractor.
    """
    if kind not in KINDS:
        raise unknown_name("kind of music features", kind, list(KINDS))
    slices = slice_audio(audio, sample_rate_hz, seconds, stride_s)[:at_most]
    if not len(slices):
        return np.zeros((0, round(seconds * baseline_features.FPS), WIDTHS[kind]), dtype=np.float32)
    if kind == JUKEBOX:
        return jukebox.cached_jukebox_features(slices, sample_rate_hz)
    start_bpm = baseline_features.aist_tempo_bpm(name)
    windows = np.stack([cached_features(piece, sample_rate_hz, start_bpm) for piece in slices])
    return with_beats(windows, cached_beats(audio, sample_rate_hz), stride_s) if kind == SONG_BEATS else windows


def with_beats(windows: np.ndarray, beats_60fps: np.ndarray, stride_s: float) -> np.ndarray:
    """Return features [S, T, 35] of windows, one each `stride_s` seconds, with a song's beats, frames at 60 fps."""
    frames = np.round(beats_60fps * (baseline_features.FPS / beats.FPS)).astype(np.int64)
    starts = np.round(np.arange(len(windows)) * stride_s * baseline_features.FPS).astype(np.int64)
    song = np.zeros(max(starts.max(initial=0) + windows.shape[1], frames.max(initial=0) + 1), dtype=windows.dtype)
    song[frames] = 1.0
    result = windows.copy()
    result[..., columns.BEAT] = song[starts[:, None] + np.arange(windows.shape[1])][..., None]
    return result
