"""Gaps of a tracker, bridged by the shortest way, against numpy and roma."""

import numpy as np
import pytest
import roma
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.frame_gaps import MAX_GAP_FRAMES, bridged, frame_numbers, stretches


@pytest.mark.parametrize(("frames", "parts"), [
    ([0, 1, 2], [(0, 3)]), ([5], [(0, 1)]),
    ([0, 15, 16], [(0, 3)]),  # fifteen frames on is half a second
    ([0, 16, 17, 40], [(0, 1), (1, 3), (3, 4)]),
])
def test_a_motion_ends_where_more_than_half_a_second_is_missing(frames, parts):
    assert MAX_GAP_FRAMES == 15
    assert [(part.start, part.stop) for part in stretches(np.array(frames))] == parts


def test_what_is_missing_lies_evenly_between_its_neighbours():
    frames = np.array([10, 11, 15, 16])
    angles = np.array([0.0, 0.2, 1.0, 1.1])
    poses = angles[:, None, None] * np.array([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0]])
    places = np.array([[0.0, 0, 0], [1, 0, 0], [5, 4, -2], [6, 4, -2]])
    turned, moved = bridged(poses, places, frames)
    every = np.arange(10, 17)
    np.testing.assert_allclose(turned[:, 0, 2], np.interp(every, frames, angles), atol=1e-9)
    np.testing.assert_allclose(turned[:, 1], np.interp(every, frames, angles)[:, None] * [0.6, 0.8, 0.0], atol=1e-9)
    for axis in range(3):
        np.testing.assert_allclose(moved[:, axis], np.interp(every, frames, places[:, axis]))


def test_turns_go_the_short_way():
    """From 170 to -170 degrees it is 20, over 180."""
    poses = np.radians([[[0.0, 170.0, 0.0]], [[0.0, -170.0, 0.0]]])
    turned, _ = bridged(poses, np.zeros((2, 3)), np.array([0, 2]))
    half = roma.rotvec_to_rotmat(torch.from_numpy(turned[1, 0]))
    expected = roma.rotvec_to_rotmat(torch.tensor([0.0, np.pi, 0.0], dtype=torch.float64))
    torch.testing.assert_close(half, expected, atol=1e-9, rtol=0)


def test_without_gaps_nothing_changes():
    poses, places = 0.3 * np.random.default_rng(0).normal(size=(5, 24, 3)), np.random.default_rng(1).normal(size=(5, 3))
    turned, moved = bridged(poses, places, np.arange(7, 12))
    np.testing.assert_allclose(turned, poses, atol=1e-9)
    np.testing.assert_array_equal(moved, places)


def test_numbers_are_those_of_the_file_or_one_after_another():
    assert frame_numbers(None, 3).tolist() == [0, 1, 2]
    assert frame_numbers([[4.0], [6.0]], 2).tolist() == [4, 6]


@pytest.mark.parametrize(("value", "words"), [
    ([0, 1], "its 2 frame numbers do not go with its 3 frames"), ([0, 2, 2], "one after another"),
    ([3, 2, 1], "one after another"), ([0, np.nan, 2], "one after another"), (["a", "b", "c"], "are no numbers"),
    ([10**400, 1, 2], "are no numbers"),
])
def test_other_numbers_are_told(value, words):
    with pytest.raises(UserError, match=words):
        frame_numbers(value, 3)
