"""Beat alignment: does each beat of the music find a beat of the movement (AIST++, ICCV 2021)."""

import numpy as np

SIGMA_FRAMES = 3.0


def bas(music_beats: np.ndarray, motion_beats: np.ndarray) -> float:
    """Return beat alignment in [0, 1], of beats [M] and [K] as frames at 60 fps.

    Mean over music beats of exp(-d^2 / (2 sigma^2)), d to the nearest motion beat, sigma = 3 frames. A motion
    without beats scores 0; without music beats the score is undefined: ValueError.
    """
    if len(music_beats) == 0:
        raise ValueError("beat alignment is undefined without beats in the music")
    if len(motion_beats) == 0:
        return 0.0
    distance = np.abs(np.asarray(music_beats)[:, None] - np.asarray(motion_beats)[None, :]).min(axis=1)
    return float(np.exp(-(distance**2) / (2.0 * SIGMA_FRAMES**2)).mean())
