"""Processes that do not outlive the one they work for."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1  # Linux' prctl(2): a signal for this process when the thread that made it ends


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent, of this process id, ends, be it by a kill."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)
