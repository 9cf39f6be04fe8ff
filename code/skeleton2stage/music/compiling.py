"""One process at a time compiles librosa's loops.

numba compiles them when they are first called and keeps the result on disk, where all processes find it. Two that
compile one function for different types at once leave the code for one under the name of the other, and every
later process that loads it crashes.
"""

import getpass
import hashlib
import sys
import tempfile
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

_done: set[Hashable] = set()


def lock_file() -> Path:
    """Return the file that processes of this user and this installation wait for each other at."""
    installation = hashlib.sha256(f"{sys.prefix} {getpass.getuser()}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"skeleton2stage-{installation}.lock"


@contextmanager
def first_time_alone(kind: Hashable) -> Iterator[None]:
    """Let no other process be within while this one does a kind of work for the first time; later it may be.

    `kind` must tell apart whatever makes numba compile anew, as the type of samples does.
    """
    if kind in _done:
        yield
        return
    with FileLock(lock_file()):
        yield
    _done.add(kind)
