"""The four trainings and the import, small: what is typed, and what they leave behind."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import torch

from dance_model import train_dance_model
from dance_model.training.windows import DanceWindows
from pretrain import train_imitation
from rl_finetune import finetune
from skeleton2stage.errors import run_main
from skeleton2stage.motion import motion_layout as layouts
from skeleton2stage.motion.convert import __main__ as convert

LONGEST_RUN_S = 300.0


@dataclass(frozen=True)
class Work:
    """A command that takes a while: its `main`, what is typed besides the name, where it writes, and its results.

    out: what is typed to say where, given a name. results: patterns of the files that must come out the same.
    """

    main: Callable[[list[str]], int | None]
    arguments: tuple[str, ...]
    folder: Callable[[str], Path]
    results: tuple[str, ...]
    out: Callable[[str], str] = field(default=lambda name: f"name={name}")

    def typed(self, name: str, *overrides: str) -> list[str]:
        """Return the command line of a run of a name."""
        return [*(argument.replace("{name}", name) for argument in self.arguments), self.out(name), *overrides]

    def result(self, name: str) -> dict[str, bytes]:
        """Return the content of the files that count, by their names."""
        folder = self.folder(name)
        return {path.relative_to(folder).as_posix(): path.read_bytes()
                for pattern in self.results for path in sorted(folder.glob(pattern))}


@dataclass(frozen=True)
class Inputs:
    """Files that trainings begin with."""

    dance_model: Path
    policy: Path
    song: Path
    windows: Path
    clips: Path


def write_windows(path: Path) -> None:
    """Write windows of figures that sway, of 30 and of 150 frames: path itself, and path with _short before its end."""
    torch.manual_seed(0)
    sway = torch.sin(torch.linspace(0, 60, 400))[:, None]
    frames = layouts.encode(0.3 * sway[..., None] * torch.rand(24, 3), torch.tensor([0.0, 0.0, 1.0]) + 0.1 * sway,
                            layouts.EDGE)
    starts, clips = torch.arange(8) * 30, torch.tensor([0] * 6 + [1] * 2)
    for length, target in ((150, path), (30, path.with_stem(f"{path.stem}_short"))):
        music = 20 * torch.randn(8, length, 35) - 50
        DanceWindows(frames, starts, clips, music, ("first", "second")).save(target)


def works(inputs: Inputs, runs: Path) -> dict[str, Work]:
    """Return the trainings and the import by name; runs: what S2S_RUNS says."""
    stage = "iterations: 4, learning_rate: 1e-3, final_learning_rate: 1e-4"
    return {
        "finetune": Work(finetune.main, (
            "preset=gpu", "precision=float32", "epochs=3", "batch_size=2", f"checkpoint={inputs.dance_model}",
            f"policy={inputs.policy}", f"music={inputs.song}", "device=cpu", "n_steps=4", "trained_steps=2",
            "samples_per_prompt=2", "min_trained_time=0", "direct_epochs=1", "direct.dances_per_pass=4",
            "learning_rate=1e-3", "direct_learning_rate=1e-3", "save_every=1", "trackers=[]",
        ), lambda name: runs / "train" / name, ("weights/train-3.*",)),
        "train_edge": Work(train_dance_model.main, (
            f"data={inputs.windows}", "steps=12", "batch_size=4", "log_every=1", "save_every=3", "preview_dances=0",
            "trackers=[]", "device=cpu", "denoiser.latent_width=16", "denoiser.feedforward_width=16",
            "denoiser.n_layers=1", "denoiser.n_heads=2", "held_out=[second]", "half_storage=false",
        ), lambda name: runs / "train_edge" / name, ("weights/train-12.*",)),
        "bailando": Work(train_dance_model.main, (
            "family=bailando", "preset=tiny", f"data={inputs.windows.with_stem(inputs.windows.stem + '_short')}",
            "device=cpu", "held_out=[]", "vqvae_steps=12", "gpt_steps=9", "trackers=[]",
        ), lambda name: runs / "train_edge" / name, ("weights/train-last.*",)),
        "pretrain": Work(train_imitation.main, (
            f"data={inputs.clips}", "held_out=[held]", "device=cpu", "worlds=4", "horizon=5", "hidden=[8]",
            "minibatches=1", "epochs=1", "save_every=1", "episode_frames=7", "stray_m=0.05",
            "trackers=[]",
            f"stages=[{{name: broad, clips: '*', {stage}}}, {{name: dance, clips: '*', {stage}}}]",
        ), lambda name: runs / "pretrain" / name, ("imitation_policy.safetensors", "report.json")),
        "convert": Work(convert.main, (
            f"source={inputs.clips}", "check=false", "workers=1",
        ), lambda name: runs / "converted" / name, ("**/*.pkl", "library.json"),
            lambda name: f"out={runs / 'converted' / name}"),
    }


def _run(main: Callable[[list[str]], int | None], arguments: list[str], log: str) -> None:
    torch.set_num_threads(1)
    with open(log, "w") as said, redirect_stdout(said), redirect_stderr(said):
        import sys

        sys.argv = ["campaign", *arguments]
        run_main(main)


@contextmanager
def started(work: Work, arguments: list[str], log: Path) -> Iterator[multiprocessing.Process]:
    """Run a command in a process of its own, which has all libraries already."""
    process = multiprocessing.get_context("fork").Process(target=_run, args=(work.main, arguments, str(log)))
    process.start()
    try:
        yield process
    finally:
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()


def finished(work: Work, arguments: list[str], log: Path) -> int:
    """Run a command to its end; return its exit status."""
    with started(work, arguments, log) as process:
        process.join(LONGEST_RUN_S)
        return process.exitcode if process.exitcode is not None else -1


def killed(work: Work, arguments: list[str], log: Path, after_s: float, sent: int = signal.SIGKILL) -> int:
    """Run a command and send it a signal after a while; return its exit status, 0 where it was done before."""
    with started(work, arguments, log) as process:
        process.join(after_s)
        if process.exitcode is None:
            os.kill(process.pid, sent)
        process.join(LONGEST_RUN_S)
        return process.exitcode


def killed_once_saved(work: Work, name: str, log: Path) -> None:
    """Run a command and kill it as soon as it has a state to go on from."""
    state = work.folder(name) / "state.pt"
    with started(work, work.typed(name), log) as process:
        while not state.exists():
            if process.exitcode is not None:
                raise RuntimeError(f"ended with {process.exitcode} before it had a state:\n{log.read_text()}")
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
