"""What stands on pages, read back from their HTML, and where a still's eye is."""

import base64
import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.pages.folder_page import folder_page
from skeleton2stage.pages.motion_page import motion_page, worst_moments
from skeleton2stage.pages.painted_body import HEIGHT, WIDTH, _ahead, _Eye
from skeleton2stage.pages.time_line import LABEL, time_line
from skeleton2stage.pages.time_line import WIDTH as LINE_WIDTH


class Reader(HTMLParser):
    """Rows of tables as text, addresses of links, and the attributes of cells and of the body."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows, self.links, self.cells, self.body, self._open = [], [], [], {}, False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.cells.append(dict(attrs))
            self._open = True
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag == "body":
            self.body = dict(attrs)

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] += data


def test_a_folders_table_has_a_row_a_motion_with_all_its_figures(explain):
    motions = [explain("b.pkl", 0.5), explain('more/"c" <1>.pkl', 0.9)]
    page = Reader(folder_page(motions, ["b.html", "more/c 1.html"]))
    assert page.rows[0] == ["motion", "what is wrong", "soundness", "imitation", "joint limits", "sink"]
    assert page.rows[1] == ["b.pkl", motions[0].summary, "0.75", "0.61", "0.5", "1"]
    assert page.rows[2][0] == 'more/"c" <1>.pkl' and page.rows[2][2:] == ["0.95", "0.61", "0.9", "1"]
    assert page.links == ["b.html", "more/c%201.html"] and page.body == {"class": "wide"}
    sorted_by = [cell["data-value"] for cell in page.cells if "data-value" in cell]
    assert sorted_by[:3] == ["b.pkl", "0.75", "0.61"] and float(sorted_by[6]) == pytest.approx(0.95)
    text = [cell.get("class") for cell in page.cells[:6]]
    assert text == ["text", "text", None, None, None, None]


def test_a_page_has_a_row_an_axis(explain, painter):
    page = Reader(motion_page(explain("a.pkl"), painter))
    assert page.rows[0] == ["axis", "of", "score", "", "worst", "frames at fault"]
    assert page.rows[1] == ["joint limits", "kinematics", "0.800", "", "37 °", "33 %"]
    assert page.rows[2] == ["sink", "contact", "1.000", "", "0.4 cm", "0 %"]
    assert page.links == [] and page.body == {}


def test_a_page_of_a_folder_leads_back(explain, painter):
    assert Reader(motion_page(explain("a.pkl"), painter, "../index.html")).links == ["../index.html"]


def test_pictures_are_of_the_worst_moments_and_say_when(explain, painter):
    page = motion_page(explain("a.pkl"), painter)
    (picture,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    assert image.size == (WIDTH, HEIGHT)
    assert "<figcaption>1.5 s: left knee 37° beyond &lt;what&gt;</figcaption>" in page
    assert "<li>left knee 37° beyond &lt;what&gt;</li>" in page and "3.0 s, 90 frames" in page


def test_a_sound_motion_has_neither_pictures_nor_a_list(explain, painter):
    page = motion_page(replace(explain("a.pkl"), faults=()), painter)
    assert "Where it is worst" not in page and "All that was found" not in page and "<img" not in page
    assert "class='mark'" not in page and "When" in page


def test_a_fault_at_the_very_end_has_its_picture(explain, painter):
    explained = explain("a.pkl")
    page = motion_page(replace(explained, faults=(replace(explained.faults[0], peak_s=3.0),)), painter)
    assert page.count("data:image/png") == 1


@pytest.mark.parametrize(("apart_s", "n_shown"), [(0.39, 1), (0.41, 2)])
def test_moments_nearer_than_two_fifths_of_a_second_share_a_picture(explain, apart_s, n_shown):
    fault = explain("a.pkl").faults[0]
    two = (fault, replace(fault, peak_s=fault.peak_s + apart_s))
    assert len(worst_moments(replace(explain("a.pkl"), faults=two))) == n_shown


def drawn(explained, marked_s=()) -> ElementTree.Element:
    return ElementTree.fromstring(time_line(explained, list(marked_s)))


def test_strips_lie_under_each_other_and_cells_at_their_seconds(explain):
    drawing = drawn(explain("a.pkl"), [1.5, 3.0])
    strips = [rect for rect in drawing.iter("rect") if rect.get("class") == "strip"]
    assert [float(strip.get("y")) for strip in strips] == [0.0, 24.0]
    assert {float(strip.get("width")) for strip in strips} == {LINE_WIDTH - LABEL}
    cells = [rect for rect in drawing.iter("rect") if rect.get("fill")]
    places = [float(cell.get("x")) for cell in cells]
    scale = (LINE_WIDTH - LABEL) / 90
    np.testing.assert_allclose(places, LABEL + scale * np.arange(30, 60), atol=0.06)
    assert float(cells[0].get("fill-opacity").split("+")[-1]) == pytest.approx(0.15 + 0.85 * 0.9, abs=0.01)
    marks = [float(line.get("x1")) for line in drawing.iter("line")]
    assert marks == pytest.approx([LABEL + 15 * 30 * scale / 10, LINE_WIDTH], abs=0.06)


@pytest.mark.parametrize(("seconds", "step"), [
    (3, 0.5), (10, 0.5), (11, 1), (21, 2), (41, 5), (300, 30), (1200, 60), (1230, 300),
])
def test_seconds_stand_under_the_line_as_close_as_they_can_be_read(explain, seconds, step):
    n = 30 * seconds
    long = Motion(np.zeros((n, 24, 3), np.float32), np.zeros((n, 3), np.float32))
    axes = tuple(replace(axis, frames=np.zeros(len(long))) for axis in explain("a.pkl").axes)
    drawing = drawn(replace(explain("a.pkl"), motion=long, axes=axes))
    ticks = [text.text for text in drawing.iter("text") if text.get("text-anchor") == "middle"]
    assert ticks[:2] == ["0 s", f"{step:g} s"]
    assert len(ticks) <= 25


def test_a_cell_of_several_frames_shows_the_worst_of_them(explain):
    explained = explain("a.pkl")
    frames = np.zeros(900)
    frames[301] = 0.5
    motion = replace(explained.motion, poses=np.tile(explained.motion.poses, (10, 1, 1)),
                     translation=np.tile(explained.motion.translation, (10, 1)))
    axes = (replace(explained.axes[0], frames=frames),)
    (cell,) = [rect for rect in drawn(replace(explained, motion=motion, axes=axes)).iter("rect") if rect.get("fill")]
    assert cell.find("title").text == "10.0 s: 50 %"
    assert float(cell.get("x")) == pytest.approx(LABEL + (LINE_WIDTH - LABEL) / 3, abs=0.1)


BOX = np.array([[x, y, z] for x in (-0.4, 0.4) for y in (-0.2, 0.2) for z in (0.0, 1.7)])


@pytest.mark.parametrize("bearing", np.linspace(0.0, 2 * np.pi, 5, endpoint=False))
def test_the_whole_body_is_in_the_picture_wherever_the_eye_is(bearing):
    eye = _Eye(bearing, BOX)
    pixels = eye.pixels(BOX) / 2  # painted twice as large
    assert (pixels > 0).all() and (pixels < [WIDTH, HEIGHT]).all()
    assert np.linalg.norm(eye.forward) == pytest.approx(1.0) and eye.forward[2] < 0
    up, down = eye.pixels(np.array([[0, 0, 1.7], [0, 0, 0.0]]))
    assert up[1] < down[1] and up[0] == pytest.approx(down[0])


def test_the_eye_looks_along_its_bearing_and_right_is_right():
    """From the west, looking east, south is to the right."""
    eye = _Eye(0.0, BOX)
    south, north = eye.pixels(np.array([[0, -0.2, 1.0], [0, 0.2, 1.0]]))
    assert south[0] > north[0]
    assert eye.behind_middle(np.array([0.3, 0.0, 0.85])) == pytest.approx(0.3 * np.cos(0.2))
    assert eye.behind_middle(np.array([-0.3, 0.0, 0.85])) == pytest.approx(-0.3 * np.cos(0.2))


@pytest.mark.parametrize("yaw_deg", [-170, -90, 0, 45, 120])
def test_ahead_is_where_the_pelvis_faces(explain, yaw_deg):
    from scipy.spatial.transform import Rotation

    motion = explain("a.pkl").motion
    poses = motion.poses.copy()
    upright = Rotation.from_rotvec([np.pi / 2, 0, 0])  # faces -y
    poses[:, 0] = (Rotation.from_euler("z", yaw_deg, degrees=True) * upright).as_rotvec()
    found = np.degrees(_ahead(replace(motion, poses=poses), 5))
    assert (found - (yaw_deg - 90) + 180) % 360 - 180 == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("turn_rad", "from_behind"), [(1.4, True), (-1.4, False)])
def test_the_eye_stands_where_the_worst_part_is_nearer(explain, painter, turn_rad, from_behind):
    """The left arm stretched out backwards, or ahead: of a body that faces -y, +y or -y."""
    motion = explain("a.pkl").motion
    poses = motion.poses.copy()
    poses[:, skeleton.joint_index("left_shoulder"), 1] = turn_rad
    moved = replace(motion, poses=poses)
    hand = moved.joints()[5, skeleton.joint_index("left_wrist"), 1] - moved.translation[5, 1]
    assert (hand > 0.3) == from_behind and abs(hand) > 0.3
    parts = np.zeros(24)
    parts[skeleton.joint_index("left_wrist")] = 1.0
    vertices = painter.body.vertices(torch.from_numpy(moved.poses[5:6]), torch.zeros(1, 3))[0].numpy()
    assert (painter._best_eye(moved, 5, vertices, parts).forward[1] < 0) == from_behind
    assert painter._best_eye(moved, 5, vertices, np.zeros(24)).forward[1] > 0  # from ahead, where nothing is wrong


def test_the_body_stands_in_the_middle_on_its_floor_under_the_sky(explain, painter):
    explained = explain("a.pkl")
    still = np.asarray(painter.still(explained.motion, 10, np.zeros(24), 0.0, 0.0)).astype(int)
    assert still.shape == (HEIGHT, WIDTH, 3) and still[2, 2].sum() > still[-3, 2].sum()
    dark = (still.sum(axis=2) < 540).nonzero()
    assert abs(dark[1].mean() - WIDTH / 2) < 25
    again = np.asarray(painter.still(explained.motion, 50, np.zeros(24), 0.0, 0.0)).astype(int)
    np.testing.assert_array_equal(again, still)  # the same pose, another frame


def test_where_the_body_stands_changes_nothing(explain, painter):
    motion = explain("a.pkl").motion
    here = np.asarray(painter.still(motion, 10, np.zeros(24), 0.0, 0.0)).astype(int)
    moved = motion.shifted(np.array([5.0, -3.0, 2.0]))
    there = np.asarray(painter.still(moved, 10, np.zeros(24), 0.0, 2.0)).astype(int)
    assert np.abs(here - there).mean() < 0.5
