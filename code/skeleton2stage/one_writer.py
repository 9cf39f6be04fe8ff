"""One writer a folder: a lock that ends with its process, however that ends."""

import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.outputs import TEMPORARY

LOCK_NAME = ".lock"


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Let nobody else, who asks by this, write to a folder meanwhile; it is made if need be.

    Raises UserError where another process does. The kernel holds the lock for this process, so that nothing is left
    to be removed after a kill; what killed writers were in the middle of writing goes. A folder that is empty
    afterwards goes.
    """
    handle, is_held = _locked(folder)
    if is_held:
        for left in folder.rglob(f"{TEMPORARY}*"):
            left.unlink(missing_ok=True)
    try:
        yield
    finally:
        if os.listdir(folder) == [LOCK_NAME]:
            os.unlink(folder / LOCK_NAME)
            os.rmdir(folder)
        os.close(handle)


def _locked(folder: Path) -> tuple[int, bool]:
    """Return the open lock file of a folder, and whether this process holds it: some file systems have no locks."""
    path, is_held = folder / LOCK_NAME, True
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(handle, 200).decode(errors="replace").strip()
            os.close(handle)
            raise UserError(
                f"{folder} is being written by another process ({who or 'unknown'}): wait for it, or give another place"
            ) from None
        except OSError as error:
            is_held = False
            print(f"warning: {folder} cannot be kept from other writers: {error.strerror}", file=sys.stderr)
        if path.exists() and os.fstat(handle).st_ino == path.stat().st_ino:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
            return handle, is_held
        os.close(handle)  # whoever had it before has just removed it with its empty folder
