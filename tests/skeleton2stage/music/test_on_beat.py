"""Which moment of a dance belongs at which time of even music."""

import numpy as np
import pytest

from skeleton2stage.music.groove import Groove
from skeleton2stage.music.on_beat import even, movement_times

DANCER = Groove((1.0, 1.4, 2.0, 2.5), (1.0, 0.8, 0.9, 0.7))


def test_beats_are_spread_evenly_and_keep_their_accents():
    groove = even(DANCER)
    assert groove.beats_s == pytest.approx((1.0, 1.5, 2.0, 2.5))
    assert groove.accents == DANCER.accents


@pytest.mark.parametrize("accent", [0.0, 0.3])
def test_each_beat_of_the_dancer_comes_on_an_even_one(accent):
    np.testing.assert_allclose(movement_times(DANCER, np.array([1.0, 1.5, 2.0, 2.5]), accent), DANCER.beats_s)


@pytest.mark.parametrize("accent", [0.0, 0.3, 0.9])
def test_time_runs_forwards_and_smoothly_everywhere(accent):
    times = np.arange(0.0, 9.0, 1e-3)
    pace = np.gradient(movement_times(DANCER, times, accent), times)
    assert (pace > 0).all()
    assert np.abs(np.diff(pace)).max() < 0.02
    assert np.mean(pace[6000:8000]) == pytest.approx(1.0, abs=1e-3)  # long after the last beat: at the dancer's own


def test_the_accent_is_the_share_by_which_beats_are_slower():
    steady = Groove(tuple(np.arange(8) * 0.5), (1.0,) * 8)
    times = np.arange(0.5, 3.0, 1e-3)
    pace = np.gradient(movement_times(steady, times, 0.3), times)
    on_beat, between = np.isclose(times % 0.5, 0.0, atol=1e-6), np.isclose(times % 0.5, 0.25, atol=1e-6)
    np.testing.assert_allclose(pace[on_beat][1:-1], 0.7, atol=1e-3)
    np.testing.assert_allclose(pace[between][1:-1], 1.3, atol=1e-3)
    np.testing.assert_allclose(movement_times(steady, times, 0.0), times, atol=1e-9)


@pytest.mark.parametrize("accent", [-0.1, 1.0])
def test_accents_that_would_stop_or_turn_time_are_refused(accent):
    with pytest.raises(ValueError, match="from 0 to under 1"):
        movement_times(DANCER, np.zeros(1), accent)
