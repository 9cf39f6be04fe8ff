"""`python -m skeleton2stage.render motions=… out=…`: dances on a body, as videos."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skeleton2stage.body.body_model import load_body
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import run_main
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.render.clips import GROUNDS, Look, Renderer
from skeleton2stage.render.jobs import Job, plan_jobs
from skeleton2stage.render.video import Soundtrack
from skeleton2stage.settings import output_setting, setting

USAGE = "python -m skeleton2stage.render motions=FILE_OR_DIR out=FILE_OR_DIR [music=FILE_OR_DIR] [key=value …]"


@dataclass(frozen=True)
class RenderConfig:
    """The keys of configs/render.yaml."""

    motions: tuple[Path, ...]
    out: Path = output_setting()
    music: Path | None
    music_start_s: float = setting(minimum=0)
    labels: tuple[str, ...]
    format: str
    body: str
    seconds: float = setting(minimum=0.1, maximum=3600)
    fps: int = setting(minimum=1, maximum=240)
    width: int = setting(minimum=64, maximum=4096)
    height: int = setting(minimum=64, maximum=4096)
    ground: str = setting(choices=GROUNDS)
    turn_deg: float
    elevation_deg: float = setting(minimum=-85, maximum=85)
    samples: int = setting(minimum=0, maximum=16)
    crf: int = setting(minimum=0, maximum=51)
    sheet_pictures: int = setting(minimum=0, maximum=64)

    def look(self) -> Look:
        """Return what the renderer needs of it."""
        return Look(
            seconds=self.seconds, fps=self.fps, width=self.width, height=self.height, ground=self.ground,
            turn_rad=float(np.radians(self.turn_deg)), elevation_rad=float(np.radians(self.elevation_deg)),
            samples=self.samples, crf=self.crf, sheet_pictures=self.sheet_pictures,
        )


def main(arguments: list[str]) -> None:
    """Render what the command line asks for and print what was written."""
    if help_wanted(arguments):
        print(help_text(USAGE, "render"))
        return
    config = to_dataclass(load_config("render", arguments), RenderConfig)
    look = config.look()
    jobs = plan_jobs(config.motions, config.out, config.labels, config.music)
    with Renderer(load_body(config.body), look) as renderer:
        for job in jobs:
            render_job(renderer, job, config)


def render_job(renderer: Renderer, job: Job, config: RenderConfig) -> None:
    """Write one video and say where."""
    motions = [read_motion(path, config.format) for path in job.motions]
    soundtrack = Soundtrack(job.music, config.music_start_s) if job.music else None
    if config.music and not soundtrack:
        print(f"no song named {job.motions[0].stem} in {config.music}: this video is silent")
    renderer.write(job.out, motions, list(job.labels), soundtrack)
    print(f"wrote {job.out}" + (f" and {job.out.with_suffix('.png').name}" if config.sheet_pictures else ""))


if __name__ == "__main__":
    run_main(main)
