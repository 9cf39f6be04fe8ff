"""A low-pass filter along the frames of a window, as one matrix."""

import numpy as np
import torch
from scipy.signal import butter, filtfilt

from skeleton2stage.motion.motion import FPS

ORDER = 4


def low_pass(n_frames: int, cutoff_hz: float) -> torch.Tensor:
    """Return the filter [T, T] that, times a window [T, D] at 30 frames/s, takes out what is faster than cutoff_hz.

    A Butterworth filter of order 4 run forwards and backwards, so that nothing is delayed: half of the amplitude is
    left at the cutoff. The ends are continued by their point reflections. cutoff_hz = 0: the identity.
    """
    identity = np.eye(n_frames)
    if cutoff_hz == 0:
        return torch.from_numpy(identity).float()
    numerator, denominator = butter(ORDER, cutoff_hz, fs=FPS)
    padding = min(3 * len(numerator), n_frames - 1)
    return torch.from_numpy(filtfilt(numerator, denominator, identity, axis=0, padlen=padding).copy()).float()
