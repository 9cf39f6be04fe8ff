"""Reading and writing files safely: atomic writes, and pickles that cannot run code."""

import errno
import json
import os
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage import pickles
from skeleton2stage.outputs import TEMPORARY, temporary_file
from skeleton2stage.provenance import stamped
from skeleton2stage.read_boundary import reading

_PROBED_BYTES = 1 << 16
OLD_S = 24 * 3600.0  # a file that nothing was written to for so long was left by a kill


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in `path`'s folder that replaces `path` only if the block succeeds.

    The folder is made if needed. On any exception the temporary file goes and `path` stays as it was. Once it is
    replaced, a power cut brings the earlier one back no more, as far as the disk keeps its word. A kill leaves the
    temporary file, which readers pass over, and which goes when it is old. Raises OSError that names `path`.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_old(path.parent)
        with temporary_file(path.parent, path.suffix) as temporary:
            try:
                yield temporary
            except OSError:
                raise
            except Exception:
                _raise_refusal(temporary, path)
                raise
            _flush(temporary)
            os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        if error.errno and (error.filename is None or Path(str(error.filename)).name.startswith(TEMPORARY)):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def _raise_refusal(temporary: Path, path: Path) -> None:
    """Raise OSError where a library's own error was that the disk takes no more, which each words in its way."""
    try:
        with temporary.open("ab") as file:
            file.write(bytes(_PROBED_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _flush(path: Path) -> None:
    """Have a file or folder written to the disk itself, where its file system can do that."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS, errno.EBADF):
            raise
    finally:
        os.close(handle)


@cache  # once a folder and process
def _clear_old(folder: Path) -> None:
    """Remove what killed writes have left in a folder long ago."""
    with os.scandir(folder) as entries:
        names = [entry.path for entry in entries if entry.name.startswith(TEMPORARY)]
    for name in names:
        with suppress(OSError):  # another process may do the same
            if time.time() - os.stat(name).st_mtime > OLD_S:
                os.unlink(name)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON holds any of its types
    """Write a JSON file atomically, readable by people; NaN is refused because JSON has none."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def write_stamped_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file of figures or of a checkpoint, with the version and commit that made it."""
    write_json(path, stamped(content))


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON holds any of its types
    """Read a JSON file; raise UserError where it is missing or broken."""
    path = Path(path)
    with reading(path, "valid JSON"):
        return json.loads(path.read_text(encoding="utf-8"))


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Write a compressed npz file atomically."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_pickle(path: Path, value: Any) -> None:  # noqa: ANN401 - the field's files are pickled dicts
    """Pickle a value atomically: only for the motion files that the field exchanges."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        pickle.dump(value, file, protocol=4)


def read_pickle(
    path: Path, admitted: dict[tuple[str, str], Any] | None = None, encoding: str = "latin1"
) -> Any:  # noqa: ANN401 - a pickle holds any of the admitted types
    """Read a pickle of plain containers, numpy arrays and `admitted` classes, running nothing from it.

    Raises UserError where the file is missing, cut short, or names anything else.
    """
    path = Path(path)
    with reading(path, "a pickle file"):
        return pickles.loads(path.read_bytes(), admitted, encoding)
