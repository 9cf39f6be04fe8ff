"""Stills of a body coloured by what is wrong, painted triangle by triangle: no OpenGL, so that any machine can.

Triangles that face the eye are painted from the furthest to the nearest, flat, twice as large as wanted and then
halved. The shadow is the body's own triangles cast on the floor.
"""

import numpy as np
import roma
import torch
from PIL import Image, ImageDraw

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.motion.motion import Motion

WIDTH, HEIGHT = 360, 420
_OVERSAMPLING = 2
_SKIN, _WRONG, _WHOLE = np.array([206, 208, 214.0]), np.array([214, 40, 40.0]), np.array([240, 173, 78.0])
_SKY, _FLOOR, _LINE, _SHADOW = (243, 245, 248), (226, 229, 234), (206, 210, 217), (196, 200, 207)
_SUN = np.array([0.35, 0.45, 0.82])
_TURN_RAD, _DOWN_RAD = 0.45, 0.2  # the eye stands to the dancer's left of straight ahead, and looks down
_MARGIN_M, _TILE_M = 0.12, 0.5
_PREFER_AHEAD_M = 0.1


class BodyPainter:
    """Paints stills of one body."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body
        self._faces = np.asarray(body.faces)
        weights = body.weights[self._faces].sum(axis=1)
        self._part = weights.argmax(axis=1)  # of each face

    def still(self, motion: Motion, frame: int, parts: np.ndarray, whole: float, floor_m: float) -> Image.Image:
        """Return the picture of a frame: parts [24] in [0, 1] redden, and `whole` in [0, 1] the body as amber."""
        poses, moved = torch.from_numpy(motion.poses[frame : frame + 1]), torch.from_numpy(motion.translation[frame])
        vertices = self._body.vertices(poses, moved[None])[0].numpy().astype(np.float64)
        vertices -= [*motion.translation[frame, :2], floor_m]
        eye = self._best_eye(motion, frame, vertices, parts)
        return self._paint(vertices, eye, self._colours(parts, whole))

    def _best_eye(self, motion: Motion, frame: int, vertices: np.ndarray, parts: np.ndarray) -> "_Eye":
        """Return the view from ahead, or from behind where that is nearer to the worst part by a hand's breadth."""
        bearing = _ahead(motion, frame) + np.pi
        turns = (_TURN_RAD, -_TURN_RAD, np.pi + _TURN_RAD, np.pi - _TURN_RAD)
        eyes = [_Eye(bearing + turn, vertices) for turn in turns]
        if not parts.any():
            return eyes[0]
        worst = vertices[self._faces[self._part == parts.argmax()]].mean(axis=(0, 1))
        costs = [eye.behind_middle(worst) + (_PREFER_AHEAD_M if i > 1 else 0.0) for i, eye in enumerate(eyes)]
        return eyes[int(np.argmin(costs))]

    def _colours(self, parts: np.ndarray, whole: float) -> np.ndarray:
        """Return the colour of each face, [F, 3]."""
        base = _SKIN + whole * (_WHOLE - _SKIN)
        return (base + parts[:, None] * (_WRONG - base))[self._part]

    def _paint(self, vertices: np.ndarray, eye: "_Eye", colours: np.ndarray) -> Image.Image:
        image = Image.new("RGB", (_OVERSAMPLING * WIDTH, _OVERSAMPLING * HEIGHT), _SKY)
        draw = ImageDraw.Draw(image)
        _paint_floor(draw, eye)
        shadow = vertices - vertices[:, 2:] * _SUN / _SUN[2]
        for triangle in eye.pixels(shadow)[self._faces[::2]]:
            draw.polygon(triangle.ravel().tolist(), fill=_SHADOW)
        corners = vertices[self._faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        light = 0.62 + 0.38 * np.clip(normals @ (_SUN / np.linalg.norm(_SUN)), -0.5, 1.0)
        shades = np.clip(colours * light[:, None], 0, 255).astype(int)
        depth = corners.mean(axis=1) @ eye.forward
        seen = np.flatnonzero(normals @ eye.forward < 0)
        triangles = eye.pixels(vertices)[self._faces]
        for face in seen[np.argsort(-depth[seen])]:
            draw.polygon(triangles[face].ravel().tolist(), fill=tuple(shades[face]))
        return image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


class _Eye:
    """A parallel view: directions [3], the middle [3] m of the picture and the scale, pixels a metre."""

    def __init__(self, bearing_rad: float, vertices: np.ndarray) -> None:
        points = np.concatenate((vertices, vertices * [1.0, 1.0, 0.0]))  # with the floor under it
        middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
        cos, sin = np.cos(_DOWN_RAD), np.sin(_DOWN_RAD)
        self.forward = np.array([cos * np.cos(bearing_rad), cos * np.sin(bearing_rad), -sin])
        self._right = np.array([np.sin(bearing_rad), -np.cos(bearing_rad), 0.0])
        self._up = np.cross(self._right, self.forward)
        self._middle = middle
        half = np.abs((points - middle) @ np.stack((self._right, self._up)).T).max(axis=0) + _MARGIN_M
        self.scale = _OVERSAMPLING * min(0.5 * WIDTH / half[0], 0.5 * HEIGHT / half[1])

    def behind_middle(self, point: np.ndarray) -> float:
        """Return how much further from the eye than the middle of the body a point [3] m is, m."""
        return float((point - self._middle) @ self.forward)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Return where points [..., 3] m are in the picture, [..., 2] px from its upper left corner."""
        relative = points - self._middle
        across, along = relative @ self._right, relative @ self._up
        return np.stack(
            (0.5 * _OVERSAMPLING * WIDTH + self.scale * across, 0.5 * _OVERSAMPLING * HEIGHT - self.scale * along), -1
        )


def _ahead(motion: Motion, frame: int) -> float:
    """Return the direction that the pelvis faces in a frame, counter-clockwise from x seen from above, rad."""
    facing = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[frame, 0]))[:, 2].numpy()
    return float(np.arctan2(facing[1], facing[0]))


def _paint_floor(draw: ImageDraw.ImageDraw, eye: _Eye) -> None:
    reach = 4.0
    plane = np.array([[-reach, -reach, 0], [reach, -reach, 0], [reach, reach, 0], [-reach, reach, 0]])
    draw.polygon(eye.pixels(plane).ravel().tolist(), fill=_FLOOR)
    for place in np.arange(-reach, reach + 1e-6, _TILE_M):
        for line in ([[place, -reach, 0], [place, reach, 0]], [[-reach, place, 0], [reach, place, 0]]):
            draw.line(eye.pixels(np.array(line)).ravel().tolist(), fill=_LINE, width=2)
