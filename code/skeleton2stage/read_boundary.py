"""One boundary between files and their readers: whatever a reader raises becomes a sentence that names the file."""

import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skeleton2stage.errors import UserError

LEAST_UNPACKED_BYTES = 256 << 20  # any file may unpack to so much
MOST_EXPANDED = 50  # times its size; arrays of motions and music come to less than 20
_TORCH_NO_MEMORY = "can't allocate memory"  # torch has no error of its own for it
_TORCH_REFUSAL = "Weights only load failed"
_SHOWN = 160  # characters of a library's own words


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Read a file, which should be `what`, in the block: raise UserError for whatever goes wrong there.

    A file that is missing, is a folder, names what it must not, needs more memory than there is, or is damaged in ways
    that make its reader raise anything at all. What the machine refuses stays an OSError.
    """
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder where {what} was expected") from None
    except pickle.UnpicklingError as error:
        if _TORCH_REFUSAL in str(error):  # the rest is advice to trust the file
            raise UserError(f"{path} is damaged, not {what}, or names what could run code: copy it again") from None
        raise UserError(f"refused to read {path}: {first_words(error)}") from None
    except MemoryError:
        raise UserError(_too_large(path)) from None
    except OSError as error:
        if isinstance(error.errno, int):
            raise
        raise UserError(_damaged(path, what, error)) from None  # what libraries raise for bad content
    except Exception as error:  # noqa: BLE001 - a damaged file can raise almost anything
        words = _too_large(path) if _TORCH_NO_MEMORY in str(error) else _damaged(path, what, error)
        raise UserError(words) from None


def first_words(error: BaseException) -> str:
    """Return the first line of an error's words, cut to a length that one reads, or its kind where it has none."""
    line = (str(error).strip().splitlines() or [""])[0]
    line = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    return line or type(error).__name__


def most_unpacked(packed: int) -> int:
    """Return how many bytes a file of a size may unpack to."""
    return max(LEAST_UNPACKED_BYTES, MOST_EXPANDED * packed)


def check_unpacked(path: Path, unpacked: int, packed: int) -> None:
    """Raise UserError where a file unpacks to far more bytes than such files do, before they are asked for."""
    if unpacked > most_unpacked(packed):
        raise UserError(f"{path} unpacks to {unpacked / 2**20:.0f} MiB from {packed} bytes: it is damaged, or a trap")


def check_archive(path: Path) -> None:
    """Raise UserError where a zip file, such as torch's and numpy's, unpacks to far more than its size."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            check_unpacked(path, sum(info.file_size for info in archive.infolist()), path.stat().st_size)


def _too_large(path: Path) -> str:
    return f"{path} asks for more memory than there is: it is damaged, or too large to be read at once"


def _damaged(path: Path, what: str, error: BaseException) -> str:
    return f"{path} is damaged or not {what} ({first_words(error)}): copy it again"
