"""Folders of shared memory: those of the dead go, those of the living stay."""

import os
import re
import subprocess
import sys

from skeleton2stage.physics.worker import memory_folders
from skeleton2stage.physics.worker.memory_folders import clear_dead, make_memory_folder, start_of

KILLED = """
import os, signal
from skeleton2stage.physics.worker.memory_folders import make_memory_folder
(make_memory_folder() / "arrays").write_bytes(bytes(1000))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_goes_when_the_next_starts(tmp_path, monkeypatch):
    program = KILLED.replace("import os, signal", "import os, signal, pathlib").replace(
        "(make_memory", "import skeleton2stage.physics.worker.memory_folders as m; "
        f"m._MEMORY = pathlib.Path({str(tmp_path)!r})\n(make_memory")
    subprocess.run([sys.executable, "-c", program], check=False)
    (left,) = tmp_path.iterdir()
    monkeypatch.setattr(memory_folders, "_MEMORY", tmp_path)
    own = make_memory_folder()
    assert not left.exists() and own.exists()
    assert re.fullmatch(rf"skeleton2stage-{os.getpid()}-{start_of(os.getpid())}-.+", own.name)
    clear_dead(tmp_path)
    assert own.exists()


def test_a_process_id_that_came_again_is_another_process(tmp_path):
    again = tmp_path / f"skeleton2stage-{os.getpid()}-{start_of(os.getpid()) - 1}-abc"
    foreign = tmp_path / "skeleton2stage-notes"
    for folder in (again, foreign):
        folder.mkdir()
    clear_dead(tmp_path)
    assert not again.exists() and foreign.exists()


def test_nobody_has_no_start():
    assert start_of(2**22 + 1) is None and start_of(os.getpid()) > start_of(1)
