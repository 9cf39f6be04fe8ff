import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from skeleton2stage.plots.plot_style import COLOURS, line_style, panels, save_figure

# Viénot, Brettel and Mollon, 1999: what is left of linear RGB to eyes without red, or without green, cones.
DICHROMATS = {
    "protan": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deutan": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
}


def lightness_and_tint(rgb):
    """CIE Lab of linear RGB."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    x, y, z = np.cbrt(np.clip(xyz / [0.9505, 1.0, 1.089], 1e-6, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", DICHROMATS)
def test_any_two_of_the_first_four_colours_are_told_apart_by_all_eyes(eyes):
    seen = [lightness_and_tint(np.array(DICHROMATS[eyes]) @ np.array(to_rgb(c)) ** 2.2) for c in COLOURS[:4]]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 15


def test_many_lines_differ_in_dashes_where_colours_repeat():
    styles = [tuple(line_style(number).items()) for number in range(21)]
    assert len(set(styles)) == 21


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_same_figure_gives_the_same_file(suffix, tmp_path):
    for name in ("one", "two"):
        with panels(1, 1, (3, 2)) as (figure, (axis,)):
            axis.plot([0, 1], [0, 1], **line_style(0))
            axis.set_title("a title")
        save_figure(tmp_path / f"{name}{suffix}", figure)
    one = (tmp_path / f"one{suffix}").read_bytes()
    assert one == (tmp_path / f"two{suffix}").read_bytes()
    assert suffix != ".svg" or b"a title" in one


def test_panels_come_row_by_row_without_frames():
    with panels(2, 3, (2.0, 1.0)) as (figure, axes):
        pass
    assert len(axes) == 6 and figure.get_size_inches().tolist() == [6.0, 2.0]
    assert not axes[0].spines["top"].get_visible()
