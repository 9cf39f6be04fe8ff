"""From motions to finished pictures: pose the figures, find the floor, draw panel by panel."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render.camera import Camera, plan
from skeleton2stage.render.figures import Figure, pose
from skeleton2stage.render.floor_marks import Disc
from skeleton2stage.render.look import Look, columns_of
from skeleton2stage.render.marks import contact_discs, face_colours, foot_contacts, penetration
from skeleton2stage.render.moving_picture import MOVING_PICTURES, write_moving_picture
from skeleton2stage.render.soundtrack import Soundtrack
from skeleton2stage.render.stage import Stage
from skeleton2stage.render.video import encode, panelled, sheet_indices, write_contact_sheet, write_picture

AUTO_GROUND_TOLERANCE_M = 0.1
PANEL_COLOURS = ((0.86, 0.55, 0.42), (0.36, 0.60, 0.76), (0.55, 0.69, 0.45), (0.74, 0.60, 0.78))
SHADOW_PIXELS = 1024
SHEET_SUFFIX = ".png"
_FRAMED_VERTICES = 7  # every seventh vertex is near enough to know how far the body reaches


@dataclass(frozen=True)
class Panel:
    """One dancer's pictures to be, at the video's rate.

    figure: its number among the renderer's. vertices_w: [T, V, 3] m. rgb: [3], or [T, F, 3] where faces are marked.
    """

    figure: int
    vertices_w: np.ndarray
    cameras: list[Camera]
    rgb: tuple[float, float, float]
    marked: np.ndarray | None
    discs: list[list[Disc]]

    def colours(self, frame: int) -> np.ndarray | tuple[float, float, float]:
        """Return one frame's colour [3], or those of its faces [F, 3]."""
        return self.rgb if self.marked is None else face_colours(self.rgb, self.marked[frame])


class Renderer:
    """Draws pictures of one to four motions side by side, each by a figure of its own; use it in a `with` block."""

    def __init__(self, figures: list[Figure], look: Look) -> None:
        """Take a figure for each panel; the same one may occur several times."""
        self._figures, self._look = figures, look
        self._size = look.panel_size(len(figures))
        self._open = ExitStack()
        stages: dict[int, Stage] = {}
        for figure in figures:
            if id(figure) not in stages:
                stages[id(figure)] = self._open.enter_context(self._stage(figure))
        self._stages = [stages[id(figure)] for figure in figures]

    def _stage(self, figure: Figure) -> Stage:
        shadow_pixels = SHADOW_PIXELS if self._look.shadows else 0
        return Stage(figure.faces, len(figure.parts), *self._size, self._look.samples, shadow_pixels)

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def write(
        self, path: Path, motions: list[Motion], labels: list[str], soundtrack: Soundtrack | None = None
    ) -> list[Path]:
        """Write what the path's suffix says of motions, one a figure, and return all that was written.

        .mp4 with its song, .gif or .webp without; a contact sheet .png beside it, or alone where the path is one; and
        stills, NAME_SECONDS.png. A motion that ends earlier than another stays in its last pose.
        """
        look = self._look
        panels = self._panels(motions)
        n_frames = max(len(panel.cameras) for panel in panels)
        chosen: dict[int, np.ndarray | None] = dict.fromkeys(sheet_indices(n_frames, look.sheet_pictures))
        stills = {min(round(second * look.fps), n_frames - 1): second for second in look.stills}
        kept = chosen | dict.fromkeys(stills)
        moving = path.suffix.lower() != SHEET_SUFFIX
        frames = range(n_frames) if moving else sorted(kept)
        pictures = self._pictures(panels, labels, frames, path.name, kept)
        written = [path] if moving else []
        if moving:
            self._write_moving(path, pictures, n_frames, soundtrack)
        else:
            for _ in pictures:
                pass
        if chosen:
            written.append(path.with_suffix(SHEET_SUFFIX))
            times = [index / look.fps for index in chosen]
            write_contact_sheet(written[-1], [kept[index] for index in chosen], times)
        for index, second in stills.items():
            written.append(path.with_name(f"{path.stem}_{second:06.2f}s.png"))
            write_picture(written[-1], kept[index])
        return written

    def _write_moving(
        self, path: Path, pictures: Iterable[np.ndarray], n_frames: int, soundtrack: Soundtrack | None
    ) -> None:
        if path.suffix.lower() in MOVING_PICTURES:
            write_moving_picture(path, pictures, self._look.fps)
            return
        columns = columns_of(len(self._figures))
        size = self._size[0] * columns, self._size[1] * (len(self._figures) // columns)
        encode(path, pictures, n_frames, size, self._look.fps, self._look.crf, soundtrack)

    def _panels(self, motions: list[Motion]) -> list[Panel]:
        look, shown, vertices = self._look, [], []
        for figure, motion in zip(self._figures, motions, strict=True):
            motion = resampled(motion, look.fps, look.seconds)
            points = pose(figure, motion)
            lift = floor_lift_m(points, look.ground)
            shown.append(motion.shifted([0.0, 0.0, lift]))
            points[..., 2] += lift
            vertices.append(points)
        framed = [points[:, ::_FRAMED_VERTICES] for points in vertices]
        aspect = self._size[0] / self._size[1]
        cameras = plan(shown, framed, aspect, look.turn_rad, look.elevation_rad)
        return [self._panel(number, *parts) for number, parts in enumerate(zip(shown, vertices, cameras, strict=True))]

    def _panel(self, number: int, motion: Motion, vertices_w: np.ndarray, cameras: list[Camera]) -> Panel:
        figure, marked = self._figures[number], None
        discs: list[list[Disc]] = [[] for _ in cameras]
        if "penetration" in self._look.marks and isinstance(figure, BodyModel):
            marked = penetration(figure, motion.poses).faces
        if "contacts" in self._look.marks:
            states = foot_contacts(motion, vertices_w, figure.parts)
            discs = [contact_discs(*frame) for frame in zip(states, motion.joints(), strict=True)]
        return Panel(number, vertices_w, cameras, PANEL_COLOURS[number], marked, discs)

    def _pictures(
        self, panels: list[Panel], labels: list[str], frames: Iterable[int], title: str,
        kept: dict[int, np.ndarray | None],
    ) -> Iterator[np.ndarray]:
        """Yield the pictures of frames, keeping those whose index is a key of `kept`."""
        for frame in tqdm(frames, desc=title, unit="picture", mininterval=0.5):
            row = []
            for panel in panels:
                own = min(frame, len(panel.cameras) - 1)
                stage = self._stages[panel.figure]
                seen = panel.vertices_w[own], panel.cameras[own], panel.colours(own), panel.discs[own]
                row.append(stage.render(*seen))
            picture = panelled(row, labels, columns_of(len(panels)))
            if frame in kept:
                kept[frame] = picture
            yield picture


def resampled(motion: Motion, fps: int, seconds: float) -> Motion:
    """Return at most `seconds` of a motion at `fps`, each picture's frame being the nearest in time."""
    n_frames = max(1, round(min(motion.duration_s, seconds) * fps))
    nearest = np.minimum(np.round(np.arange(n_frames) * motion.fps / fps).astype(int), len(motion) - 1)
    return Motion(motion.poses[nearest], motion.translation[nearest], float(fps), shape=motion.shape)


def floor_lift_m(vertices_w: np.ndarray, ground: str) -> float:
    """Return how far to raise a motion so that its floor is z = 0; see `ground` in configs/render.yaml."""
    mean_lowest = float(vertices_w[..., 2].min(axis=1).mean())
    as_written = ground == "file" or (ground == "auto" and abs(mean_lowest) <= AUTO_GROUND_TOLERANCE_M)
    return 0.0 if as_written else -mean_lowest
