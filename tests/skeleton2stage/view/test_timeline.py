from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from skeleton2stage.render.marks import NONE, SLIDING, STILL
from skeleton2stage.view import timeline


def drawn(dancers, duration_s=1.0):
    """The SVG's elements by tag."""
    html = timeline.timeline_svg(dancers, duration_s, 30, "go(time_s)")
    svg = ElementTree.fromstring(html[: html.index("</svg>") + 6])
    return svg, lambda tag: list(svg.iter(tag))


def points(element):
    return np.array([pair.split(",") for pair in element.get("points").split()], dtype=float)


def test_penetration_stands_where_it_is_and_as_high_as_its_share(dancer):
    _, of = drawn([dancer])
    (area,) = of("polygon")
    x, y = points(area).T
    bottom, top = y.max(), y.min()
    assert bottom - top == pytest.approx(timeline.ROW_HEIGHT)
    first = x[y < bottom - 1].min()
    assert first == pytest.approx(timeline.head_x(20 / 30, 1.0), abs=0.1)


def test_rows_share_one_scale(dancer):
    half = replace(dancer, pairs=dancer.pairs // 2)
    _, of = drawn([dancer, half])
    heights = [np.ptp(points(area)[:, 1]) for area in of("polygon")]
    assert heights[1] == pytest.approx(heights[0] / 2, rel=0.1)


def test_the_score_falls_from_one_to_a_half(dancer):
    _, of = drawn([dancer])
    y = points(of("polyline")[0])[:, 1]
    assert y[-1] - y[0] == pytest.approx(timeline.ROW_HEIGHT / 2, abs=0.1)


def test_feet_are_strips_of_their_colours(dancer):
    contacts = np.full((30, 4), NONE)
    contacts[0:10, 0], contacts[10:15, 2], contacts[29, 3] = STILL, SLIDING, STILL
    _, of = drawn([replace(dancer, contacts=contacts)])
    strips = [(float(r.get("x")), float(r.get("width")), r.get("fill")) for r in of("rect")[1:]]
    scale = (timeline.WIDTH - timeline.LEFT) / 30
    assert [colour for *_, colour in strips] == [timeline.STILL_COLOUR, timeline.SLIDING_COLOUR, timeline.STILL_COLOUR]
    assert [round(width / scale) for _, width, _ in strips] == [10, 5, 1]
    assert strips[2][0] == pytest.approx(timeline.LEFT + 29 * scale, abs=0.1)


def test_names_are_escaped_and_the_click_is_told_its_time(dancer):
    svg, of = drawn([dancer])
    assert of("text")[0].text == "base <1>"
    assert "go(time_s)" in svg.get("onclick") and "*1.000000" in svg.get("onclick")


def test_long_dances_are_drawn_by_few_points_that_keep_the_highest(dancer):
    pairs = np.zeros(9000, dtype=int)
    pairs[4321] = 7
    long = replace(dancer, pairs=pairs, score=None, contacts=np.full((9000, 4), NONE))
    _, of = drawn([long], 300.0)
    (area,) = of("polygon")
    assert len(points(area)) < 700 and np.ptp(points(area)[:, 1]) == pytest.approx(timeline.ROW_HEIGHT)


def test_a_dance_that_never_penetrates_and_is_not_scored_has_feet_alone(dancer):
    _, of = drawn([replace(dancer, pairs=None, score=None)])
    assert of("polygon") == [] and of("polyline") == []
