"""A folder that one process at a time writes to."""

import os
import signal
import subprocess
import sys

import pytest

from skeleton2stage import one_writer, paths
from skeleton2stage.errors import UserError
from skeleton2stage.one_writer import only_writer

HOLDER = """
import sys
from pathlib import Path
from skeleton2stage.one_writer import only_writer
with only_writer(Path(sys.argv[1])):
    (Path(sys.argv[1]) / "kept").touch()
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture()
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(paths.REPOSITORY / "code")},
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_second_writer_is_told_who_the_first_is(holder, tmp_path):
    told = pytest.raises(UserError, match=f"is being written by another process .process {holder.pid} on")
    with told, only_writer(tmp_path / "run"):
        raise AssertionError
    with only_writer(tmp_path / "elsewhere"):
        pass


def test_a_killed_writer_leaves_nothing_that_stops_the_next(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with only_writer(tmp_path / "run"):
        assert (tmp_path / "run" / "kept").exists()
    with only_writer(tmp_path / "run"):
        pass


def test_a_folder_to_which_nothing_was_written_goes(tmp_path):
    with pytest.raises(RuntimeError), only_writer(tmp_path / "run"):
        raise RuntimeError
    assert not (tmp_path / "run").exists()
    with only_writer(tmp_path / "run"):
        (tmp_path / "run" / "state.pt").touch()
    assert (tmp_path / "run" / "state.pt").exists()


def test_what_killed_writers_left_goes_and_only_where_nobody_else_can_be_writing(tmp_path, monkeypatch):
    left = [tmp_path / "run" / ".s2s-abc.pkl", tmp_path / "run" / "weights" / ".s2s-def.safetensors"]
    others = [tmp_path / "run" / "a.pkl", tmp_path / "run" / ".hidden"]
    for path in (*left, *others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def no_locks(handle, flags):
        raise OSError(95, "Operation not supported")

    with monkeypatch.context() as patched:
        patched.setattr(one_writer.fcntl, "flock", no_locks)
        with only_writer(tmp_path / "run"):
            assert all(path.exists() for path in left)
    with only_writer(tmp_path / "run"):
        assert not any(path.exists() for path in left) and all(path.exists() for path in others)
