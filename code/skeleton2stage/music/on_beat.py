"""Bringing a dance onto an even beat: what is uneven in a dancer's beats is taken into the movement's own time.

Music made on a dancer's beats is uneven, and music on even beats meets few of the dancer's. Here the music is even,
and the movement runs a little faster or slower so that the dancer's beats fall on it, and lingers on each: a beat of
movement is where it is slowest (AIST++), and dancers mark a beat so.
"""

from dataclasses import replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from skeleton2stage.music.groove import Groove

_BEATS_BEYOND = 4  # at the dancer's own pace before the first beat and after the last


def even(groove: Groove) -> Groove:
    """Return the groove with as many beats from its first to its last, evenly spaced."""
    first, last = groove.beats_s[0], groove.beats_s[-1]
    return replace(groove, beats_s=tuple(np.linspace(first, last, len(groove.beats_s))))


def movement_times(dancer: Groove, times_s: np.ndarray, accent: float) -> np.ndarray:
    """Return which moment of a dance [N] s belongs at each time [N] s of music with the beats of `even(dancer)`.

    Each beat of the groove `dancer` comes at the even beat of its number; between them time runs smoothly and
    forwards, beyond them as ever. accent: the share by which movement is slower on each beat, and faster between
    two, 0 to under 1.
    """
    if not 0.0 <= accent < 1.0:
        raise ValueError(f"expected an accent from 0 to under 1, got {accent}")
    beats = np.array(even(dancer).beats_s)
    period = beats[1] - beats[0]
    phase = 2.0 * np.pi * (times_s - beats[0]) / period
    accented = times_s - accent * period / (2.0 * np.pi) * np.sin(phase)
    beyond = period * np.arange(1, _BEATS_BEYOND + 1)
    at, shows = (
        np.concatenate((ends[0] - beyond[::-1], ends, ends[-1] + beyond))
        for ends in (beats, np.array(dancer.beats_s))
    )
    return PchipInterpolator(at, shows)(accented)  # beyond its ends it goes on as straight as there
