from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from lively_motion import lively_motion
from skeleton2stage.render.marks import NONE, SLIDING, STILL
from skeleton2stage.view import timeline


def drawn(dancers, duration_s=1.0, shown=None):
    """The drawing's elements by tag."""
    html = timeline.timeline_html(dancers, shown or [True] * len(dancers), duration_s, 30, "go(time_s)")
    page = ElementTree.fromstring(f"<div>{html.replace('&nbsp;', ' ')}</div>")
    return page, lambda tag: list(page.iter(tag))


def points(element):
    return np.array([pair.split(",") for pair in element.get("points").split()], dtype=float)


def rows_of(of):
    """The grey grounds of rows: where each begins, and its width, in shares of the time, and its height."""
    return [(float(r.get("y")), float(r.get("width")) / timeline.UNITS, float(r.get("height")))
            for r in of("rect") if r.get("fill") == timeline.ROW_COLOUR]


def test_penetration_stands_where_it_is_and_as_high_as_its_share(dancer):
    _, of = drawn([dancer])
    (area,) = of("polygon")
    x, y = points(area).T
    bottom, top = y.max(), y.min()
    assert bottom - top == pytest.approx(timeline.ROW_HEIGHT_PX)
    first = x[y < bottom - 1].min()
    assert first / timeline.UNITS == pytest.approx(timeline.share_of(20 / 30, 1.0), abs=1e-3)


def test_rows_share_one_scale(dancer):
    half = replace(dancer, pairs=dancer.pairs // 2)
    _, of = drawn([dancer, half])
    heights = [np.ptp(points(area)[:, 1]) for area in of("polygon")]
    assert heights[1] == pytest.approx(heights[0] / 2, rel=0.1)


def test_the_score_falls_from_one_to_a_half(dancer):
    _, of = drawn([dancer])
    y = points(of("polyline")[0])[:, 1]
    assert y[-1] - y[0] == pytest.approx(timeline.ROW_HEIGHT_PX / 2, abs=0.1)


def test_feet_are_strips_of_their_colours(dancer):
    contacts = np.full((30, 4), NONE)
    contacts[0:10, 0], contacts[10:15, 2], contacts[29, 3] = STILL, SLIDING, STILL
    _, of = drawn([replace(dancer, contacts=contacts)])
    strips = [(float(r.get("x")), float(r.get("width")), r.get("fill")) for r in of("rect")[1:]]
    scale = timeline.UNITS / 30
    assert [colour for *_, colour in strips] == [timeline.STILL_COLOUR, timeline.SLIDING_COLOUR, timeline.STILL_COLOUR]
    assert [round(width / scale) for _, width, _ in strips] == [10, 5, 1]
    assert strips[2][0] == pytest.approx(29 * scale, abs=0.1)


def test_rows_end_where_their_dances_do_and_say_so(dancer):
    one = replace(dancer, pairs=dancer.pairs[:1], score=None, contacts=dancer.contacts[:1],
                  motion=dancer.motion.slice(0, 1))
    nearly = replace(dancer, motion=lively_motion(1700), pairs=None, score=None, contacts=np.full((1700, 4), NONE))
    long = replace(nearly, motion=lively_motion(1800), contacts=np.full((1800, 4), NONE))
    _, of = drawn([long, nearly, dancer, one], 60.0)
    widths = [width for _, width, _ in rows_of(of)]
    assert widths == pytest.approx([1, 1700 / 1800, 1 / 60, 0.003], abs=1e-3)
    words = [text.text for text in of("text") if not text.text[0].isdigit()]
    assert words == ["ends at 1 s", "one frame"]


def test_rows_are_of_the_dances_that_are_shown_and_lower_where_there_are_many(dancer):
    _, of = drawn([dancer] * 4, shown=[False, True, True, False])
    assert len(rows_of(of)) == 2 and len([d for d in of("div") if d.get("title")]) == 2
    heights = {}
    for n_rows in (0, 1, 2, 4, 8):
        page, of = drawn([dancer] * 8, shown=[number < n_rows for number in range(8)])
        rows = rows_of(of)
        assert len(rows) == n_rows
        assert all(next_y >= y + height for (y, _, height), (next_y, *_) in zip(rows, rows[1:], strict=False))
        surface = next(svg for svg in of("svg") if svg.get("id") == timeline.SURFACE_ID)
        heights[n_rows] = float(surface.get("style").split("height:")[1].split("px")[0])
        assert timeline.height_px(n_rows) == pytest.approx(heights[n_rows] + timeline.LEGEND_HEIGHT)
    assert heights[4] < 160 and heights[8] < 290


def test_names_are_whole_escaped_and_the_click_is_told_its_time(dancer):
    page, of = drawn([dancer])
    name = next(div for div in of("div") if div.get("title"))
    assert name.get("title") == "base <1>" and "".join(name.itertext()).endswith("base <1>")
    surface = next(svg for svg in of("svg") if svg.get("id") == timeline.SURFACE_ID)
    assert "go(time_s)" in surface.get("onclick") and "*1.000000" in surface.get("onclick")


def test_long_dances_are_drawn_by_few_points_that_keep_the_highest(dancer):
    pairs = np.zeros(9000, dtype=int)
    pairs[4321] = 7
    long = replace(dancer, motion=lively_motion(9000), pairs=pairs, score=None, contacts=np.full((9000, 4), NONE))
    _, of = drawn([long], 300.0)
    (area,) = of("polygon")
    assert len(points(area)) < 700 and np.ptp(points(area)[:, 1]) == pytest.approx(timeline.ROW_HEIGHT_PX)


def test_a_dance_that_never_penetrates_and_is_not_scored_has_feet_alone(dancer):
    _, of = drawn([replace(dancer, pairs=None, score=None)])
    assert of("polygon") == [] and of("polyline") == []


@pytest.mark.parametrize("duration_s", [1 / 30, 0.5, 2.0, 10.0, 85.0, 3600.0])
def test_the_axis_begins_at_0_and_has_as_many_marks_as_can_be_read(dancer, duration_s):
    _, of = drawn([replace(dancer, pairs=None, score=None)], duration_s)
    marks = [text for text in of("text") if text.text.endswith(" s") and "ends" not in text.text]
    assert marks[0].text == "0 s" and len(marks) <= 13
    places = [float(mark.get("x").rstrip("%")) for mark in marks]
    assert places == sorted(places) and places[-1] < 100
