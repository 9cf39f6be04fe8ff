"""How pictures look: the settings of drawing, and how panels share a picture."""

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
    """How a video looks: the keys of configs/render.yaml of the same names, angles in radians."""

    seconds: float = setting(default=30.0, minimum=0.1, maximum=3600)
    fps: int = setting(default=30, minimum=1, maximum=240)
    width: int = setting(default=480, minimum=64, maximum=4096)
    height: int = setting(default=480, minimum=64, maximum=4096)
    resolution: str | None = setting(default=None, choices=tuple(RESOLUTIONS))
    shapes: tuple[str, ...] = setting(default=("mesh",), choices=SHAPES, called="shape")
    marks: tuple[str, ...] = setting(default=(), choices=MARKS, called="mark")
    ground: str = setting(default="auto", choices=GROUNDS)
    turn_rad: float = setting(default=0.35)
    elevation_rad: float = setting(default=-0.17, minimum=-1.49, maximum=1.49)
    samples: int = setting(default=4, minimum=0, maximum=16)
    shadows: bool = True
    crf: int = setting(default=20, minimum=0, maximum=51)
    sheet_pictures: int = setting(default=8, minimum=0, maximum=64)
    stills: tuple[float, ...] = setting(default=(), minimum=0)

    def __post_init__(self) -> None:
        check_own_settings(self)
        for name in ("width", "height"):
            if getattr(self, name) % 2:
                raise UserError(f"'{name}' must be an even number from 64 to 4096, not {getattr(self, name)}")

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
