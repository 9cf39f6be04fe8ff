"""EDGE's baseline features, against the numbers of its own extractor."""

import numpy as np
import pytest

from skeleton2stage.files import read_json
from skeleton2stage.music import baseline_features as music_features
from skeleton2stage.music import columns
from skeleton2stage.music.baseline_features import aist_tempo_bpm, baseline_features

RATE_HZ = music_features.SAMPLE_RATE_HZ


@pytest.fixture(params=["vibeace", "fishin"])
def song(request, reference):
    arrays = np.load(reference / "music_features.npz")
    facts = read_json(reference / "music_features.json")["songs"][request.param]
    return arrays[f"{request.param}/audio"], arrays[f"{request.param}/baseline35"], facts


def clicks(seconds=5.0, interval_s=0.5):
    audio = 1e-4 * np.random.default_rng(0).standard_normal(int(seconds * RATE_HZ))
    burst = np.random.default_rng(1).standard_normal(300) * np.exp(-np.arange(300) / 60)
    for start in np.arange(0.25, seconds - 0.05, interval_s):
        audio[int(start * RATE_HZ) :][:300] += 0.3 * burst
    return audio.astype(np.float32)


def test_reference_features_are_reproduced(song):
    audio, expected, _ = song
    features = baseline_features(audio, RATE_HZ)
    assert features.shape == (150, 35) and features.dtype == np.float32
    np.testing.assert_allclose(features, expected, atol=1e-4)


def test_reference_tempo_and_frames(song):
    audio, _, facts = song
    bpm = music_features.estimate_tempo_bpm(audio, RATE_HZ)
    features = baseline_features(audio, RATE_HZ)
    assert bpm == pytest.approx(facts["start_bpm_from_22050_resample"])
    assert np.flatnonzero(features[:, columns.BEAT]).tolist() == facts["beat_frames_30fps"]
    assert np.flatnonzero(features[:, columns.PEAK]).tolist() == facts["onset_peak_frames_30fps"]


def test_columns_name_all_features_once():
    slices = [columns.ONSET, columns.MFCC, columns.CHROMA, columns.PEAK, columns.BEAT]
    indices = np.concatenate([np.arange(columns.N_FEATURES)[column] for column in slices])
    assert indices.tolist() == list(range(35))
    assert columns.MFCC.stop - columns.MFCC.start == music_features.N_MFCC
    assert columns.CHROMA.stop - columns.CHROMA.start == music_features.N_CHROMA


def test_clicks_are_peaks_and_beats_where_they_are():
    features = baseline_features(clicks(), RATE_HZ)
    heard = np.arange(0.25, 4.9, 0.5) * 30
    peaks = np.flatnonzero(features[:, 33])
    beats = np.flatnonzero(features[:, 34])
    distance = np.abs(peaks[:, None] - heard)
    assert distance.min(axis=0).max() <= 2 and distance.min(axis=1).max() <= 2  # none missed, none invented
    assert len(beats) >= 7 and np.abs(beats[:, None] - heard).min(axis=1).max() <= 2


def test_a_pure_a_is_in_the_chroma_of_a():
    time_s = np.arange(5 * RATE_HZ) / RATE_HZ
    audio = (0.5 * np.sin(2 * np.pi * 440.0 * time_s)).astype(np.float32)
    chroma = baseline_features(audio, RATE_HZ)[30:120, columns.CHROMA]
    assert (chroma.argmax(axis=1) == 9).all()  # C is 0


def test_other_sample_rates_give_almost_the_same(song):
    audio, expected, _ = song
    twice = music_features.resample(audio, RATE_HZ, 2 * RATE_HZ)
    features = baseline_features(twice, 2 * RATE_HZ)
    assert features.shape == (150, 35)
    assert np.abs(features[:, columns.CHROMA] - expected[:, columns.CHROMA]).mean() < 0.01


def test_silence_has_finite_features_and_no_beats():
    features = baseline_features(np.zeros(5 * RATE_HZ, np.float32), RATE_HZ)
    assert np.isfinite(features).all()
    assert not features[:, columns.ONSET].any() and not features[:, 33:].any()


@pytest.mark.parametrize(("seconds", "frames"), [(5.0, 150), (5.02, 150), (7.5, 225)])
def test_frames_are_the_whole_ones_of_the_audio(seconds, frames):
    assert baseline_features(clicks(seconds), RATE_HZ).shape == (frames, 35)


def test_the_given_tempo_guides_the_beats():
    audio = clicks(10.0, interval_s=0.375)  # 160 bpm, or 80 when every other one counts
    slow = baseline_features(audio, RATE_HZ, start_bpm=80.0)[:, 34].sum()
    fast = baseline_features(audio, RATE_HZ, start_bpm=160.0)[:, 34].sum()
    assert fast > 1.5 * slow


@pytest.mark.parametrize(
    ("name", "bpm"),
    [
        ("gBR_sBM_cAll_d04_mBR0_ch01", 80.0),
        ("gJB_sFM_cAll_d09_mJB5_ch20_slice12", 130.0),
        ("gHO_sBM_cAll_d19_mHO3_ch01", 125.0),
        ("mBR0", None),
        ("a_song_of_five_words_long", None),
        ("gXX_sBM_cAll_d04_mXX0_ch01", None),
        ("gBR_sBM_cAll_d04_mBRx_ch01", None),
    ],
)
def test_aist_names_tell_their_tempo(name, bpm):
    assert aist_tempo_bpm(name) == bpm


def test_stereo_arrays_are_refused():
    with pytest.raises(ValueError, match="mono"):
        baseline_features(np.zeros((2, 5 * RATE_HZ), np.float32), RATE_HZ)
