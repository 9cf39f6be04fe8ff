"""The heat strip: its numbers by hand, and what is drawn."""

import numpy as np
import pytest

from skeleton2stage.metrics.heat_strip import heat_strip_figure, penetration_over_time
from skeleton2stage.plots.plot_style import save_figure


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
    axis = heat_strip_figure(pairs, ["head & $neck$", "left_foot", "left_hand"]).axes[0]
    assert axis.get_title(loc="left") == "intersecting pairs a frame, at most 4.0 a cell"
    assert [label.get_text() for label in axis.get_yticklabels()] == ["left_hand", "head & $neck$"]
    (means,) = axis.child_axes
    assert [label.get_text() for label in means.get_yticklabels()] == ["3.00", "2.00"]
    (cells,) = axis.collections
    np.testing.assert_array_equal(np.ravel(cells.get_array()), [4.0, 2.0, 1.0, 3.0])
    assert cells.get_clim() == (0.0, 4.0)


def test_a_body_that_never_meets_itself_is_drawn(tmp_path):
    save_figure(tmp_path / "none.svg", heat_strip_figure(np.zeros((4, 2)), ["a", "b"]))
    assert "at most 0.0" in (tmp_path / "none.svg").read_text()


def test_cells_lie_at_their_half_seconds_and_rows_under_their_names():
    pairs = np.array([[1.0, 4.0], [3.0, 2.0], [0.0, 2.0]])
    axis = heat_strip_figure(pairs, ["head", "left_hand"]).axes[0]
    assert axis.get_xlim() == (0.0, 1.5) and axis.get_ylim() == (2, 0)
    (cells,) = axis.collections
    corners = cells.get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], [0.0, 0.5, 1.0, 1.5])
    np.testing.assert_allclose(corners[:, 0, 1], [0, 1, 2])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["left_hand", "head"]
    assert axis.get_yticks().tolist() == axis.child_axes[0].get_yticks().tolist() == [0.5, 1.5]


@pytest.mark.parametrize(("half_seconds", "width_in"), [(4, 5.0), (25, 5.0), (40, 8.0)])
def test_a_strip_grows_with_its_motion(half_seconds, width_in):
    pairs = np.ones((half_seconds, 2))
    short, tall = heat_strip_figure(pairs, ["a", "b"]), heat_strip_figure(np.ones((half_seconds, 9)), list("abcdefghi"))
    assert short.get_size_inches()[0] == pytest.approx(width_in)
    assert tall.get_size_inches()[1] > short.get_size_inches()[1]


def test_no_part_that_meets_another_leaves_an_empty_strip():
    axis = heat_strip_figure(np.zeros((4, 2)), ["a", "b"]).axes[0]
    assert axis.get_ylim() == (1, 0) and not axis.collections and axis.get_xlim() == (0.0, 2.0)


def test_a_last_half_second_that_is_not_full_counts_the_frames_it_has():
    counts = np.zeros((18, 1), dtype=int)
    counts[15:] = 8
    np.testing.assert_allclose(penetration_over_time([counts]), [[0.0], [4.0]])
