"""The transport, with a small host of its own: worlds that drift at the velocity they were given."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from skeleton2stage.physics.worker.program import protocol
from skeleton2stage.physics.worker.worker_process import PROGRAM, WorkerConfig, WorkerError, WorkerProcess

DRIFT_HOST = """
import os, sys, time
import numpy as np
from host import Host


class DriftHost(Host):
    def __init__(self, options, n_worlds):
        print("noise on standard output")
        self.pos, self.vel = np.zeros((n_worlds, 3)), np.zeros((n_worlds, 3))

    def packages(self):
        return {"drift": "1"}

    def set_state(self, n, arrays):
        worlds = arrays["worlds"][:n]
        self.pos[worlds], self.vel[worlds] = arrays["set_root_pos_w"][:n], arrays["set_root_lin_vel_w"][:n]

    def step(self, arrays):
        if arrays["wrench_w"][0, 0] > 0:
            raise ArithmeticError("pushed too hard")
        self.pos += self.vel / 30

    def publish(self, arrays):
        arrays["pos_w"][:] = self.pos[:, None]


def make_host(folder, n_worlds, options):
    if options.get("fail"):
        sys.stderr.write("about to fail" + chr(10))
        raise RuntimeError("no such GPU")
    if options.get("die"):
        sys.stderr.write("segmentation of some sort" + chr(10))
        sys.stderr.flush()
        os._exit(7)
    time.sleep(options.get("sleep_s", 0))
    assert open(os.path.join(folder, "asset")).read() == "from the other side"
    return DriftHost(options, n_worlds)
"""


@pytest.fixture()
def program(tmp_path) -> Path:
    """A copy of the worker with the drifting host beside it."""
    shutil.copytree(PROGRAM.parent, tmp_path / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "worker" / "drift_host.py").write_text(DRIFT_HOST)
    return tmp_path / "worker" / "serve.py"


def write_asset(folder: Path) -> None:
    (folder / "asset").write_text("from the other side")


def start(program: Path, n_worlds: int = 3, answer_timeout_s: float = 10.0, **options: object) -> WorkerProcess:
    config = WorkerConfig("drift", options=options, answer_timeout_s=answer_timeout_s, program=program)
    return WorkerProcess(config, n_worlds, write_asset)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


def mapped_memory() -> list[str]:
    return [line for line in Path("/proc/self/maps").read_text().splitlines() if "skeleton2stage-" in line]


def test_layout_is_packed_without_overlap():
    layout = protocol.array_layout(5)
    ends = [offset + int(np.prod(shape)) * np.dtype(kind).itemsize for _, kind, offset, shape in layout]
    starts = [offset for _, _, offset, _ in layout]
    assert starts[0] == 0 and all(end <= after < end + 64 for end, after in zip(ends[:-1], starts[1:], strict=True))
    assert all(offset % 64 == 0 for offset in starts) and protocol.memory_size(5) == ends[-1]
    assert dict((name, shape) for name, _, _, shape in layout)["quat_w"] == [5, 24, 4]


def test_messages_survive_the_wire():
    message = {"command": "step", "text": "two\nlines, ümlaut"}
    assert protocol.encode(message).count(b"\n") == 1
    assert protocol.decode(protocol.encode(message)) == message
    with pytest.raises(ValueError, match="must be an object"):
        protocol.decode(b"[1]")


def test_what_is_written_here_moves_there(program):
    worker = start(program)
    worker.arrays["worlds"][:2] = [2, 0]
    worker.arrays["set_root_pos_w"][:2] = [[1, 2, 3], [4, 5, 6]]
    worker.arrays["set_root_lin_vel_w"][:2] = [[30, 0, 0], [0, 30, 0]]
    worker.request({"command": "set_state", "n": 2})
    for _ in range(3):
        assert worker.request({"command": "step"}) == {"done": "step"}
    assert worker.arrays["pos_w"][:, 7].tolist() == [[4, 8, 6], [0, 0, 0], [4, 2, 3]]
    worker.close()


def test_it_introduces_itself(program):
    worker = start(program, n_worlds=2)
    said = worker.introduction
    assert said["python"] == ".".join(map(str, sys.version_info[:3])) and said["packages"]["drift"] == "1"
    assert said["packages"]["numpy"] == np.__version__ and said["n_worlds"] == 2 and said["provides"] == []
    worker.close()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("PROTOCOL_VERSION = 1", "PROTOCOL_VERSION = 2", "speaks protocol 2, this version speaks 1: use the worker"),
        ('("self_contacts", "float32", ())', '("self_contacts", "float32", (2,))', "lays its arrays out otherwise"),
    ],
)
def test_a_worker_of_another_version_is_refused(program, old, new, message):
    source = program.with_name("protocol.py")
    source.write_text(source.read_text().replace(old, new))
    with pytest.raises(WorkerError, match=message):
        start(program)


def test_an_interpreter_that_is_not_there(program):
    config = WorkerConfig("drift", interpreter="/no/such/python3.8", program=program)
    with pytest.raises(WorkerError, match="cannot start the drift worker with '/no/such/python3.8': No such file"):
        WorkerProcess(config, 1, write_asset)


def test_a_program_that_is_no_worker(tmp_path):
    (tmp_path / "serve.py").write_text("print('hello')")
    with pytest.raises(WorkerError, match="gave no proper answer"):
        start(tmp_path / "serve.py")
    with pytest.raises(WorkerError, match="(?s)ended with status 2.*can't open file"):
        start(tmp_path / "absent.py")


def test_a_host_that_cannot_be_built_says_why(program):
    with pytest.raises(WorkerError, match=r"(?s)could not start: RuntimeError: no such GPU; .*about to fail"):
        start(program, fail=True)
    with pytest.raises(WorkerError, match=r"(?s)ended with status 7; its error output ends with:.*segmentation"):
        start(program, die=True)
    with pytest.raises(WorkerError, match="No module named 'bullet_host'"):
        WorkerProcess(WorkerConfig("bullet", program=program), 1, write_asset)


def test_a_slow_start_is_cut_short(program):
    config = WorkerConfig("drift", options={"sleep_s": 60}, start_timeout_s=0.5, program=program)
    with pytest.raises(WorkerError, match="did not answer within 0.5 s"):
        WorkerProcess(config, 1, write_asset)


def test_what_fails_there_is_an_error_here(program):
    worker = start(program)
    worker.arrays["wrench_w"][0, 0] = 1.0
    with pytest.raises(WorkerError, match="failed: ArithmeticError: pushed too hard"):
        worker.request({"command": "step"})
    with pytest.raises(WorkerError, match="pushed too hard"):
        worker.request({"command": "step"})
    assert wait_until_gone(worker.pid)


def test_an_unknown_command_is_an_error(program):
    with pytest.raises(WorkerError, match="no command 'fly'"):
        start(program).request({"command": "fly"})


def test_a_killed_worker_is_noticed(program):
    worker = start(program)
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="drift worker .* was ended by SIGKILL"):
        worker.request({"command": "step"})


def test_a_hung_worker_is_ended(program):
    worker = start(program, answer_timeout_s=0.3)
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerError, match="did not answer within 0.3 s and was ended"):
        worker.request({"command": "step"})
    assert wait_until_gone(worker.pid)


def test_memory_has_no_name_and_goes_with_its_holder(program):
    gc.collect()
    before = len(mapped_memory())
    worker = start(program)
    pid, lines = worker.pid, mapped_memory()
    assert len(lines) == before + 1 and all(line.endswith("(deleted)") for line in lines)
    del worker
    gc.collect()
    assert wait_until_gone(pid) and len(mapped_memory()) == before


def test_a_closed_worker_says_so(program):
    worker = start(program)
    worker.close()
    worker.close()
    assert wait_until_gone(worker.pid)
    with pytest.raises(WorkerError, match="is closed"):
        worker.request({"command": "step"})


PARENT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_worker_process import start
worker = start(Path({program!r}))
print(worker.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGINT])
def test_a_worker_does_not_outlive_its_parent(program, death):
    script = PARENT.format(tests=str(Path(__file__).parent), program=str(program))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(death)
        parent.wait(30)
    assert wait_until_gone(pid)
