"""Several processes of one machine: they work together, end together, and are not to be reached from outside."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from listening import alive, children, listening, open_to_the_network
from skeleton2stage import paths

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads sockets from /proc")

JOB = """
import sys, time
from pathlib import Path
import torch
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.rendezvous import connect_processes

def main(arguments):
    connect_processes(torch.device("cpu"))
    alone = not torch.distributed.is_initialized()
    rank, folder = 0 if alone else torch.distributed.get_rank(), Path(arguments[0].removeprefix("folder="))
    if "fail" in arguments:
        raise UserError("nothing to do")
    total, objects = torch.ones(1), [arguments]
    if not alone:
        torch.distributed.all_reduce(total)
        objects *= torch.distributed.get_world_size()
        torch.distributed.all_gather_object(objects, arguments)
    (folder / f"rank{rank}").write_text(f"{total.item():g} {objects[0] == arguments} {arguments[1:]}")
    while not (folder / "end").exists():
        time.sleep(0.05)
    if not alone:
        torch.distributed.destroy_process_group()

run_main(main)
"""


@pytest.fixture
def start(tmp_path):
    (tmp_path / "tiny_job.py").write_text(JOB)
    (tmp_path / "temporary").mkdir()

    def run(processes: str, *arguments: str, flags: str = "") -> subprocess.Popen:
        command = f"set -euo pipefail; source '{paths.REPOSITORY}/code/launch.sh'; launch \"$@\""
        environment = os.environ | {
            "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1",
            "PYTHONPATH": f"{paths.REPOSITORY / 'code'}:{tmp_path}", "ACCELERATE_ARGS": flags,
            "TMPDIR": str(tmp_path / "temporary"),
        }
        return subprocess.Popen(
            ["bash", "-c", command, "launch", processes, "tiny_job", f"folder={tmp_path}", *arguments], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )

    return run


def wait_for(process, *files):
    deadline = time.monotonic() + 120
    while not all(file.exists() for file in files):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.1)


@pytest.mark.parametrize(("processes", "flags"), [
    (1, ""), (2, ""), (4, ""), (2, "--num_machines 1 --main_process_port 0"), (2, "--rdzv_backend c10d"),
])
def test_nothing_listens_beyond_this_machine(start, tmp_path, processes, flags):
    process = start(str(processes), "name=it's #1", flags=flags)
    files = [tmp_path / f"rank{rank}" for rank in range(processes)]
    wait_for(process, *files)
    assert processes == 1 or len(children(process.pid)) >= processes
    # Of several processes gloo listens, on the loopback interface; one has nobody to listen to.
    assert bool(listening(process.pid)) == (processes > 1) and not open_to_the_network(process.pid)
    (tmp_path / "end").touch()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert [file.read_text() for file in files] == [f"{processes} True [\"name=it's #1\"]"] * processes
    assert not list((tmp_path / "temporary").iterdir())


def test_what_torch_opens_by_itself_would_be_seen():
    store = torch.distributed.TCPStore("127.0.0.1", 0, 1, is_master=True, wait_for_workers=False)
    assert open_to_the_network(os.getpid())
    del store


def test_a_signal_ends_all_and_leaves_nothing(start, tmp_path):
    process = start("2")
    wait_for(process, *(tmp_path / f"rank{rank}" for rank in range(2)))
    ranks = children(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert not any(os.path.exists(f"/proc/{pid}") for pid in ranks)
    assert not list((tmp_path / "temporary").iterdir())


def test_an_error_is_a_sentence_and_its_status(start):
    process = start("2", "fail")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2 and "error: nothing to do\n" in output
    assert "Traceback" not in output and "ended with status 2" in output


@pytest.mark.parametrize(("processes", "flags", "said"), [
    ("0", "", "error: NUM_PROCESSES must be a whole number above 0, not '0'\n"),
    ("two", "", "error: NUM_PROCESSES must be a whole number above 0, not 'two'\n"),
    ("2", "--main_process_ip 'x", "error: ACCELERATE_ARGS cannot be read: No closing quotation\n"),
])
def test_wrong_numbers_and_flags_are_one_sentence(start, processes, flags, said):
    process = start(processes, flags=flags)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, said)


def test_no_process_outlives_a_killed_launcher(start, tmp_path):
    process = start("2")
    wait_for(process, *(tmp_path / f"rank{rank}" for rank in range(2)))
    under = children(process.pid)
    assert len(under) >= 2
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in under):
        assert time.monotonic() < deadline, "they train on, and nobody knows"
        time.sleep(0.1)
