"""The heat strip: its numbers by hand, and what is drawn."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from skeleton2stage.metrics.heat_strip import heat_strip_svg, penetration_over_time


def test_pairs_by_half_second_and_part():
    """One motion of a second, one of half a second with three parts; the second half has the first motion alone."""
    long, short = np.zeros((30, 3), dtype=int), np.zeros((15, 3), dtype=int)
    long[:, 0] = 2
    long[15:, 1] = 4
    short[:5, 2] = 6
    pairs = penetration_over_time([long, short])
    np.testing.assert_allclose(pairs, [[0.5, 0.0, 0.5], [1.0, 2.0, 0.0]])


def test_a_rows_sum_is_the_pen_rate():
    counts = 2 * np.random.default_rng(0).integers(0, 5, size=(45, 4))
    assert penetration_over_time([counts]).sum(axis=1).mean() == pytest.approx(counts.sum(axis=1).mean() / 2)


def test_the_drawing_has_the_parts_that_meet_the_worst_first():
    pairs = np.array([[1.0, 0.0, 4.0], [3.0, 0.0, 2.0]])
    drawing = ElementTree.fromstring(heat_strip_svg(pairs, ["head & neck", "left_foot", "left_hand"]))
    texts = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    title = "intersecting pairs a frame, at most 4.0 a cell"
    assert texts == [title, "left_hand", "3.00", "head & neck", "2.00", "0 s"]
    fills = [element.get("fill") for element in drawing.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert fills[0] == "#aa1e14"
    assert len(fills) == 4 == len(set(fills))


def test_a_body_that_never_meets_itself_is_drawn():
    assert "at most 0.0" in heat_strip_svg(np.zeros((4, 2)), ["a", "b"])
