"""`python -m skeleton2stage.doctor`: what this machine can run, what is missing, what to do about it.

Libraries are imported inside the checks, so that a missing one becomes a line of the report.
"""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from skeleton2stage import paths
from skeleton2stage.errors import UserError, run_main

USAGE = """usage: python -m skeleton2stage.doctor

Looks at everything the project uses and prints a table: what is there, what is missing, what to do about it.
Exit status 0 where the main job (fine-tuning the demo model) can run, 1 where it cannot."""
SETUP = "install this package again by pip" if paths.is_installed() else "run bash scripts/setup.sh"
MIN_PYTHON = (3, 11)
DEMO_FILES = (
    "dance_model.safetensors", "dance_model_tuned.safetensors", "imitation_policy.safetensors", "tracks.json",
)
FILE_WIDTH = 120  # columns of a report that goes into a file
SONG_SUFFIXES = (".wav", ".ogg", ".mp3", ".flac")


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked for, what was found, and what to do where it is missing.

    required: whether the main job needs it.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    required: bool = False

    @property
    def blocks(self) -> bool:
        """Whether the main job cannot run because of it."""
        return self.required and not self.ok


def check_python() -> list[Finding]:
    """Look at the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info[:2] >= MIN_PYTHON
    return [Finding("Python", ok, version, f"install Python {'.'.join(map(str, MIN_PYTHON))} or newer", required=True)]


def check_libraries() -> list[Finding]:
    """Compare what is installed with requirements.txt, or with what an installed package says it needs."""
    from packaging.requirements import Requirement

    listed = paths.REPOSITORY / "requirements.txt"
    if paths.is_installed():
        source, lines = "skeleton2stage's requirements", importlib.metadata.requires("skeleton2stage") or []
    else:
        source, lines = listed.name, listed.read_text(encoding="utf-8").splitlines()
    named = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    wanted = [one for one in named if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [problem for problem in map(_problem_with, wanted) if problem]
    found = ", ".join(wrong) or f"all {len(wanted)} of {source}"
    return [Finding("libraries", not wrong, found, SETUP, required=True)]


def _problem_with(requirement: "packaging.requirements.Requirement") -> str:  # noqa: F821 - imported when needed
    """Return what is wrong with an installed library, or nothing."""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"no {requirement.name}"
    fits = requirement.specifier.contains(version, prereleases=True)
    return "" if fits else f"{requirement.name} {version} ({requirement.specifier} is wanted)"


def check_processors() -> list[Finding]:
    """Look at torch, the GPU, and how many CPU threads this process may use."""
    import torch

    findings = [Finding("torch", True, torch.__version__, required=True)]
    if torch.cuda.is_available():
        found = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
        findings.append(Finding("GPU", True, found))
    else:
        remedy = "not needed for the demo; for a GPU, a driver and torch's GPU build (scripts/setup.sh installs it)"
        findings.append(Finding("GPU", False, "torch sees none", remedy))
    return [*findings, Finding("CPU", True, f"{len(os.sched_getaffinity(0))} threads")]


def check_simulators() -> list[Finding]:
    """Build each simulator with one world."""
    from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
    from skeleton2stage.physics.simulators.make_simulator import make_simulator, simulator_names

    findings = []
    for name in simulator_names():
        required = name == "mujoco"
        try:
            make_simulator(name, load_humanoid(), 1)
        except UserError as error:
            findings.append(Finding(f"simulator {name}", False, "cannot run here", str(error), required))
        else:
            findings.append(Finding(f"simulator {name}", True, "works", required=required))
    return findings


def check_open_body() -> list[Finding]:
    """Load the body that ships with the project."""
    from skeleton2stage.body.body_model import load_body

    body = load_body("open")
    return [Finding("open body", True, f"{len(body.rest_vertices)} vertices, {len(body.faces)} faces", required=True)]


def check_smpl_body() -> list[Finding]:
    """Look for the user's SMPL file and load it."""
    from skeleton2stage.body.body_files import find_body
    from skeleton2stage.body.body_model import load_body

    path = find_body("smpl")
    load_body(path)
    return [Finding("SMPL body", True, str(path))]


def check_data() -> list[Finding]:
    """Look for downloaded and for prepared data."""
    shared, prepared = paths.shared_data(), paths.prepared_data()
    music = shared / "music"
    songs = [path for path in music.iterdir() if path.suffix in SONG_SUFFIXES] if music.is_dir() else []
    archives = list(shared.glob("*.tar.*"))
    sets = sorted(path.name for path in prepared.iterdir()) if prepared.is_dir() else []
    return [
        Finding(
            "downloaded data", shared.is_dir(), f"{shared}: {len(archives)} mocap archive(s), {len(songs)} songs"
            if shared.is_dir() else f"no folder {shared}", "only for training your own: set S2S_SHARED_DATA",
        ),
        Finding(
            "prepared data", bool(sets), f"{prepared}: {', '.join(sets)}" if sets else f"nothing in {prepared}",
            "only for training your own: prepare it with scripts/, or set S2S_DATA",
        ),
    ]


def check_demo() -> list[Finding]:
    """Load every checkpoint that ships, and look for those that the main job starts from."""
    from skeleton2stage.checkpoint import load_checkpoint

    folder = paths.demo_checkpoints()
    missing = [name for name in DEMO_FILES if not (folder / name).is_file()]
    findings = [Finding(f"demo {name}", False, "missing", _restore(folder / name), required=True) for name in missing]
    for path in sorted(folder.glob("*.safetensors")):
        try:
            tensors, _ = load_checkpoint(path)
        except UserError as error:
            findings.append(Finding(f"demo {path.name}", False, str(error), _restore(path), required=True))
        else:
            size = sum(value.numel() for value in tensors.values())
            findings.append(Finding(f"demo {path.name}", True, f"{size / 1e6:.1f} M numbers", required=True))
    return findings


def _restore(path: os.PathLike) -> str:
    if paths.is_installed():
        return "install this package again: pip install --force-reinstall --no-deps, and its folder or file"
    return f"restore it: git checkout -- {os.path.relpath(path, paths.REPOSITORY)}"


def check_drawing() -> list[Finding]:
    """Open an OpenGL context without a screen."""
    from skeleton2stage.render import gl

    return [Finding("drawing", True, gl.backend())]


def check_ffmpeg() -> list[Finding]:
    """Run the ffmpeg that videos are written with."""
    import imageio_ffmpeg

    from skeleton2stage.ffmpeg_program import ffmpeg_program

    subprocess.run([ffmpeg_program(), "-version"], check=True, capture_output=True)
    return [Finding("ffmpeg", True, f"version {imageio_ffmpeg.get_ffmpeg_version()}")]


def check_viewer() -> list[Finding]:
    """Look for the library of the viewer in the browser."""
    ok = importlib.util.find_spec("viser") is not None
    found = f"viser {importlib.metadata.version('viser')}" if ok else "no viser"
    return [Finding("viewer", ok, found, "only for skeleton2stage.view: pip install 'viser>=1.0,<2'")]


def check_audio() -> list[Finding]:
    """Ask the audio library which formats it reads."""
    import soundfile

    known = soundfile.available_formats()
    lacking = [name for name in ("WAV", "OGG", "FLAC", "MP3") if name not in known]
    found = f"libsndfile {soundfile.__libsndfile_version__}" + (f" without {', '.join(lacking)}" if lacking else "")
    return [Finding("audio", not lacking, found, "install libsndfile 1.1 or newer, or convert songs to wav")]


def check_trackers() -> list[Finding]:
    """Look for the libraries that record curves."""
    from skeleton2stage.curves import TRACKERS

    findings = []
    for name in TRACKERS:
        ok = importlib.util.find_spec(name) is not None
        mode = f", WANDB_MODE={os.environ.get('WANDB_MODE') or 'unset'}" if name == "wandb" else ""
        findings.append(Finding(f"tracker {name}", ok, ("installed" if ok else "not installed") + mode, SETUP))
    return findings


# Name, check, and whether the main job needs it: what is reported where the check itself fails.
CHECKS: tuple[tuple[str, Callable[[], list[Finding]], bool], ...] = (
    ("Python", check_python, True),
    ("libraries", check_libraries, True),
    ("processors", check_processors, True),
    ("simulators", check_simulators, True),
    ("open body", check_open_body, True),
    ("SMPL body", check_smpl_body, False),
    ("demo checkpoints", check_demo, True),
    ("data", check_data, False),
    ("drawing", check_drawing, False),
    ("ffmpeg", check_ffmpeg, False),
    ("viewer", check_viewer, False),
    ("audio", check_audio, False),
    ("trackers", check_trackers, False),
)


def examine(name: str, check: Callable[[], list[Finding]], required: bool) -> list[Finding]:
    """Return a check's findings; one that raises is itself a finding."""
    try:
        return check()
    except UserError as error:
        return [Finding(name, False, "not found", str(error), required)]
    except Exception as error:  # noqa: BLE001 - whatever is broken here is what the user wants to know
        return [Finding(name, False, f"{type(error).__name__}: {error}", SETUP, required)]


def print_report(findings: list[Finding]) -> None:
    """Print findings as a table, then the verdict."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Skeleton2Stage on this machine")
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        # Text, because a path may hold what rich takes for markup.
        remedy = Text("" if finding.ok else finding.remedy)
        table.add_row(_mark(finding), Text(finding.name), Text(finding.found), remedy)
    blocking = [finding.name for finding in findings if finding.blocks]
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=FILE_WIDTH)
    console.print(table)
    verdict = f"The main job cannot run yet: {', '.join(blocking)}." if blocking else "The main job can run."
    console.print(Text(verdict, "bold red" if blocking else "bold green"))


def _mark(finding: Finding) -> "rich.text.Text":  # noqa: F821 - imported when needed
    from rich.text import Text

    if finding.ok:
        return Text("ok", "green")
    return Text("missing", "bold red") if finding.required else Text("missing (optional)", "yellow")


def main(arguments: list[str]) -> int:
    """Print the report; return 0 where the main job can run, otherwise 1."""
    if arguments in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    if arguments:
        raise UserError(f"unknown argument '{arguments[0]}': the doctor takes none (see --help)")
    findings = [finding for check in CHECKS for finding in examine(*check)]
    print_report(findings)
    return int(any(finding.blocks for finding in findings))


if __name__ == "__main__":
    run_main(main)
