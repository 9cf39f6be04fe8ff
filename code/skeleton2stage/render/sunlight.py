"""Where the sun stands, and what it sees of the stage."""

import numpy as np

from skeleton2stage.render.camera import view_axes

SUN_WIDTH_M = 4.4  # of what can cast and take shadows, around the figure
SUN_DISTANCE_M = 4.0
SUN_DEPTH_M = 8.0
SHADOW_EDGE_M = 0.15
_SUN_FORWARD, _SUN_RIGHT = 0.5, 0.55  # how far light travels along the view while it falls by 1


def sun_direction(azimuth_rad: float) -> np.ndarray:
    """Return the unit direction [3] of light that comes over the left shoulder of a camera."""
    forward, right, _ = view_axes(azimuth_rad, 0.0)
    direction = _SUN_FORWARD * forward + _SUN_RIGHT * right - [0.0, 0.0, 1.0]
    return direction / np.linalg.norm(direction)


def sun_matrix(target_w: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """Return the matrix [4, 4] from the world to what the sun sees around a target [3] m; sun [3] points to it."""
    right = np.cross([0.0, 0.0, 1.0], sun)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(sun, right), -sun])
    scale = np.array([2 / SUN_WIDTH_M, 2 / SUN_WIDTH_M, 2 / SUN_DEPTH_M])
    matrix = np.eye(4)
    matrix[:3, :3] = scale[:, None] * axes
    matrix[:3, 3] = -scale * (axes @ (target_w + SUN_DISTANCE_M * sun)) + [0.0, 0.0, -1.0]
    return matrix


def shaded_box(points_w: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """Return least x and y, largest x and y (m) of the floor that points [V, 3] can shade, with the shadows' edges."""
    on_floor = points_w[:, :2] - points_w[:, 2:] * (sun[:2] / sun[2])
    return np.concatenate([on_floor.min(axis=0) - SHADOW_EDGE_M, on_floor.max(axis=0) + SHADOW_EDGE_M])
