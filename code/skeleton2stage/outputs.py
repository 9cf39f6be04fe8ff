"""Whether what is to be written can be, asked before the work and not after it; files that do not stay."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skeleton2stage.errors import UserError

TEMPORARY = ".s2s-"  # how files begin that are still being written; readers pass over what begins with a dot
MIN_FREE_BYTES = 32 << 20  # dances, tables and a video have room in it; trainings ask for what their state takes


def check_output(path: Path, needed_bytes: int | None = None) -> None:
    """Raise UserError where a file or folder cannot be written at a path, leaving nothing behind.

    needed_bytes: room that must be free on its disk, `MIN_FREE_BYTES` by default.
    """
    path = Path(path)
    place = path if path.is_dir() else path.parent
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    try:
        if not place.is_dir():
            raise NotADirectoryError
        with temporary_file(place):
            pass
    except NotADirectoryError:
        raise UserError(f"{path} cannot be written: {place} is no folder: move it, or give another place") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({place}: {(error.strerror or str(error)).lower()}): give another place"
        ) from None
    check_room(place, MIN_FREE_BYTES if needed_bytes is None else needed_bytes)


@contextmanager
def temporary_file(folder: Path, suffix: str = "") -> Iterator[Path]:
    """Yield the path of a new, empty file in a folder, which is gone afterwards unless it was moved.

    Its name is known before it is there, so that a request to end (Ctrl-C, SIGTERM) leaves nothing whenever it comes.
    Raises OSError where none can be made.
    """
    path = Path(folder) / f"{TEMPORARY}{secrets.token_hex(8)}{suffix}"
    try:
        try:
            path.touch(exist_ok=False)
            yield path
        finally:
            path.unlink(missing_ok=True)
    finally:  # again, as the request may come just before that
        path.unlink(missing_ok=True)


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raise UserError where a folder's disk has less room than is needed."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise UserError(
            f"{folder} has {_megabytes(free)} MB of room, and {_megabytes(needed_bytes)} MB are needed: "
            "free some, or give another place"
        )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f}"
