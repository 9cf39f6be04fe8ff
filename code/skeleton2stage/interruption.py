"""Requests to end, by Ctrl-C and SIGTERM: obeyed as exceptions, so that what is open is closed, and told in a word."""

import _thread
import os
import signal
import sys
import threading
import time
from importlib.machinery import ExtensionFileLoader
from types import FrameType, TracebackType

_COMPILED_STARTS = {ExtensionFileLoader.create_module.__code__, ExtensionFileLoader.exec_module.__code__}
_ASKED_AGAIN_S = 0.02


class Terminated(KeyboardInterrupt):  # noqa: N818 - nothing has gone wrong
    """The end that a system asks for by SIGTERM, as batch queues and containers do: what is open is closed."""


def tell_in_a_word() -> None:
    """Have an interruption that nobody catches told in a word; the interpreter's exit status says what it was.

    It may come while libraries are still being imported, which takes seconds. In programs alone, `python -m …`:
    whoever imports a library keeps their own way.
    """
    if sys.argv[:1] == ["-m"]:
        sys.excepthook = _tell
        _obey_interruptions()


def obey_requests_to_end() -> None:
    """Have Ctrl-C raise KeyboardInterrupt and SIGTERM raise Terminated in this process.

    Not SIGTERM where several processes train together: one may wait for the others within a library that knows no
    exceptions, and all files of a training are written whole or not at all.
    """
    _obey_interruptions()
    if os.environ.get("WORLD_SIZE", "1") == "1" and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _obey)


def _obey_interruptions() -> None:
    # what runs in the background of a shell ignores them, and is left to do so
    is_pythons_own = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_pythons_own and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _obey)


def _obey(number: int, frame: FrameType | None) -> None:
    if _starts_compiled_module(frame):
        _thread.start_new_thread(_ask_again, (number,))  # threading has a lock, which whoever was interrupted may hold
        return
    if number == signal.SIGTERM:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one need not wait
        raise Terminated
    raise KeyboardInterrupt


def _starts_compiled_module(frame: FrameType | None) -> bool:
    """Return whether a frame runs on behalf of a compiled module's start: an exception there may abort the process."""
    while frame is not None:
        if frame.f_code in _COMPILED_STARTS:
            return True
        frame = frame.f_back
    return False


def _ask_again(number: int) -> None:
    time.sleep(_ASKED_AGAIN_S)
    os.kill(os.getpid(), number)


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
