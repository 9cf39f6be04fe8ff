"""Beats of music and of movement, both as frames at 60 a second: what beat alignment compares.

Source of both: the beat alignment score of AIST++ / Bailando as POPDG and Skeleton2Stage evaluate it.
"""

import librosa
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import argrelmin
from threadpoolctl import threadpool_limits

from skeleton2stage.errors import UserError
from skeleton2stage.music.audio import check_mono, resample
from skeleton2stage.music.compiling import first_time_alone

FPS = 60
HOP_LENGTH = 512
SAMPLE_RATE_HZ = FPS * HOP_LENGTH
MAX_DURATION_S = 20.0  # metrics look at the first 600 frames of a dance
_BEAT_TIGHTNESS = 100
_SPEED_SIGMA_FRAMES = 5.0


def percussive_onset_envelope(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return the onset strength of the percussive part of mono audio, [1 + N // 512] at 60 fps.

    The median over frequency bands, not the mean, so that only sounds of many bands count.
    """
    check_mono(audio)
    with first_time_alone(("onsets", audio.dtype.str)), threadpool_limits(limits=1, user_api="blas"):
        percussive = librosa.effects.percussive(resample(audio, sample_rate_hz, SAMPLE_RATE_HZ))
        return librosa.onset.onset_strength(y=percussive, sr=SAMPLE_RATE_HZ, aggregate=np.median)


def music_beats(audio: np.ndarray, sample_rate_hz: int, n_frames: int | None = None) -> np.ndarray:
    """Return the beats of mono audio [N] as increasing int64 frames at 60 fps; none for silence.

    Beats are tracked over all of the audio; those from `n_frames` (60 fps; default: the end) on are
    left out, so that a song may be longer than the dance it is compared with.
    """
    envelope = percussive_onset_envelope(audio, sample_rate_hz)
    with first_time_alone(("beats", envelope.dtype.str)):
        _, beats = librosa.beat.beat_track(
            onset_envelope=envelope, sr=SAMPLE_RATE_HZ, hop_length=HOP_LENGTH, tightness=_BEAT_TIGHTNESS
        )
    limit = len(audio) * FPS // sample_rate_hz if n_frames is None else n_frames
    return beats[beats < limit].astype(np.int64)


def kinetic_speed(
    joints: np.ndarray, fps: float = 30.0, max_duration_s: float | None = MAX_DURATION_S
) -> np.ndarray:
    """Return the smoothed mean joint speed at 60 fps, [R T - 1] m per 60-fps frame, R = 60 / fps.

    joints: [T, J, 3] m in any fixed frame, cut to `max_duration_s` first (None: all of them). Frames
    are repeated to reach 60 fps, then smoothed by a Gaussian of σ = 5 frames.
    Raises UserError where fps does not divide 60.
    """
    if joints.ndim != 3 or joints.shape[2] != 3 or len(joints) == 0:
        raise ValueError(f"expected joints [T, J, 3] with T > 0, got {list(joints.shape)}")
    if fps <= 0 or FPS % fps != 0:
        raise UserError(f"beats need a frame rate that divides {FPS}, not {fps:g}: resample the motion to 30 fps")
    if max_duration_s is not None:
        joints = joints[: int(max_duration_s * fps)]
    repeated = np.repeat(joints.astype(np.float64), int(FPS // fps), axis=0)
    speed = np.linalg.norm(np.diff(repeated, axis=0), axis=2).mean(axis=1)
    return gaussian_filter1d(speed, _SPEED_SIGMA_FRAMES)


def kinetic_beats(
    joints: np.ndarray, fps: float = 30.0, max_duration_s: float | None = MAX_DURATION_S
) -> np.ndarray:
    """Return the beats of movement as int64 frames at 60 fps: the strict minima of `kinetic_speed`."""
    return argrelmin(kinetic_speed(joints, fps, max_duration_s))[0].astype(np.int64)
