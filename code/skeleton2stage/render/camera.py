"""Where the camera stands: it faces the dancer, follows smoothly, and keeps the whole body in frame."""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from scipy.ndimage import gaussian_filter1d

from skeleton2stage.motion.motion import Motion

FOV_RAD = np.radians(38.0)  # vertical
SMOOTHING_S = 0.6
NEAR_M, FAR_M = 0.1, 100.0  # what is nearer or farther is not drawn
MARGIN_M = 0.07  # kept free between the body and the edge of the picture


@dataclass(frozen=True)
class Camera:
    """One frame's view.

    target_w: [3] m, the point in the middle of the picture; distance_m from it to the eye.
    azimuth_rad, elevation_rad: direction of sight, counter-clockwise from x and up from the horizon.
    """

    target_w: np.ndarray
    distance_m: float
    azimuth_rad: float
    elevation_rad: float


def facing_rad(motion: Motion) -> float:
    """Return the direction that the dancer faces on average, counter-clockwise from x seen from above."""
    forward = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, 0]))[..., 2]  # SMPL's pelvis: z is front
    x, y, _ = forward.mean(dim=0).tolist()
    return float(np.arctan2(y, x))


def follow(root_pos: np.ndarray, height_m: float, fps: float, smoothing_s: float = SMOOTHING_S) -> np.ndarray:
    """Return targets [T, 3] m: the pelvis' path [T, 3] from above, smoothed in time, at a fixed height."""
    sigma = smoothing_s * fps
    path = gaussian_filter1d(np.asarray(root_pos, dtype=np.float64), sigma, axis=0, mode="nearest")
    path[:, 2] = height_m
    return path


def view_axes(azimuth_rad: float, elevation_rad: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the unit vectors [3] of a camera: forward, right, up, in the world."""
    cos_e, sin_e = np.cos(elevation_rad), np.sin(elevation_rad)
    forward = np.array([np.cos(azimuth_rad) * cos_e, np.sin(azimuth_rad) * cos_e, sin_e])
    right = np.array([np.sin(azimuth_rad), -np.cos(azimuth_rad), 0.0])
    return forward, right, np.cross(right, forward)


def fitting_distance(
    points_w: np.ndarray, targets_w: np.ndarray, azimuth_rad: float, elevation_rad: float, aspect: float,
    margin_m: float = MARGIN_M,
) -> float:
    """Return the least distance (m) from which all points [T, N, 3], stay inside its frame by a margin.

    The camera looks at targets [T, 3]; aspect is the picture's width over its height.
    """
    relative = points_w - targets_w[:, None]
    forward, right, up = view_axes(azimuth_rad, elevation_rad)
    depth = relative @ forward
    half = np.tan(FOV_RAD / 2)
    across = (np.abs(relative @ right) + margin_m) / (half * aspect)
    along = (np.abs(relative @ up) + margin_m) / half
    return float((np.maximum(across, along) - depth).max())


def plan(
    motions: list[Motion], points_w: list[np.ndarray], aspect: float, turn_rad: float, elevation_rad: float
) -> list[list[Camera]]:
    """Return a camera for each frame of each motion, all from one distance so that panels compare.

    points_w: for each motion, points [T, N, 3] m to keep in frame.
    turn_rad: where the camera stands, counter-clockwise from straight in front of each dancer.
    elevation_rad: direction of sight above the horizon; negative looks down.
    """
    paths, azimuths, distances = [], [], []
    for motion, points in zip(motions, points_w, strict=True):
        middle = float(points[..., 2].min() + points[..., 2].max()) / 2
        paths.append(follow(motion.translation, middle, motion.fps))
        azimuths.append(facing_rad(motion) + turn_rad + np.pi)
        distances.append(fitting_distance(points, paths[-1], azimuths[-1], elevation_rad, aspect))
    return [
        [Camera(target, max(distances), azimuth, elevation_rad) for target in path]
        for path, azimuth in zip(paths, azimuths, strict=True)
    ]


def eye_w(camera: Camera) -> np.ndarray:
    """Return where a camera's eye is, [3] m."""
    return camera.target_w - camera.distance_m * view_axes(camera.azimuth_rad, camera.elevation_rad)[0]


def view_matrix(camera: Camera, aspect: float) -> np.ndarray:
    """Return the matrix [4, 4] from the world to a picture of an aspect (width over height).

    It is upside down: OpenGL counts rows from below, pictures from above.
    """
    forward, right, up = view_axes(camera.azimuth_rad, camera.elevation_rad)
    axes = np.stack([right, up, -forward])
    to_eye = np.eye(4)
    to_eye[:3, :3], to_eye[:3, 3] = axes, -axes @ eye_w(camera)
    focal = 1.0 / np.tan(FOV_RAD / 2)
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1], projection[3, 2] = focal / aspect, -focal, -1.0
    projection[2, 2:] = (FAR_M + NEAR_M) / (NEAR_M - FAR_M), 2 * FAR_M * NEAR_M / (NEAR_M - FAR_M)
    return projection @ to_eye
