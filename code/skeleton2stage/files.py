"""Reading and writing files safely: atomic writes, and pickles that cannot run code."""

import json
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from skeleton2stage.errors import UserError

# numpy renamed its internal module in version 2; files name either.
_NUMPY_CLASSES = {
    (module, name)
    for module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric",
                   "numpy._core.numeric")
    for name in ("ndarray", "dtype", "scalar", "_reconstruct", "_frombuffer")
}
_NUMPY_CLASSES |= {("_codecs", "encode")}  # how Python 2 pickles carry an array's bytes


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in `path`'s folder that replaces `path` only if the block succeeds.

    The folder is made if needed. On any exception the temporary file goes and `path` stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON holds any of its types
    """Write a JSON file atomically, readable by people; NaN is refused because JSON has none."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON holds any of its types
    """Read a JSON file; raise UserError where it is missing or broken."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid JSON ({error}): write it again from its source") from None


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Write a compressed npz file atomically."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_pickle(path: Path, value: Any) -> None:  # noqa: ANN401 - the field's files are pickled dicts
    """Pickle a value atomically: only for the motion files that the field exchanges."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        pickle.dump(value, file, protocol=4)


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that admits plain Python containers, numpy arrays and the classes it is given.

    `admitted` maps (module, name) as written in the file to the object to use in its place, so that
    the original class need not be installed, let alone run.
    """

    def __init__(self, file: Any, admitted: dict[tuple[str, str], Any] | None = None, **options: Any) -> None:  # noqa: ANN401
        super().__init__(file, **options)
        self.admitted = admitted or {}

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - pickle's own signature
        """Return an admitted class; refuse any other, since a pickle can name any function to call."""
        if (module, name) in self.admitted:
            return self.admitted[module, name]
        if (module, name) in _NUMPY_CLASSES:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}, which such a file has no use for")


def read_pickle(
    path: Path, admitted: dict[tuple[str, str], Any] | None = None, encoding: str = "latin1"
) -> Any:  # noqa: ANN401 - a pickle holds any of the admitted types
    """Read a pickle of plain containers, numpy arrays and `admitted` classes, running nothing from it.

    Raises UserError where the file is missing, cut short, or names anything else.
    """
    try:
        with Path(path).open("rb") as file:
            return RestrictedUnpickler(file, admitted, encoding=encoding).load()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder where a pickle file was expected") from None
    except pickle.UnpicklingError as error:
        raise UserError(f"refused to read {path}: {error}") from None
    except Exception as error:  # noqa: BLE001 - a damaged pickle can raise almost anything
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{path} is damaged or not a pickle ({reason}): copy it again") from None


def read_npy(path: Path) -> Any:  # noqa: ANN401 - an .npy file may hold any of the admitted types
    """Read an .npy file, an array or one pickled value, running nothing from it.

    Raises UserError where the file is missing, cut short, or names anything but plain containers and arrays.
    """
    try:
        with Path(path).open("rb") as file:
            shape, _, dtype = _npy_header(file)
            if not dtype.hasobject:
                file.seek(0)
                return np.lib.format.read_array(file, allow_pickle=False)
            held = RestrictedUnpickler(file, encoding="latin1").load()
            return held.item() if shape == () else held
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except pickle.UnpicklingError as error:
        raise UserError(f"refused to read {path}: {error}") from None
    except Exception as error:  # noqa: BLE001 - a damaged pickle can raise almost anything
        raise UserError(f"{path} is damaged or not an .npy file ({error}): copy it again") from None


def _npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, whether in Fortran's order, and type of an .npy file's array; leave the file at its data."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)
