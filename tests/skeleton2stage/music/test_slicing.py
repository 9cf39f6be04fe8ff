"""Windows of audio, counted by hand."""

import numpy as np
import pytest

from skeleton2stage.music.slicing import slice_audio, slice_starts_s


def test_windows_start_every_stride_and_are_whole():
    audio = np.arange(100, dtype=np.float32)  # 10 s at 10 Hz

    slices = slice_audio(audio, 10, seconds=5.0, stride_s=2.5)

    assert slices.shape == (3, 50)
    np.testing.assert_array_equal(slices[:, 0], [0, 25, 50])
    np.testing.assert_array_equal(slices[2], np.arange(50, 100))
    np.testing.assert_array_equal(slice_starts_s(3, 2.5), [0.0, 2.5, 5.0])


@pytest.mark.parametrize(("samples", "expected"), [(49, 0), (50, 1), (54, 1), (55, 2), (100, 11)])
def test_training_stride_leaves_the_rest_out(samples, expected):
    slices = slice_audio(np.zeros(samples, np.float32), 10, seconds=5.0, stride_s=0.5)
    assert slices.shape == (expected, 50)


def test_slices_are_copies():
    audio = np.zeros(100, dtype=np.float32)
    slices = slice_audio(audio, 10)
    slices[0] = 1.0
    assert not audio.any() and not slices[1].any()


@pytest.mark.parametrize(("seconds", "stride_s"), [(0.0, 1.0), (5.0, 0.0), (5.0, 0.05)])
def test_windows_of_no_samples_are_refused(seconds, stride_s):
    with pytest.raises(ValueError, match="under a sample"):
        slice_audio(np.zeros(100, np.float32), 10, seconds, stride_s)
