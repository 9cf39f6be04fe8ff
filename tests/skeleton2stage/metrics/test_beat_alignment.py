import numpy as np
import pytest

from skeleton2stage.metrics.beat_alignment import bas


def test_published_alignment(published, public_arrays):
    for name, values in published["per_motion"].items():
        music, motion = public_arrays[f"{name}/music_beats_60fps"], public_arrays[f"{name}/motion_beats_60fps"]
        assert bas(music, motion) == pytest.approx(values["bas"], rel=1e-6), name


def test_by_hand():
    # The first beat is hit, the second missed by 3 frames; the far motion beat plays no part.
    assert bas(np.array([10, 50]), np.array([10, 47, 300])) == pytest.approx((1 + np.exp(-0.5)) / 2)


def test_a_motion_without_beats_scores_nothing_and_silence_is_refused():
    assert bas(np.array([3]), np.array([], dtype=int)) == 0.0
    with pytest.raises(ValueError, match="undefined"):
        bas(np.array([], dtype=int), np.array([3]))
