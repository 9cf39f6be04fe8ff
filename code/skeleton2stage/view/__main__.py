"""`python -m skeleton2stage.view motions=…`: dances in the browser, to play, stop, turn and compare."""

import importlib.util
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.body.body_choice import BETAS, BODY_GENDERS, BodyChoice
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.render.figures import SHAPES, make_figure
from skeleton2stage.render.jobs import plan_jobs
from skeleton2stage.render.look import MAX_PANELS
from skeleton2stage.render.video import Soundtrack
from skeleton2stage.settings import setting
from skeleton2stage.view.dancers import Dancer, make_dancer
from skeleton2stage.view.judged_dances import judged

USAGE = "python -m skeleton2stage.view motions=FILE_OR_DIR [music=FILE_OR_DIR] [key=value …]"
LAYOUT_NAMES = {"side": "side by side", "overlaid": "overlaid"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ViewConfig:
    """The keys of configs/view.yaml, which explains them."""

    motions: tuple[Path, ...]
    music: Path | None
    music_start_s: float = setting(minimum=0)
    labels: tuple[str, ...]
    name: str | None
    format: str
    body: str
    gender: str = setting(choices=BODY_GENDERS)
    betas: str = setting(choices=BETAS)
    shape: str = setting(choices=SHAPES)
    perform: bool
    policy: Path
    layout: str = setting(choices=tuple(LAYOUT_NAMES))
    seconds: float = setting(minimum=0.1, maximum=3600)
    host: str
    port: int = setting(minimum=1, maximum=65535)

    def body_choice(self) -> BodyChoice:
        """Return whose body dances have."""
        return BodyChoice(self.body, self.gender, self.betas)


def main(arguments: list[str]) -> None:
    """Show what the command line asks for until interrupted."""
    if help_wanted(arguments):
        print(help_text(USAGE, "view"))
        return
    config = to_dataclass(load_config("view", arguments), ViewConfig)
    if importlib.util.find_spec("viser") is None:
        raise UserError("the viewer needs viser, which is not installed: pip install 'viser>=1.0,<2'; videos need none")
    from skeleton2stage.view.viewer import Viewer

    dancers, soundtrack = prepared(config)
    _check_port(config.host, config.port)
    viewer = Viewer(dancers, soundtrack, config.host, config.port, LAYOUT_NAMES[config.layout], FPS)
    print(f"open {viewer.address} (Ctrl+C ends it)", flush=True)
    if config.host in LOOPBACK:
        print(f"from elsewhere: ssh -L {config.port}:127.0.0.1:{config.port} THIS_MACHINE, and the same address there")
    else:
        print(f"note: everybody who reaches {config.host} can see it", file=sys.stderr)
    try:
        viewer.run()
    finally:
        viewer.close()


def prepared(config: ViewConfig) -> tuple[list[Dancer], Soundtrack | None]:
    """Return the dances made ready, and the song."""
    jobs = plan_jobs(config.motions, Path("view"), config.labels, config.music)
    job = next((job for job in jobs if config.name in (None, job.motions[0].stem)), None)
    if job is None:
        raise UserError(f"no motion is named {config.name}: there are {', '.join(job.motions[0].stem for job in jobs)}")
    if len(jobs) > 1:
        names = ", ".join(other.motions[0].stem for other in jobs)
        print(f"showing {job.motions[0].stem}; name=… shows another of {names}")
    motions = [_beginning(read_motion(path, config.format), config.seconds) for path in job.motions]
    labels = [label or path.stem for label, path in zip(job.labels, job.motions, strict=True)]
    body = config.body_choice()
    figures = [make_figure(config.shape, body.of(motion)) for motion in motions]
    nobody = [None] * len(motions), []
    scores, performances = judged(motions, config.policy, body) if config.perform else nobody
    dancers = [make_dancer(*parts) for parts in zip(labels, figures, motions, scores, strict=True)]
    for label, motion, performance in zip(labels, motions, performances, strict=False):
        if len(dancers) < 2 * MAX_PANELS and performance is not None:
            dancers.append(make_dancer(f"{label}, performed", make_figure("hulls", body.of(motion)), performance))
    return dancers, Soundtrack(job.music, config.music_start_s) if job.music else None


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
            raise UserError(f"cannot listen on {host}, port {port}: {reason}: give another port=…") from None


if __name__ == "__main__":
    run_main(main)
