"""`python -m skeleton2stage.render motions=… out=…`: dances on a body, as videos and pictures."""

import sys
from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.body.body_choice import BodyChoice, BodySettings
from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.demo_files import IMITATION_POLICY
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.ffmpeg_program import ffmpeg_program
from skeleton2stage.motion.formats.format_choice import format_setting
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.physics.imitation.reference_motions import check_motion
from skeleton2stage.render.clips import SHEET_SUFFIX, Renderer
from skeleton2stage.render.figures import SHAPES, Figure, make_figure
from skeleton2stage.render.jobs import VIDEO_SUFFIX, Job, plan_jobs
from skeleton2stage.render.look import MAX_PANELS, Look
from skeleton2stage.render.performed_panels import Performer, make_performer, with_performances
from skeleton2stage.render.readable_jobs import Material, readable
from skeleton2stage.render.soundtrack import Soundtrack, silence_note
from skeleton2stage.settings import output_setting, setting

USAGE = "python -m skeleton2stage.render motions=FILE_OR_DIR out=FILE_OR_DIR [music=FILE_OR_DIR] [key=value …]"
EXIT_BAD_FILES = 1


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


def main(arguments: list[str]) -> int:
    """Render what the command line asks for and print what was written; return 1 where some videos were left out."""
    if help_wanted(arguments):
        print(help_text(USAGE, "render", arguments))
        return 0
    config = to_dataclass(load_config("render", arguments), RenderConfig)
    body = config.body_choice()
    jobs = plan_jobs(config.motions, config.out, config.labels, config.music)
    _check_outputs(jobs, config)
    render = _render_own_bodies if body.is_own else _render_one_body
    return EXIT_BAD_FILES if render(jobs, config, body) < len(jobs) else 0


def _check_outputs(jobs: list[Job], config: RenderConfig) -> None:
    """Raise UserError where nothing would be written, or what writes it is missing."""
    kinds = {job.out.suffix.lower() for job in jobs}
    if kinds == {SHEET_SUFFIX} and not config.sheet_pictures and not config.stills:
        raise UserError(f"{config.out} would hold no picture: give sheet_pictures above 0, stills, or an .mp4")
    if VIDEO_SUFFIX in kinds:
        try:
            ffmpeg_program()
        except UserError as error:
            raise UserError(f"{error}; .gif, .webp and .png are written without") from None


def _render_one_body(jobs: list[Job], config: RenderConfig, body: BodyChoice) -> int:
    """Render every motion with the same body; return how many jobs were done."""
    performer = make_performer(config.policy, body.mean()) if config.perform else None
    n_done = 0
    with Renderer(_figures(config, [body.mean()] * len(config.motions)), config) as renderer:
        for material in readable(jobs, lambda job: _read(job, config, body)):
            _render(renderer, material, config, performer)
            n_done += 1
    return n_done


def _render_own_bodies(jobs: list[Job], config: RenderConfig, body: BodyChoice) -> int:
    """Render each motion with its own body, of its dancer's shape; return how many jobs were done."""
    if config.perform:
        raise UserError("perform=true shows what one body for all makes of motions: give betas=mean with it")
    n_done = 0
    for material in readable(jobs, lambda job: _read(job, config, body)):
        with Renderer(_figures(config, [body.of(motion) for motion in material.motions]), config) as renderer:
            _render(renderer, material, config, None)
        n_done += 1
    return n_done


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


def _read(job: Job, config: RenderConfig, body: BodyChoice) -> Material:
    """Return what a job is made of; raise UserError where a motion or the song cannot be used."""
    motions = [read_motion(path, config.format) for path in job.motions]
    for path, motion in zip(job.motions, motions, strict=True):
        try:
            body.check(motion)
            if config.perform:
                check_motion(motion)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
    if job.music is None or job.out.suffix.lower() != VIDEO_SUFFIX:
        return Material(job, motions, None)
    soundtrack = Soundtrack(job.music, config.music_start_s)
    note = silence_note(soundtrack, min(config.seconds, max(motion.duration_s for motion in motions)))
    if note:
        print(note, file=sys.stderr)
    return Material(job, motions, soundtrack)


def _render(renderer: Renderer, material: Material, config: RenderConfig, performer: Performer | None) -> None:
    """Write the pictures of one job and say where."""
    job, motions, labels = material.job, material.motions, list(material.job.labels)
    if performer:
        motions, labels = with_performances(performer, motions, labels, config.seconds)
    if config.music and not job.music:
        print(f"no song named {job.motions[0].stem} in {config.music}: this video is silent")
    written = renderer.write(job.out, motions, labels, material.soundtrack)
    print(f"wrote {written[0]}" + "".join(f", {path.name}" for path in written[1:]))


if __name__ == "__main__":
    run_main(main)
