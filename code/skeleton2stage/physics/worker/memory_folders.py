"""Folders of shared memory that are named by their owner, so that those of dead ones can be told and cleared."""

import os
import re
import shutil
import tempfile
from pathlib import Path

_PREFIX = "skeleton2stage-"
_NAME = re.compile(_PREFIX + r"(\d+)-(\d+)-.+")
_MEMORY = Path("/dev/shm")
_STARTED = 19  # which of the numbers after a process' name in /proc/PID/stat says when it was started


def make_memory_folder() -> Path:
    """Return a new folder whose files are memory, where there is such a place; those of dead owners go.

    Raises OSError where none can be made.
    """
    usable = os.access(_MEMORY, os.W_OK | os.X_OK)
    place = _MEMORY if usable else Path(tempfile.gettempdir())
    clear_dead(place)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{start_of(os.getpid())}-", dir=place))


def clear_dead(place: Path) -> None:
    """Remove the folders of owners that are no more, as those killed while their worker started have left them."""
    for folder in place.glob(f"{_PREFIX}*"):
        found = _NAME.fullmatch(folder.name)
        # Process ids come again: the time of the start tells whether it is the same process.
        if found and start_of(int(found[1])) != int(found[2]):
            shutil.rmtree(folder, ignore_errors=True)


def start_of(pid: int) -> int | None:
    """Return when a process was started, in the kernel's ticks; None where there is none of this id."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[_STARTED])
