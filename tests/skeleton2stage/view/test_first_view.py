import numpy as np
import pytest

from skeleton2stage.view.first_view import HEIGHT_M, Canvas, first_view

FOV_RAD = np.radians(75.0)


def seen(canvas, position, target, points_w):
    """Where a pinhole camera has points on its canvas, pixels from the left and from above."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    focal = canvas.height_px / 2 / np.tan(canvas.fov_rad / 2)
    relative = np.asarray(points_w) - position
    depth = relative @ forward
    assert (depth > 0).all()
    return (canvas.width_px / 2 + focal * (relative @ right) / depth,
            canvas.height_px / 2 + focal * (relative @ down) / depth)


@pytest.mark.parametrize("elevation_rad", [-0.2, -1.3])
@pytest.mark.parametrize("azimuth_rad", [0.0, 1.0, -2.5])
@pytest.mark.parametrize(
    ("width", "height", "covered", "row_m"),
    [(956, 720, 100, 0.0), (956, 720, 216, 5.1), (676, 600, 216, 5.1), (1600, 1000, 216, 1.7), (400, 800, 480, 5.1),
     (956, 420, 400, 5.1)],
)
def test_everybody_stands_in_what_no_panel_covers(width, height, covered, row_m, azimuth_rad, elevation_rad):
    canvas = Canvas(width, height, covered, FOV_RAD)
    position, target = first_view(canvas, row_m, azimuth_rad, elevation_rad)
    right_w = np.array([np.sin(azimuth_rad), -np.cos(azimuth_rad), 0.0])
    ahead_w = np.array([np.cos(azimuth_rad), np.sin(azimuth_rad), 0.0])
    ends = [side * right_w * row_m / 2 for side in (-1, 1)]
    reach = [0.7 * (np.cos(turn) * right_w + np.sin(turn) * ahead_w) for turn in np.arange(8) * np.pi / 4]
    people = [end + arm + [0, 0, z] for end in ends for arm in reach for z in (0.0, 1.2)]
    people += [end + [0, 0, z] for end in ends for z in (0.0, HEIGHT_M)]
    x, y = seen(canvas, position, target, people)
    free = max(height - covered, 0.35 * height)
    assert x.min() >= 0 and x.max() <= width and y.min() >= 0 and y.max() <= free
    # And no farther away than that takes.
    assert np.ptp(x) > 0.45 * width or np.ptp(y) > 0.45 * free


def test_it_looks_down_at_the_floor():
    position, target = first_view(Canvas(956, 720, 200, FOV_RAD), 0.0, 0.5)
    assert position[2] > target[2] and position[2] > 0.3
