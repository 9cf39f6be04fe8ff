"""`python -m skeleton2stage.render motions=… out=…`: dances on a body, as videos and pictures."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.body.body_choice import BodyChoice, BodySettings
from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.demo_files import IMITATION_POLICY
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.motion.formats.format_choice import format_setting
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.render.clips import Renderer
from skeleton2stage.render.figures import SHAPES, Figure, make_figure
from skeleton2stage.render.jobs import Job, plan_jobs
from skeleton2stage.render.look import MAX_PANELS, Look
from skeleton2stage.render.performed_panels import Performer, make_performer, with_performances
from skeleton2stage.render.soundtrack import Soundtrack
from skeleton2stage.settings import output_setting, setting

USAGE = "python -m skeleton2stage.render motions=FILE_OR_DIR out=FILE_OR_DIR [music=FILE_OR_DIR] [key=value …]"


@dataclass(frozen=True, kw_only=True)
class RenderConfig(BodySettings, Look):
    """Videos and pictures of dances."""

    motions: tuple[Path, ...] = setting(
        "a motion file or a folder of them; [A,B] draws side by side (two folders: files of one name)"
    )
    out: Path = output_setting(
        "the .mp4 to write, or a folder for one .mp4 a motion; a contact sheet .png goes beside each. A .gif or .webp "
        "moves in web pages, without sound; a .png is a contact sheet alone, the fastest"
    )
    music: Path | None = setting(
        "a song, or a folder with a song of each motion's name; its sound goes into the video", default=None
    )
    music_start_s: float = setting("seconds into the song at which the dance begins", default=0.0, minimum=0)
    labels: tuple[str, ...] = setting(
        "captions, one a panel, as in [base,fine-tuned]; empty: the folders' or files' names in a comparison, none "
        "otherwise",
        default=(),
    )
    format: str = format_setting()
    perform: bool = setting("show what the simulator's humanoid makes of each motion beside it", default=False)
    performed_shape: str = setting(
        "how that is drawn: mesh, hulls or sticks", default="hulls", choices=SHAPES, called="shape"
    )
    policy: Path = setting("who performs", default=IMITATION_POLICY)


def main(arguments: list[str]) -> None:
    """Render what the command line asks for and print what was written."""
    if help_wanted(arguments):
        print(help_text(USAGE, "render", arguments))
        return
    config = to_dataclass(load_config("render", arguments), RenderConfig)
    body = config.body_choice()
    jobs = plan_jobs(config.motions, config.out, config.labels, config.music)
    if body.is_own:
        _render_own_bodies(jobs, config, body)
        return
    performer = make_performer(config.policy, body.mean()) if config.perform else None
    with Renderer(_figures(config, [body.mean()] * len(config.motions)), config) as renderer:
        for job in jobs:
            render_job(renderer, job, config, performer)


def _render_own_bodies(jobs: list[Job], config: RenderConfig, body: BodyChoice) -> None:
    """Render each motion with its own body, of its dancer's shape."""
    if config.perform:
        raise UserError("perform=true shows what one body for all makes of motions: give betas=mean with it")
    for job in jobs:
        bodies = [body.of(read_motion(path, config.format)) for path in job.motions]
        with Renderer(_figures(config, bodies), config) as renderer:
            render_job(renderer, job, config, None)


def _figures(config: RenderConfig, bodies: list[BodyModel]) -> list[Figure]:
    """Return a figure for each panel, of the bodies of their motions; raise UserError where panels are too many, or
    what is marked is in none.
    """
    n_motions = len(config.motions)
    shapes = [config.shape_of(number, n_motions) for number in range(n_motions)]
    if config.perform:
        shapes = [shape for own in shapes for shape in (own, config.performed_shape)]
    if len(shapes) > MAX_PANELS:
        what = f"{n_motions} motions and their performances"
        raise UserError(f"{what} are {len(shapes)} panels: at most {MAX_PANELS} fit")
    if "penetration" in config.marks and "mesh" not in shapes:
        raise UserError(f"penetration is marked on the body's skin, and shapes are {', '.join(shapes)}: add mesh")
    worn = [body for body in bodies for _ in range(len(shapes) // n_motions)]
    made = {(shape, id(body)): make_figure(shape, body) for shape, body in zip(shapes, worn, strict=True)}
    return [made[shape, id(body)] for shape, body in zip(shapes, worn, strict=True)]


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
