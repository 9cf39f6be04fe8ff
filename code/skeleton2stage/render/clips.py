"""From motions to a finished video: pose the body, find the floor, draw panel by panel."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from tqdm import tqdm

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render.camera import Camera, plan
from skeleton2stage.render.stage import Stage
from skeleton2stage.render.video import Soundtrack, encode, sheet_indices, side_by_side, write_contact_sheet

GROUNDS = ("auto", "file", "mean")
AUTO_GROUND_TOLERANCE_M = 0.1
PANEL_COLOURS = ((0.86, 0.55, 0.42), (0.36, 0.60, 0.76), (0.55, 0.69, 0.45), (0.74, 0.60, 0.78))
_FRAMED_VERTICES = 7  # every seventh vertex is near enough to know how far the body reaches


class Body(Protocol):
    """What drawing needs of a body model."""

    faces: np.ndarray  # [F, 3]

    def vertices(self, axis_angle: torch.Tensor, root_pos: torch.Tensor) -> torch.Tensor:
        """Return vertices [T, V, 3] m of poses [T, 24, 3] rad with the pelvis at [T, 3] m."""


@dataclass(frozen=True)
class Look:
    """How a video looks: the keys of configs/render.yaml of the same names, angles in radians."""

    seconds: float = 30.0
    fps: int = 30
    width: int = 480
    height: int = 480
    ground: str = "auto"
    turn_rad: float = 0.35
    elevation_rad: float = -0.17
    samples: int = 4
    crf: int = 20
    sheet_pictures: int = 8

    def __post_init__(self) -> None:
        if self.ground not in GROUNDS:
            raise unknown_name("ground", self.ground, list(GROUNDS))
        for name in ("width", "height"):
            value = getattr(self, name)
            if value < 64 or value > 4096 or value % 2:
                raise UserError(f"'{name}' must be an even number from 64 to 4096, not {value}")
        for name, least, most in (
            ("seconds", 0.1, 3600), ("fps", 1, 240), ("crf", 0, 51), ("samples", 0, 16), ("sheet_pictures", 0, 64),
        ):
            if not least <= getattr(self, name) <= most:
                raise UserError(f"'{name}' must be from {least} to {most}, not {getattr(self, name)}")
        if not abs(self.elevation_rad) < 1.5:
            raise UserError("'elevation_deg' must be between -85 and 85: the camera cannot look straight up or down")


@dataclass(frozen=True)
class Panel:
    """One dancer's pictures to be: vertices [T, V, 3] m and cameras [T], at the video's rate."""

    vertices_w: np.ndarray
    cameras: list[Camera]
    rgb: tuple[float, float, float]


class Renderer:
    """Draws videos of one body; use it in a `with` block."""

    def __init__(self, body: Body, look: Look) -> None:
        self._body = body
        self._look = look
        at_rest = body.vertices(torch.zeros(1, 24, 3), torch.zeros(1, 3))[0].numpy()
        self._stage = Stage(np.asarray(body.faces), at_rest, look.width, look.height, look.samples)

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *_: object) -> None:
        self._stage.close()

    def write(
        self, path: Path, motions: list[Motion], labels: list[str], soundtrack: Soundtrack | None = None
    ) -> None:
        """Write the video of 1 to 4 motions side by side, and its contact sheet beside it.

        A motion that ends earlier than another stays in its last pose.
        """
        look = self._look
        panels = self._panels(motions)
        n_frames = max(len(panel.cameras) for panel in panels)
        chosen = dict.fromkeys(sheet_indices(n_frames, look.sheet_pictures))
        size = (look.width * len(panels), look.height)
        pictures = self._pictures(panels, labels, n_frames, path.name, chosen)
        encode(path, pictures, n_frames, size, look.fps, look.crf, soundtrack)
        if chosen:
            times = [index / look.fps for index in chosen]
            write_contact_sheet(path.with_suffix(".png"), list(chosen.values()), times)

    def _panels(self, motions: list[Motion]) -> list[Panel]:
        look, shown, vertices = self._look, [], []
        for motion in (resampled(motion, look.fps, look.seconds) for motion in motions):
            points = pose(self._body, motion)
            lift = floor_lift_m(points, look.ground)
            shown.append(motion.shifted([0.0, 0.0, lift]))
            points[..., 2] += lift
            vertices.append(points)
        framed = [points[:, ::_FRAMED_VERTICES] for points in vertices]
        cameras = plan(shown, framed, look.width / look.height, look.turn_rad, look.elevation_rad)
        return [Panel(*parts) for parts in zip(vertices, cameras, PANEL_COLOURS, strict=False)]

    def _pictures(
        self, panels: list[Panel], labels: list[str], n_frames: int, title: str, chosen: dict[int, np.ndarray | None]
    ) -> Iterator[np.ndarray]:
        """Yield the video's pictures, keeping those whose index is a key of `chosen`."""
        for frame in tqdm(range(n_frames), desc=title, unit="picture", mininterval=0.5):
            row = []
            for panel in panels:
                own = min(frame, len(panel.cameras) - 1)
                row.append(self._stage.render(panel.vertices_w[own], panel.cameras[own], panel.rgb))
            picture = side_by_side(row, labels)
            if frame in chosen:
                chosen[frame] = picture
            yield picture


def resampled(motion: Motion, fps: int, seconds: float) -> Motion:
    """Return at most `seconds` of a motion at `fps`, each picture's frame being the nearest in time."""
    n_frames = max(1, round(min(motion.duration_s, seconds) * fps))
    nearest = np.minimum(np.round(np.arange(n_frames) * motion.fps / fps).astype(int), len(motion) - 1)
    return Motion(motion.poses[nearest], motion.translation[nearest], float(fps))


def pose(body: Body, motion: Motion) -> np.ndarray:
    """Return the body's vertices [T, V, 3] m."""
    return body.vertices(torch.from_numpy(motion.poses), torch.from_numpy(motion.translation)).numpy()


def floor_lift_m(vertices_w: np.ndarray, ground: str) -> float:
    """Return how far to raise a motion so that its floor is z = 0; see `ground` in configs/render.yaml."""
    mean_lowest = float(vertices_w[..., 2].min(axis=1).mean())
    as_written = ground == "file" or (ground == "auto" and abs(mean_lowest) <= AUTO_GROUND_TOLERANCE_M)
    return 0.0 if as_written else -mean_lowest
