"""`python -m skeleton2stage.render motions=… out=…`: dances on a body, as videos and pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.render.clips import Renderer
from skeleton2stage.render.figures import SHAPES, Figure, make_figure
from skeleton2stage.render.jobs import Job, plan_jobs
from skeleton2stage.render.look import MAX_PANELS, Look
from skeleton2stage.render.performed_panels import Performer, make_performer, with_performances
from skeleton2stage.render.video import Soundtrack
from skeleton2stage.settings import setting

USAGE = "python -m skeleton2stage.render motions=FILE_OR_DIR out=FILE_OR_DIR [music=FILE_OR_DIR] [key=value …]"


@dataclass(frozen=True)
class RenderConfig:
    """The keys of configs/render.yaml."""

    motions: tuple[Path, ...]
    out: Path
    music: Path | None
    music_start_s: float = setting(minimum=0)
    labels: tuple[str, ...]
    format: str
    body: str
    seconds: float
    fps: int
    width: int
    height: int
    resolution: str | None
    shapes: tuple[str, ...]
    marks: tuple[str, ...]
    perform: bool
    performed_shape: str = setting(choices=SHAPES, called="shape")
    policy: Path
    ground: str
    turn_deg: float
    elevation_deg: float = setting(minimum=-85, maximum=85)
    samples: int
    shadows: bool
    crf: int
    sheet_pictures: int
    stills: tuple[float, ...]

    def look(self) -> Look:
        """Return what the renderer needs of it."""
        shared = {name: getattr(self, name) for name in vars(self) if name in Look.__dataclass_fields__}
        turn_rad, elevation_rad = (float(np.radians(angle)) for angle in (self.turn_deg, self.elevation_deg))
        return Look(**shared, turn_rad=turn_rad, elevation_rad=elevation_rad)


def main(arguments: list[str]) -> None:
    """Render what the command line asks for and print what was written."""
    if help_wanted(arguments):
        print(help_text(USAGE, "render"))
        return
    config = to_dataclass(load_config("render", arguments), RenderConfig)
    look = config.look()
    jobs = plan_jobs(config.motions, config.out, config.labels, config.music)
    performer = make_performer(config.policy, config.body) if config.perform else None
    with Renderer(_figures(config, look), look) as renderer:
        for job in jobs:
            render_job(renderer, job, config, performer)


def _figures(config: RenderConfig, look: Look) -> list[Figure]:
    """Return a figure for each panel; raise UserError where panels are too many, or what is marked is in none."""
    n_motions = len(config.motions)
    shapes = [look.shape_of(number, n_motions) for number in range(n_motions)]
    if config.perform:
        shapes = [shape for own in shapes for shape in (own, config.performed_shape)]
    if len(shapes) > MAX_PANELS:
        what = f"{n_motions} motions and their performances"
        raise UserError(f"{what} are {len(shapes)} panels: at most {MAX_PANELS} fit")
    if "penetration" in look.marks and "mesh" not in shapes:
        raise UserError(f"penetration is marked on the body's skin, and shapes are {', '.join(shapes)}: add mesh")
    made = {shape: make_figure(shape, config.body) for shape in dict.fromkeys(shapes)}
    return [made[shape] for shape in shapes]


def render_job(renderer: Renderer, job: Job, config: RenderConfig, performer: Performer | None) -> None:
    """Write the pictures of one job and say where."""
    motions, labels = [read_motion(path, config.format) for path in job.motions], list(job.labels)
    if performer:
        motions, labels = with_performances(performer, motions, labels, config.seconds)
    soundtrack = Soundtrack(job.music, config.music_start_s) if job.music else None
    if config.music and not soundtrack:
        print(f"no song named {job.motions[0].stem} in {config.music}: this video is silent")
    written = renderer.write(job.out, motions, labels, soundtrack)
    print(f"wrote {written[0]}" + "".join(f", {path.name}" for path in written[1:]))


if __name__ == "__main__":
    run_main(main)
