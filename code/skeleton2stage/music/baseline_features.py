"""The 35 music features that EDGE calls its baseline, at 30 frames a second.

Source: Tseng et al., EDGE (CVPR 2023), whose features follow AIST++ (Li et al., ICCV 2021).
Columns (columns.py): onset strength 1, MFCC 20, chroma CENS 12, onset peak 0/1, beat 0/1.
"""

import warnings

import librosa
import numpy as np
from threadpoolctl import threadpool_limits

from skeleton2stage.music.audio import check_mono, resample
from skeleton2stage.music.compiling import first_time_alone

FPS = 30
HOP_LENGTH = 512
SAMPLE_RATE_HZ = FPS * HOP_LENGTH
N_MFCC = 20
N_CHROMA = 12

# EDGE guesses the start tempo from the audio at librosa's default rate.
_TEMPO_SAMPLE_RATE_HZ = 22050
_BEAT_TIGHTNESS = 100
# Genres in the names of AIST++ songs (mBR0 … mJS5): tempo = base + step × last digit.
_AIST_TEMPO_BPM = (("mHO", 110, 5),) + tuple(
    (genre, 80, 10) for genre in ("mBR", "mPO", "mLO", "mMH", "mLH", "mWA", "mKR", "mJS", "mJB")
)


def baseline_features(
    audio: np.ndarray, sample_rate_hz: int, start_bpm: float | None = None
) -> np.ndarray:
    """Return features [T, 35] float32 of mono audio [N], T = its whole frames at 30 fps.

    EDGE extracts from each 5 s slice by itself: decibel floors, tuning, onset and beat thresholds then
    refer to the slice, so features of a slice are not a cut of the song's features. Give slices to agree
    with it (`windows` in songs.py does). `start_bpm` is where the beat tracker starts looking; EDGE
    takes it from AIST++ names (`aist_tempo_bpm`) and estimates it for all other songs, as None does.
    """
    check_mono(audio)
    n_frames = len(audio) * FPS // sample_rate_hz
    compiled_for = ("features", audio.dtype.str, start_bpm is None)
    # A second BLAS thread makes these small products three times slower where cores are shared.
    with first_time_alone(compiled_for), threadpool_limits(limits=1, user_api="blas"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Trying to estimate tuning from empty frequency set")
        warnings.filterwarnings("ignore", message="n_fft=.* is too large")
        if start_bpm is None:
            start_bpm = estimate_tempo_bpm(audio, sample_rate_hz)
        columns = _columns(resample(audio, sample_rate_hz, SAMPLE_RATE_HZ), start_bpm)
    return np.concatenate(columns, axis=1, dtype=np.float32)[:n_frames]


def _columns(audio: np.ndarray, start_bpm: float) -> list[np.ndarray]:
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(y=audio, sr=SAMPLE_RATE_HZ))
    onset = librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE_HZ)
    mfcc = librosa.feature.mfcc(S=mel_db, sr=SAMPLE_RATE_HZ, n_mfcc=N_MFCC)
    chroma = librosa.feature.chroma_cens(
        y=audio, sr=SAMPLE_RATE_HZ, hop_length=HOP_LENGTH, n_chroma=N_CHROMA
    )
    peaks = librosa.onset.onset_detect(onset_envelope=onset, sr=SAMPLE_RATE_HZ, hop_length=HOP_LENGTH)
    _, beats = librosa.beat.beat_track(
        onset_envelope=onset, sr=SAMPLE_RATE_HZ, hop_length=HOP_LENGTH, start_bpm=start_bpm,
        tightness=_BEAT_TIGHTNESS,
    )
    return [onset[:, None], mfcc.T, chroma.T, _one_hot(peaks, len(onset)), _one_hot(beats, len(onset))]


def _one_hot(frames: np.ndarray, length: int) -> np.ndarray:
    marks = np.zeros((length, 1), dtype=np.float32)
    marks[frames] = 1.0
    return marks


def estimate_tempo_bpm(audio: np.ndarray, sample_rate_hz: int) -> float:
    """Return a guess of the tempo of mono audio [N] in beats a minute, made at 22,050 Hz as in EDGE."""
    audio = resample(audio, sample_rate_hz, _TEMPO_SAMPLE_RATE_HZ)
    return float(librosa.feature.tempo(y=audio, sr=_TEMPO_SAMPLE_RATE_HZ)[0])


def aist_music_id(name: str) -> str | None:
    """Return the song that an AIST++ name tells (gBR_sBM_cAll_d04_mBR0_ch01 → mBR0), None for other names."""
    parts = name.split("_")
    song = parts[4] if len(parts) > 4 else ""
    known = any(song.startswith(genre) for genre, _, _ in _AIST_TEMPO_BPM)
    return song if known and len(song) == 4 and song[3].isdigit() else None


def aist_tempo_bpm(name: str) -> float | None:
    """Return the tempo that an AIST++ name tells (gBR_sBM_cAll_d04_mBR0_ch01 → 80), None for other names."""
    song = aist_music_id(name)
    if song is None:
        return None
    base_bpm, step_bpm = next((base, step) for genre, base, step in _AIST_TEMPO_BPM if song.startswith(genre))
    return float(base_bpm + step_bpm * int(song[3]))
