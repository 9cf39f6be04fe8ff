"""Where the camera stands when a browser opens: far enough for everybody, and so that no panel covers their feet."""

from dataclasses import dataclass

import numpy as np

from skeleton2stage.render.camera import view_axes

FRONT_TURN_RAD, ELEVATION_RAD = 0.35, -0.2  # a little from the side and from above, for depth and feet to be judged
HEIGHT_M, REACH_M = 2.15, 0.75  # from the floor over the names, and from a dancer's middle to their hands
ROOM_M = 0.4  # beside the row, as dancers do not stay where they begin
_MARGIN_PX = 14
_LEAST_FREE = 0.35  # of the page's height, however much of it is covered


@dataclass(frozen=True)
class Canvas:
    """A browser's picture: its size, pixels, how much of it is covered at its foot, and its vertical field of view."""

    width_px: float
    height_px: float
    covered_px: float
    fov_rad: float


def first_view(
    canvas: Canvas, row_m: float, azimuth_rad: float, elevation_rad: float = ELEVATION_RAD
) -> tuple[np.ndarray, np.ndarray]:
    """Return the camera's place and the point [3] m it looks at, from the point on the floor amid the dancers.

    row_m: from the first dancer of the row to the last. All of them are in what is free of the canvas, its middle.
    The direction of sight is azimuth_rad, counter-clockwise from x seen from above, and elevation_rad over the horizon.
    """
    forward_w, _, up_w = view_axes(azimuth_rad, elevation_rad)
    focal_px = canvas.height_px / 2 / np.tan(canvas.fov_rad / 2)
    covered_px = min(canvas.covered_px, (1 - _LEAST_FREE) * canvas.height_px)
    free_px = canvas.height_px - covered_px - 2 * _MARGIN_PX
    # Whoever stands nearer than the middle is seen larger: the row's half width is in front of it at most by REACH_M.
    across_m = focal_px * (row_m + 2 * (REACH_M + ROOM_M)) / (canvas.width_px - 2 * _MARGIN_PX)
    along_m = focal_px * (HEIGHT_M * np.cos(elevation_rad) + 2 * REACH_M * abs(np.sin(elevation_rad))) / free_px
    distance_m = max(across_m, along_m) + REACH_M
    # To lift the picture by half of what is covered, the camera goes down by as much, as seen at that distance.
    sinks_m = covered_px / 2 * distance_m / focal_px
    target_w = np.array([0.0, 0.0, HEIGHT_M / 2]) - sinks_m * up_w
    return target_w - distance_m * forward_w, target_w
