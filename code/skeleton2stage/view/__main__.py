"""`python -m skeleton2stage.view motions=…`: dances in the browser, to play, stop, turn and compare."""

import importlib.util
import socket
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from skeleton2stage.body.body_choice import BodySettings
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.demo_files import IMITATION_POLICY
from skeleton2stage.errors import UserError, refusal, run_main, some_of
from skeleton2stage.motion.formats.format_choice import format_setting
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.render.figures import SHAPES, make_figure
from skeleton2stage.render.jobs import Job, plan_jobs, song_of
from skeleton2stage.render.look import MAX_PANELS
from skeleton2stage.render.soundtrack import Soundtrack, silence_note
from skeleton2stage.settings import setting
from skeleton2stage.view.dancers import Dancer, make_dancer
from skeleton2stage.view.judged_dances import judged

if TYPE_CHECKING:
    from skeleton2stage.view.viewer import Viewer

USAGE = "python -m skeleton2stage.view motions=FILE_OR_DIR [music=FILE_OR_DIR] [key=value …]"
LAYOUT_NAMES = {"side": "side by side", "overlaid": "overlaid"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MANY = 6  # names that a sentence still takes


@dataclass(frozen=True, kw_only=True)
class ViewConfig(BodySettings):
    """Dances in the browser."""

    motions: tuple[Path, ...] = setting(
        "a motion file or a folder of them; [A,B] shows several (two folders: files of one name)"
    )
    music: Path | None = setting(
        "a song, or a folder with a song of the motion's name; it plays in step", default=None
    )
    music_start_s: float = setting("seconds into the song at which the dance begins", default=0.0, minimum=0)
    labels: tuple[str, ...] = setting(
        "what the dances are called, as in [base,fine-tuned]; empty: the folders' or files' names", default=()
    )
    name: str | None = setting(
        "which of several motions of a folder, without its ending; null: the first", default=None
    )
    format: str = format_setting()
    shape: str = setting(
        "what dances: mesh (the body's skin), hulls (the humanoid that the simulator knows), sticks",
        default="mesh", choices=SHAPES,
    )
    perform: bool = setting(
        "have the simulator's humanoid perform each: its reward goes on the time line, its performance beside it",
        default=True,
    )
    policy: Path = setting("who performs", default=IMITATION_POLICY)
    layout: str = setting(
        "how several are shown at first: side, overlaid", default="side", choices=tuple(LAYOUT_NAMES)
    )
    seconds: float = setting("show at most this much of each motion", default=60.0, minimum=0.1, maximum=3600)
    host: str = setting(
        "which of this machine's addresses to listen on; 127.0.0.1: this machine alone, 0.0.0.0: everybody",
        default="127.0.0.1",
    )
    port: int = setting("where the browser finds it", default=8080, minimum=1, maximum=65535)


def main(arguments: list[str]) -> None:
    """Show what the command line asks for until interrupted."""
    if help_wanted(arguments):
        print(help_text(USAGE, "view", arguments))
        return
    config = to_dataclass(load_config("view", arguments), ViewConfig)
    viewer_class = _viewer_class()
    _check_port(config.host, config.port)
    jobs = plan_jobs(config.motions, Path("view"), config.labels, config.music)
    job = chosen(jobs, config.name)
    dances = prepared(job, config)
    _check_port(config.host, config.port)  # preparing takes long enough for somebody to have taken it
    viewer = viewer_class(config.host, config.port, FPS, [name_of(job) for job in jobs])
    try:
        viewer.show(*dances, LAYOUT_NAMES[config.layout], name_of(job))
        _say_where(viewer.address, config)
        while (wanted := viewer.run()) is not None:
            job = _show_another(viewer, job, chosen(jobs, wanted), config)
    finally:
        viewer.close()


def _say_where(address: str, config: ViewConfig) -> None:
    print(f"open {address} (Ctrl+C ends it)", flush=True)
    if config.host in LOOPBACK:
        print(f"from elsewhere: ssh -L {config.port}:127.0.0.1:{config.port} THIS_MACHINE, and the same address there")
    else:
        print(f"note: everybody who reaches {config.host} can see it", file=sys.stderr)


def _show_another(viewer: "Viewer", shown: Job, wanted: Job, config: ViewConfig) -> Job:
    """Show other dances, or tell why they cannot be shown and stay with those that are; return which are shown."""
    viewer.tell(f"preparing {name_of(wanted)}", "it takes as long as it took at the start")
    try:
        dances = prepared(wanted, config)
    except (UserError, OSError) as error:
        reason = str(error) if isinstance(error, UserError) else refusal(error)
        print(f"not shown: {reason}", file=sys.stderr)
        viewer.tell(f"{name_of(wanted)} cannot be shown", reason)
        viewer.keep(name_of(shown))
        return shown
    viewer.show(*dances, name=name_of(wanted))
    return wanted


def name_of(job: Job) -> str:
    """Return what the dances shown together are called."""
    return job.motions[0].stem


def _viewer_class() -> "type[Viewer]":
    """Return the viewer; raise UserError where viser is not installed, or does not fit what is."""
    if importlib.util.find_spec("viser") is None:
        raise UserError("the viewer needs viser, which is not installed: pip install 'viser>=1.0,<2'; videos need none")
    try:
        from skeleton2stage.view.viewer import Viewer
    except ImportError as error:
        raise UserError(
            f"viser cannot be loaded ({error}): pip install --force-reinstall 'viser>=1.0,<2'; videos need none"
        ) from None
    return Viewer


def prepared(job: Job, config: ViewConfig) -> tuple[list[Dancer], Soundtrack | None]:
    """Return the dances of a job made ready, and their song; raise UserError where one cannot be used."""
    whole = [read_motion(path, config.format) for path in job.motions]
    motions = [_beginning(motion, config.seconds) for motion in whole]
    labels = [label or path.stem for label, path in zip(job.labels, job.motions, strict=True)]
    cut = [label for label, *pair in zip(labels, motions, whole, strict=True) if len(pair[0]) < len(pair[1])]
    if cut:
        print(f"the first {config.seconds:g} s are shown of {', '.join(cut)}: seconds=… shows more")
    soundtrack = _song_for(job, config, max(motion.duration_s for motion in motions))
    body = config.body_choice()
    figures = [make_figure(config.shape, body.of(motion)) for motion in motions]
    nobody = [None] * len(motions), []
    scores, performances = judged(labels, motions, config.policy, body) if config.perform else nobody
    dancers = [make_dancer(*parts) for parts in zip(labels, figures, motions, scores, strict=True)]
    for label, motion, performance in zip(labels, motions, performances, strict=False):
        if len(dancers) < 2 * MAX_PANELS and performance is not None:
            dancers.append(make_dancer(f"{label}, performed", make_figure("hulls", body.of(motion)), performance))
    return dancers, soundtrack


def chosen(jobs: list[Job], name: str | None) -> Job:
    """Return the dances of a name, or the first, and say which others there are; raise UserError for an unknown one."""
    names = [name_of(job) for job in jobs]
    if name is not None and name not in names:
        alike = get_close_matches(name, names) if len(names) > MANY else []
        there = f"{len(names)}, {' and '.join(alike)} among them" if alike else some_of(names)
        raise UserError(f"no motion is named {name}: there are {there}")
    job = jobs[names.index(name) if name is not None else 0]
    if len(jobs) > 1:
        others = [other for other in names if other != name_of(job)]
        print(f"showing {name_of(job)}; name=… or the page shows another of {some_of(others)}", flush=True)
    return job


def _song_for(job: Job, config: ViewConfig, duration_s: float) -> Soundtrack | None:
    """Return the song that plays, checked, and say of which dances it is, where it cannot be of all."""
    if job.music is None:
        if config.music:
            print(f"no song named {job.motions[0].stem} in {config.music}: shown without sound")
        return None
    soundtrack = Soundtrack(job.music, config.music_start_s)
    note = silence_note(soundtrack, duration_s)
    if note:
        print(note)
    others = [path.stem for path in job.motions if song_of(config.music, path.stem) != job.music]
    if others:
        print(f"all are shown to {job.music.name}, the song of another than {', '.join(others)}")
    return soundtrack


def _beginning(motion: Motion, seconds: float) -> Motion:
    return motion.slice(0, max(1, round(seconds * motion.fps)))


def _check_port(host: str, port: int) -> None:
    """Raise UserError where nobody can listen there: viser would quietly take another port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UserError(f"cannot listen on {host}, port {port}: {reason}: give another port=… or host=…") from None


if __name__ == "__main__":
    run_main(main)
