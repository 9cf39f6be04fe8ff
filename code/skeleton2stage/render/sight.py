"""What a picture is seen by: the eye and the sun, as matrices and positions."""

from dataclasses import dataclass

import numpy as np

from skeleton2stage.render.camera import FOV_RAD, NEAR_M, Camera, eye_w, view_matrix
from skeleton2stage.render.sunlight import sun_direction, sun_matrix

_RIM_PIXELS = 2


@dataclass(frozen=True)
class Sight:
    """One picture's view and light.

    view, sun_view: [4, 4] from the world to the picture's and to the sun's. eye_w: [3] m. sun: [3], towards it.
    slopes: [2] of sight over the horizon, at the picture's lowest and highest row.
    """

    view: np.ndarray
    eye_w: np.ndarray
    sun: np.ndarray
    sun_view: np.ndarray
    slopes: np.ndarray


@dataclass(frozen=True)
class PixelBox:
    """A rectangle of pixels: its least column and row, rows counted as OpenGL does, and how many there are of each."""

    left: int
    low: int
    width: int
    height: int


def pixel_box(points_w: np.ndarray, view: np.ndarray, size: tuple[int, int]) -> PixelBox:
    """Return the part of a picture of a size (width, height) in which points [V, 3] m are seen, with two pixels around.

    Points behind the eye, of which nobody can tell where they are seen, make it the whole picture.
    """
    clip = points_w @ view[:, :3].T + view[:, 3]
    if clip[:, 3].min() <= NEAR_M:
        return PixelBox(0, 0, *size)
    extent = np.array(size)
    pixels = (clip[:, :2] / clip[:, 3:] + 1.0) / 2.0 * extent
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int) - _RIM_PIXELS, 0, extent)
    high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + _RIM_PIXELS, 0, extent)
    return PixelBox(*low.tolist(), *(high - low).tolist())


def sight_of(camera: Camera, aspect: float) -> Sight:
    """Return what a camera sees by, of a picture of an aspect (width over height)."""
    sun = -sun_direction(camera.azimuth_rad)
    slopes = np.tan(camera.elevation_rad) + np.array([1.0, -1.0]) * np.tan(FOV_RAD / 2)
    return Sight(view_matrix(camera, aspect), eye_w(camera), sun, sun_matrix(camera.target_w, sun), slopes)
