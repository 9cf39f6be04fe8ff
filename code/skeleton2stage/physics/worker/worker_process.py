"""A worker: a process, of this or another interpreter, that answers commands over pipes and shares memory.

It is always ended and its memory given back: by `close`, at the end of a `with`, when nobody holds it any more, at the
interpreter's exit, and, should this process be killed, by the worker itself. The memory has a name only until both have
mapped it; a process killed before that leaves a folder, which the next one to start a worker removes.
"""

import mmap
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.physics.worker.memory_folders import make_memory_folder
from skeleton2stage.physics.worker.program import protocol

PROGRAM = Path(__file__).with_name("program") / "serve.py"
_TAIL_LINES = 12
_GRACE_S = 2.0  # how long a worker may take to end by itself
_ERRORS_NAME = "its error output ends with"


class WorkerError(UserError):
    """A worker that cannot start, does not fit, failed, died or does not answer; it has been ended."""


@dataclass(frozen=True)
class WorkerConfig:
    """How to run a worker.

    backend: which `*_host.py` beside `program` to serve. interpreter: the Python that runs it. options: plain
    values for that host. environment: variables to set for it. start_timeout_s: until it has built its worlds
    (some compile on their first start). answer_timeout_s: until it has done any one command.
    """

    backend: str
    interpreter: str = sys.executable
    options: dict[str, object] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    start_timeout_s: float = 600.0
    answer_timeout_s: float = 120.0
    program: Path = PROGRAM


class WorkerProcess:
    """A running worker with `n_worlds` worlds: `arrays` by name, `introduction` as it gave it, and `request`.

    write_assets: called with the folder from which the worker's host builds its worlds.
    Raises WorkerError, one sentence and the end of the worker's error output.
    """

    def __init__(self, config: WorkerConfig, n_worlds: int, write_assets: Callable[[Path], None]) -> None:
        self._config = config
        self._failure: WorkerError | None = None
        folder = _make_folder(config.backend)
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the worker
        self._unread = b""
        try:
            self.arrays = _prepare(folder, n_worlds, write_assets, config.backend)
            self._process = self._launch()
            self._finalizer = weakref.finalize(self, _end, self._process, self._errors)
            self.introduction = self._shake_hands(folder, n_worlds)
        finally:
            # Both sides have mapped the memory by now, or never will: without a name it cannot be left behind.
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def request(self, message: dict[str, object]) -> dict[str, object]:
        """Return the worker's answer to a command; raise WorkerError where it gives none, or an error."""
        if self._failure is not None:
            raise self._failure
        answer = self._exchange(message, self._config.answer_timeout_s)
        if "error" in answer:
            raise self._fail(f"failed: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the worker; later requests are errors."""
        self._failure = self._failure or WorkerError(f"the {self._config.backend} worker is closed")
        self._finalizer()

    def _launch(self) -> subprocess.Popen:
        command = [self._config.interpreter, str(self._config.program), self._config.backend]
        # The worker's folder comes from its script; a PYTHONPATH of ours would lead it to our packages.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment |= self._config.environment
        try:
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0,
                env=environment, start_new_session=True,  # so that Ctrl-C reaches us only, and we end it
            )
        except OSError as error:
            self._errors.close()
            raise WorkerError(
                f"cannot start the {self._config.backend} worker with '{self._config.interpreter}': {error.strerror}"
            ) from None

    def _shake_hands(self, folder: Path, n_worlds: int) -> dict[str, object]:
        hello = {
            "protocol": protocol.PROTOCOL_VERSION, "folder": str(folder), "n_worlds": n_worlds,
            "layout": protocol.array_layout(n_worlds), "options": self._config.options,
        }
        answer = self._exchange(hello, self._config.start_timeout_s)
        if answer.get("protocol") != protocol.PROTOCOL_VERSION:
            raise self._fail(
                f"speaks protocol {answer.get('protocol')}, this version speaks {protocol.PROTOCOL_VERSION}: "
                f"use the worker that came with it, not {self._config.program}"
            )
        if "error" in answer:
            raise self._fail(f"could not start: {answer['error']}")
        return answer

    def _exchange(self, message: dict[str, object], timeout_s: float) -> dict[str, object]:
        try:
            self._process.stdin.write(protocol.encode(message))
            line = self._read_line(timeout_s)
            return protocol.decode(line)
        except BrokenPipeError:
            raise self._fail(self._obituary()) from None
        except ValueError as error:
            raise self._fail(f"gave no proper answer: {error}") from None
        except BaseException as error:
            # Interrupted between command and answer, the next answer would be taken for another command's.
            if not isinstance(error, WorkerError):
                self._fail("was interrupted")
            raise

    def _read_line(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(deadline - time.monotonic(), 0.0)):
                    raise self._fail(f"did not answer within {timeout_s:g} s and was ended")
                received = os.read(self._process.stdout.fileno(), 1 << 16)
                if not received:
                    raise self._fail(self._obituary())
                self._unread += received
        line, self._unread = self._unread.split(b"\n", 1)
        return line

    def _obituary(self) -> str:
        try:
            status = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    def _fail(self, what: str) -> WorkerError:
        """End the worker and return the error, which every later request raises again."""
        _stop(self._process)
        tail = _tail(self._errors)
        words = f"; {_ERRORS_NAME}:\n{tail}" if tail else ""
        self._failure = WorkerError(
            f"the {self._config.backend} worker ({self._config.interpreter}) {what}{words}"
        )
        self._finalizer()
        return self._failure


def _make_folder(backend: str) -> Path:
    try:
        return make_memory_folder()
    except OSError as error:
        raise WorkerError(f"no folder can be made for the {backend} worker: {error}") from None


def _prepare(
    folder: Path, n_worlds: int, write_assets: Callable[[Path], None], backend: str
) -> dict[str, np.ndarray]:
    """Write what the worker builds its worlds from, and return the arrays that it will share."""
    try:
        write_assets(folder)
        return _share(folder / protocol.MEMORY_FILE, n_worlds)
    except OSError as error:
        raise WorkerError(
            f"no room for the {backend} worker's {n_worlds} worlds in {folder.parent}, which take "
            f"{protocol.memory_size(n_worlds):,} bytes: {error.strerror}"
        ) from None


def _share(path: Path, n_worlds: int) -> dict[str, np.ndarray]:
    size = protocol.memory_size(n_worlds)
    with path.open("w+b") as file:
        # Not truncate: a full memory folder must be an error here, and not a bus error later.
        os.posix_fallocate(file.fileno(), 0, size)
        return protocol.map_arrays(mmap.mmap(file.fileno(), size), n_worlds)


def _tail(errors: IO[bytes]) -> str:
    errors.seek(0, os.SEEK_END)
    errors.seek(max(errors.tell() - (1 << 14), 0))
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-_TAIL_LINES:])


def _end(process: subprocess.Popen, errors: IO[bytes]) -> None:
    _stop(process)
    process.stdout.close()
    errors.close()


def _stop(process: subprocess.Popen) -> None:
    """End a process, kindly if it will: the end of its input tells it to go."""
    if not process.stdin.closed:
        process.stdin.close()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
