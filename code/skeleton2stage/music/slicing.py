"""Cutting audio into the windows that a dance model is trained on and sampled for."""

import numpy as np

from skeleton2stage.music.audio import check_mono

WINDOW_S = 5.0
TRAINING_STRIDE_S = 0.5
SAMPLING_STRIDE_S = 2.5  # half a window: neighbours overlap by half in long dances


def slice_audio(
    audio: np.ndarray, sample_rate_hz: int, seconds: float = WINDOW_S, stride_s: float = SAMPLING_STRIDE_S
) -> np.ndarray:
    """Return every whole window of audio [N] as [windows, samples], one each `stride_s` seconds.

    What remains behind the last whole window is left out, as in EDGE; audio shorter than one window
    gives no windows. Raises ValueError for a window or stride of less than one sample.
    """
    check_mono(audio)
    window, stride = int(seconds * sample_rate_hz), int(stride_s * sample_rate_hz)
    if window < 1 or stride < 1:
        raise ValueError(f"a window of {seconds} s or stride of {stride_s} s is under a sample at {sample_rate_hz} Hz")
    if len(audio) < window:
        return np.zeros((0, window), dtype=audio.dtype)
    return np.lib.stride_tricks.sliding_window_view(audio, window)[::stride].copy()


def slice_starts_s(n_slices: int, stride_s: float = SAMPLING_STRIDE_S) -> np.ndarray:
    """Return the time in seconds at which each slice of `slice_audio` begins, [n_slices]."""
    return np.arange(n_slices) * stride_s
