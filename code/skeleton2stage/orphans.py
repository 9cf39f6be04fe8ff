"""Processes that do not outlive the one they work for."""

import ctypes
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading

_PR_SET_PDEATHSIG = 1  # Linux' prctl(2): a signal for this process when the thread that made it ends


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent, of this process id, ends, be it by a kill."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)


def end_with_main() -> None:
    """Have a process that multiprocessing made end when the main process does, however far up that is.

    A server that forks workers, as `forkserver` does, lives on as long as one of them does, so that the kernel's word
    would come too late.
    """
    threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
