"""A full disk, a folder that takes nothing, a file in the way, SIGTERM and Ctrl-C, over every command that writes."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path

import pytest
from trainings import Work, finished, killed

from dance_model import export_checkpoint
from pretrain import plausibility
from rl_finetune import eval_checkpoint, evaluate, sample
from skeleton2stage import outputs
from skeleton2stage.commands import SETTINGS, settings_of
from skeleton2stage.export import __main__ as export
from skeleton2stage.motion.convert import __main__ as convert
from skeleton2stage.music import features, tracks
from skeleton2stage.outputs import check_output
from skeleton2stage.physics.score import __main__ as score
from skeleton2stage.render import __main__ as render
from skeleton2stage.settings import limits_of

SENT = {signal.SIGTERM: 143, signal.SIGINT: 130}
DISK_BYTES = 64 << 10


def commands(clips: Path, model: Path, policy: Path, song: Path) -> dict[str, Work]:
    """Return the commands that write and are no trainings, by the names of their settings, and what else they write.

    The name of a run is where they write to.
    """

    def work(main, out: str, *arguments: str) -> Work:
        return Work(main, arguments, Path, ("**/*",), lambda name: out.format(name))

    motions = f"motions={clips}"
    weights = clips.parent / "evaluated" / "model" / "weights" / "train-0"
    weights.parent.mkdir(parents=True)
    for suffix in (".json", ".safetensors"):
        shutil.copy(model.with_suffix(suffix), weights.with_suffix(suffix))
    return {
        "convert": work(convert.main, "out={}/folder", f"source={clips}", "check=false", "workers=1"),
        "evaluate": work(evaluate.main, "out={}/a.json", motions, "policy=none", "reference=none", "pen_rate=false"),
        "statistics": work(evaluate.main, "stats_out={}/a.npz", motions, "policy=none", "reference=none"),
        "score": work(score.main, "out={}/a.json", motions, f"policy={policy}", "save={name}/performed"),
        "sample": work(sample.main, "out={}/dances", f"checkpoint={model}", f"music={song}", "n_steps=4", "device=cpu"),
        "tracks": work(tracks.main, "out={}/songs", "bpm=[100]", "seconds=6"),
        "export": work(export.main, "out={}/files", motions, "to=[glb,bvh]"),
        "features": work(features.main, "out={}/features", f"music={song}", "kind=baseline"),
        "eval_checkpoint": work(
            eval_checkpoint.main, "motion_save_root={}/evaluated", "name=model", "epoch=0", f"music={song}",
            f"ckpt_root={weights.parent.parent.parent}", "n_steps=4", "device=cpu", "seconds=5", "policy=none",
            "reference=none", "pen_rate=false"),
        "plausibility": work(plausibility.main, "out={}/a.json", f"data={clips}", "policy=null", "held_out=[held]",
                             "damages=[lifted_body]"),
        "export_checkpoint": work(export_checkpoint.main, "out={}/a.pt", f"checkpoint={model}"),
        "render": work(render.main, "out={}/videos", motions, "seconds=0.5", "width=64", "height=64", "samples=0"),
    }


NAMES = ("convert", "evaluate", "statistics", "score", "sample", "tracks", "export", "features", "eval_checkpoint",
         "plausibility", "export_checkpoint", "render")
SAMPLED = ("tracks", "convert")
TRAININGS = ("finetune", "train_edge", "bailando", "pretrain")


@pytest.fixture(scope="module")
def works(campaign, tiny_checkpoint, tiny_policy) -> dict[str, Work]:
    folder, trainings = campaign
    del trainings["convert"]
    return trainings | commands(folder / "clips", tiny_checkpoint, tiny_policy, folder / "clicks.wav")


@contextmanager
def disk(folder: Path, options: str) -> Iterator[None]:
    """Mount a disk of its own on a folder, or skip where that is not allowed."""
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("disks cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def sentence(log: Path) -> str:
    """Return the one line that tells of an error; assert that no other does."""
    said = log.read_text()
    assert "Traceback" not in said, said
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")] or [said]
    return line


def files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*")
            if path.is_file() and path.name != ".lock" and "curves" not in path.parts]


def place_of(work: Work, name: str, folder: Path, monkeypatch) -> str:
    """Have a command write below a folder, and return what to call it."""
    monkeypatch.setenv("S2S_RUNS", str(folder))
    return "run" if name in TRAININGS else str(folder)


def refused(works, name: str, folder: Path, log: Path, monkeypatch) -> str:
    status = finished(works[name], works[name].typed(place_of(works[name], name, folder, monkeypatch)), log)
    assert status == 2, log.read_text()
    return sentence(log)


def check_full(works, name: str, tmp_path: Path, monkeypatch) -> None:
    """A disk that is full from the start is told of before the work; one that fills up meanwhile, when it does."""
    folder, log = tmp_path / "disk", tmp_path / "log"
    with disk(folder, f"size={DISK_BYTES}"):
        assert "of room, and" in refused(works, name, folder, log, monkeypatch)
        assert files(folder) == []
        monkeypatch.setattr(outputs, "MIN_FREE_BYTES", 0)
        filling = folder / "filling"
        with suppress(OSError), filling.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        words = refused(works, name, folder, log, monkeypatch)
        assert "no space left on device" in words.lower() or "run again" in log.read_text(), words
        assert files(folder) == ["filling"] or all((folder / file).stat().st_size for file in files(folder))
        subprocess.run(["mount", "-o", "remount,size=200m", folder], check=True)
        filling.unlink()
        typed = works[name].typed(place_of(works[name], name, folder, monkeypatch))
        assert finished(works[name], typed, log) == 0, log.read_text()


def check_refusals(works, name: str, tmp_path: Path, monkeypatch) -> None:
    """A folder that takes nothing, and a file where a folder should be."""
    folder, log = tmp_path / "disk", tmp_path / "log"
    with disk(folder, "size=100m"):
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        assert "read-only file system" in refused(works, name, folder, log, monkeypatch)
    blocked = tmp_path / "blocked"
    blocked.write_text("in the way")
    assert "is no folder" in refused(works, name, blocked / "below", log, monkeypatch)
    assert blocked.read_text() == "in the way"


def check_signals(works, name: str, tmp_path: Path, monkeypatch) -> None:
    """What is asked to end ends, in a word, and leaves whole files alone."""
    for sent, expected in SENT.items():
        folder, log = tmp_path / f"signal{sent}", tmp_path / "log"
        folder.mkdir()
        typed = works[name].typed(place_of(works[name], name, folder, monkeypatch))
        for after_s in (0.3, 0.15, 0.05):
            status = killed(works[name], typed, log, after_s, sent)
            assert status in (expected, 0, 1), f"{status} {log.read_text()}"
            assert "Traceback" not in log.read_text(), log.read_text()
            assert not [file for file in files(folder) if ".s2s-" in file]
            if status == expected:
                assert "stopped" in log.read_text()
                break
            shutil.rmtree(folder)
            folder.mkdir()


def test_every_command_that_writes_is_here():
    def writes(cls: type) -> bool:
        return any(limits_of(field).rule is check_output for field in fields(cls))

    assert {name for name in SETTINGS if writes(settings_of(name))} == set(NAMES) - {"statistics"}


@pytest.mark.parametrize("name", SAMPLED)
@pytest.mark.parametrize("check", [check_full, check_refusals, check_signals])
def test_what_the_machine_refuses_some_commands(works, tmp_path, monkeypatch, name, check):
    check(works, name, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NAMES, *TRAININGS])
@pytest.mark.parametrize("check", [check_full, check_refusals, check_signals])
def test_what_the_machine_refuses_every_command(works, tmp_path, monkeypatch, name, check):
    if os.geteuid() != 0:
        pytest.skip("only root mounts disks")
    check(works, name, tmp_path, monkeypatch)
