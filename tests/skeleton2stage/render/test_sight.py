"""Where in a picture a figure is seen."""

import numpy as np
import pytest

from skeleton2stage.render.camera import FOV_RAD, Camera
from skeleton2stage.render.sight import PixelBox, pixel_box, sight_of

SIZE = (192, 128)
CAMERA = Camera(np.array([0.0, 0.0, 1.0]), 4.0, 0.0, 0.0)  # looking along x


def box_of(*points):
    return pixel_box(np.array(points, dtype=np.float64), sight_of(CAMERA, SIZE[0] / SIZE[1]).view, SIZE)


def test_a_point_is_where_a_pinhole_camera_sees_it():
    metre = SIZE[1] / 2 / np.tan(FOV_RAD / 2) / 4  # pixels, 4 m away
    assert box_of([0.0, 0.0, 1.0]) == PixelBox(96 - 2, 64 - 2, 4, 4)
    # The world's y is to the left, and rows are counted from the picture's top: it is drawn upside down.
    box = box_of([0.0, 0.5, 1.0], [0.0, 0.0, 1.25])
    assert (box.left, box.left + box.width) == (np.floor(96 - 0.5 * metre) - 2, 96 + 2)
    assert (box.low, box.low + box.height) == (np.floor(64 - 0.25 * metre) - 2, 64 + 2)


def test_what_is_out_of_the_picture_is_cut_off():
    assert box_of([0.0, 0.0, 1.0], [0.0, 9.0, 9.0]) == PixelBox(0, 0, 98, 66)
    gone = box_of([0.0, 8.0, 1.0], [0.0, 9.0, 1.2])
    assert gone.width == 0 and gone.height > 0


@pytest.mark.parametrize("x", [-4.0, -5.0, -3.95])
def test_points_beside_or_behind_the_eye_take_the_whole_picture(x):
    assert box_of([0.0, 0.0, 1.0], [x, 0.1, 1.0]) == PixelBox(0, 0, *SIZE)
