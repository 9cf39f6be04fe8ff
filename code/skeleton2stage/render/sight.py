"""What a picture is seen by: the eye and the sun, as matrices and positions."""

from dataclasses import dataclass

import numpy as np

from skeleton2stage.render.camera import FOV_RAD, Camera, eye_w, view_matrix
from skeleton2stage.render.sunlight import sun_direction, sun_matrix


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


def sight_of(camera: Camera, aspect: float) -> Sight:
    """Return what a camera sees by, of a picture of an aspect (width over height)."""
    sun = -sun_direction(camera.azimuth_rad)
    slopes = np.tan(camera.elevation_rad) + np.array([1.0, -1.0]) * np.tan(FOV_RAD / 2)
    return Sight(view_matrix(camera, aspect), eye_w(camera), sun, sun_matrix(camera.target_w, sun), slopes)
