import numpy as np
import pytest

from skeleton2stage.motion.clip_windows import end_to_end, window_starts
from skeleton2stage.motion.motion import Motion


@pytest.mark.parametrize(("frames", "expected"), [(149, []), (150, [0]), (164, [0]), (180, [0, 15, 30])])
def test_whole_windows_every_half_second(frames, expected):
    assert window_starts(frames, 150, 15).tolist() == expected


def test_clips_end_to_end_are_named_by_where_they_begin():
    motion = Motion(np.zeros((25, 24, 3)), np.arange(75.0).reshape(25, 3))
    cut = end_to_end({"a": motion, "short": motion.slice(0, 9)}, 10)
    assert list(cut) == ["a@0", "a@10"]
    np.testing.assert_array_equal(cut["a@10"].translation, motion.translation[10:20])
