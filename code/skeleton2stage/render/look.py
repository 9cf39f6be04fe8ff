"""How pictures look: the settings of drawing, and how panels share a picture."""

import math
from dataclasses import dataclass

from skeleton2stage.errors import UserError
from skeleton2stage.render.figures import SHAPES
from skeleton2stage.render.marks import MARKS
from skeleton2stage.settings import check_own_settings, setting

GROUNDS = ("auto", "file", "mean")
# Whole pictures by the names that screens have, pixels.
RESOLUTIONS = {"720p": (1280, 720), "1080p": (1920, 1080), "1440p": (2560, 1440), "2160p": (3840, 2160)}
MAX_PANELS = 4


@dataclass(frozen=True)
class Look:
    """How pictures look."""

    seconds: float = setting("draw at most this much of each motion", default=30.0, minimum=0.1, maximum=3600)
    fps: int = setting("pictures a second; the motion keeps its speed", default=30, minimum=1, maximum=240)
    width: int = setting("pixels of one panel, even", default=480, minimum=64, maximum=4096)
    height: int = setting("pixels, even", default=480, minimum=64, maximum=4096)
    resolution: str | None = setting(
        "720p, 1080p, 1440p or 2160p: panels share a picture of that size; null: each is width x height",
        default=None, choices=tuple(RESOLUTIONS),
    )
    shapes: tuple[str, ...] = setting(
        "what is drawn: mesh (the body's skin), hulls (the humanoid that the simulator knows), sticks (a fast draft); "
        "one for all motions, or one for each",
        default=("mesh",), choices=SHAPES, called="shape",
    )
    marks: tuple[str, ...] = setting(
        "what is pointed out: penetration (triangles in intersecting pairs, red, on a paler skin), contacts (a spot "
        "under each ankle and toe that touches the floor: blue where it is still, yellow where it slides)",
        default=(), choices=MARKS, called="mark",
    )
    ground: str = setting(
        "where the floor is: file (z = 0 as written), mean (the clip's mean lowest skin point), auto (as written, "
        "unless the mean lowest point is over 0.1 m from it)",
        default="auto", choices=GROUNDS,
    )
    turn_deg: float = setting(
        "where the camera stands, counter-clockwise from straight in front of the dancer", default=20.0
    )
    elevation_deg: float = setting(
        "direction of sight above the horizon; negative looks down", default=-10.0, minimum=-85, maximum=85
    )
    samples: int = setting(
        "antialiasing samples a pixel; 0 is faster on a CPU, and jagged", default=4, minimum=0, maximum=16
    )
    shadows: bool = setting("soft ones, sharper where the body is near the floor", default=True)
    crf: int = setting(
        "mp4 quality, 0 (lossless) to 51; smaller is better and larger", default=20, minimum=0, maximum=51
    )
    sheet_pictures: int = setting("pictures on the contact sheet; 0 writes none", default=8, minimum=0, maximum=64)
    stills: tuple[float, ...] = setting(
        "seconds at which to keep single pictures, as NAME_SECONDS.png", default=(), minimum=0
    )

    def __post_init__(self) -> None:
        check_own_settings(self)
        for name in ("width", "height"):
            if getattr(self, name) % 2:
                raise UserError(f"'{name}' must be an even number from 64 to 4096, not {getattr(self, name)}")

    @property
    def turn_rad(self) -> float:
        """Where the camera stands, counter-clockwise from straight in front of the dancer."""
        return math.radians(self.turn_deg)

    @property
    def elevation_rad(self) -> float:
        """Direction of sight above the horizon."""
        return math.radians(self.elevation_deg)

    def shape_of(self, panel: int, n_panels: int) -> str:
        """Return a panel's shape; raise UserError where there are neither one shape nor one a panel."""
        if len(self.shapes) not in (1, n_panels):
            raise UserError(f"'shapes' has {len(self.shapes)} names for {n_panels} panels: give one, or one for each")
        return self.shapes[panel % len(self.shapes)]

    def panel_size(self, n_panels: int) -> tuple[int, int]:
        """Return a panel's width and height, pixels, both even."""
        if self.resolution is None:
            return self.width, self.height
        width, height = RESOLUTIONS[self.resolution]
        columns = columns_of(n_panels)
        return width // columns // 2 * 2, height // (n_panels // columns) // 2 * 2


def columns_of(n_panels: int) -> int:
    """Return how many panels stand in a row: up to three, and four as two by two."""
    return n_panels if n_panels < MAX_PANELS else MAX_PANELS // 2
