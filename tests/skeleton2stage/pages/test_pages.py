"""What pages say and show, and how they behave in a browser."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from headless_browser import open_page
from skeleton2stage.errors import UserError
from skeleton2stage.pages.motion_page import motion_page, quantity, worst_moments
from skeleton2stage.pages.time_line import time_line
from skeleton2stage.pages.write_pages import page_addresses, write_pages


def test_a_time_line_is_red_where_an_axis_is_at_fault(explain):
    drawing = ElementTree.fromstring(time_line(explain("a.pkl"), [1.5]))
    cells = [cell for cell in drawing.iter("rect") if cell.get("fill")]
    assert len(cells) == 30 and {float(cell.get("x")) >= 150 + 810 / 3 - 0.1 for cell in cells} == {True}
    assert [text.text for text in drawing.iter("text")][:2] == ["joint limits", "sink"]
    assert len(list(drawing.iter("line"))) == 1
    assert cells[0].find("title").text == "1.0 s: 90 %"


def test_a_long_motion_has_no_more_cells_than_pixels(explain):
    from dataclasses import replace

    explained = explain("long.pkl")
    motion = replace(
        explained.motion, poses=np.tile(explained.motion.poses, (100, 1, 1)),
        translation=np.tile(explained.motion.translation, (100, 1)),
    )
    axes = tuple(replace(axis, frames=np.tile(axis.frames, 100)) for axis in explained.axes)
    drawing = ElementTree.fromstring(time_line(replace(explained, motion=motion, axes=axes), []))
    assert 0 < len([cell for cell in drawing.iter("rect") if cell.get("fill")]) <= 300


def test_worst_moments_are_apart_and_in_order(explain):
    from dataclasses import replace

    explained = explain("a.pkl")
    at = [2.0, 2.1, 0.5, 1.2, 2.9]
    many = tuple(replace(explained.faults[0], peak_s=peak) for peak in at)
    assert [fault.peak_s for fault in worst_moments(replace(explained, faults=many))] == [0.5, 1.2, 2.0]


def test_the_part_at_fault_is_red_and_nothing_else(explain, painter):
    explained = explain("a.pkl")
    frame = 45
    picture = np.asarray(painter.still(explained.motion, frame, explained.parts[frame], 0.0, 0.0)).astype(int)
    red = picture[..., 0] - picture[..., 1] > 60
    rows = red.nonzero()[0]
    assert 300 < red.sum() < 6000
    assert rows.min() > 0.55 * len(picture)  # a shin is in the lower half
    sound = np.asarray(painter.still(explained.motion, frame, np.zeros(24), 0.0, 0.0)).astype(int)
    assert (sound[..., 0] - sound[..., 1] < 30).all()
    amber = np.asarray(painter.still(explained.motion, frame, np.zeros(24), 1.0, 0.0)).astype(int)
    assert ((amber[..., 0] - amber[..., 2]) > 60).sum() > 10 * red.sum() / 4


def test_a_page_says_it_all_and_escapes_names(explain, painter):
    page = motion_page(explain('<b>"x".pkl'), painter)
    assert "<b>" not in page and "&lt;what&gt;" in page and "imitation" in page and "0.800" in page
    assert len(re.findall("data:image/png;base64,", page)) == 1
    assert "http" not in page.replace("http-equiv", "")  # nothing is fetched


def test_values_are_written_as_people_do():
    assert quantity(2783.4, "m/s3") == "2,783 m/s³"
    assert quantity(86.93, "deg") == "86.9 °" and quantity(0.0, "cm2") == "0 cm²"
    assert quantity(999.0, "% weight") == "999 % weight"


def test_addresses_follow_names_and_never_meet():
    assert page_addresses(["a.pkl", "more/b.bvh@30", "index.pkl"]) == ["a.html", "more/b@30.html", "index_.html"]
    with pytest.raises(UserError, match="several motions would be explained in a.html"):
        page_addresses(["a.pkl", "a.npz"])


def test_pages_in_a_browser(explain, tmp_path):
    """The table sorts by a click, upwards by another; links lead to pages whose pictures are there; no errors."""
    motions = [explain("b.pkl", 0.5), explain("more/c.pkl", 0.9), explain("a.pkl", 0.7)]
    index = write_pages(tmp_path / "report", motions)
    with open_page(f"file://{index}") as (page, errors):
        def order() -> list[str]:
            return page.eval_on_selector_all("tbody tr", "rows => rows.map(row => row.cells[0].textContent)")

        assert order() == ["b.pkl", "more/c.pkl", "a.pkl"]
        page.click("text=joint limits")
        assert order() == ["more/c.pkl", "a.pkl", "b.pkl"]
        page.click("text=joint limits")
        assert order() == ["b.pkl", "a.pkl", "more/c.pkl"]
        page.click("button:text-is('motion')")
        assert order() == ["more/c.pkl", "b.pkl", "a.pkl"]
        page.click("text=more/c.pkl")
        assert page.title() == "Verdict: more/c.pkl"
        assert page.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth)") == [360]
        assert "Left knee 37° beyond" in page.inner_text("p.summary")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.click("text=all motions")
        assert page.url.endswith("index.html") and errors == []
