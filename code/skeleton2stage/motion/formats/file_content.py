"""What a motion file holds, whatever its kind: told by its first bytes, not by its extension."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage import tool_pickles
from skeleton2stage.arrays import read_npy, read_npz
from skeleton2stage.errors import UserError

_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
_LEAST_BYTES = 2  # of anything that could hold a motion


def read_content(path: Path, wanted: frozenset[str] | None = None) -> Any:  # noqa: ANN401 - whatever a tool wrote
    """Return the content of an npz, npy, pickle, joblib or torch file, its tensors being arrays; nothing in it is run.

    `wanted` are the arrays of an npz to read; the others of its names come with None, so that they can be told.
    Raises UserError where the file is missing, damaged, or names what no such file needs.
    """
    start = _first_bytes(path)
    if start.startswith(_NPY):
        return read_npy(path, tool_pickles.loads)
    if start.startswith(_ZIP) and (names := _npz_names(path)):
        return dict.fromkeys(names) | read_npz(path, None if wanted is None else tuple(wanted))
    return _read_pickled(path)


def npy_header(path: Path) -> tuple[tuple[int, ...], np.dtype] | None:
    """Return the shape and type of the array in an .npy file, None where it is no such file."""
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
    except Exception:  # noqa: BLE001 - a damaged file can raise almost anything
        return None
    return shape, dtype


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder where a motion file was expected") from None
    if len(start) < _LEAST_BYTES:
        raise UserError(f"{path} is damaged: it is empty; copy it again")
    return start


def _npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in an npz, none for an archive of another kind; UserError for a damaged one."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # noqa: BLE001 - a damaged archive can raise almost anything
        raise UserError(f"{path} is damaged, or cut short: copy it again") from None
    return [name.removesuffix(".npy") for name in names if name.endswith(".npy")]


def _read_pickled(path: Path) -> Any:  # noqa: ANN401 - whatever a tool wrote
    try:
        return tool_pickles.loads(path.read_bytes())
    except pickle.UnpicklingError as error:
        raise UserError(f"refused to read {path}: {error}") from None
    except Exception:  # noqa: BLE001 - a damaged file can raise almost anything
        raise UserError(f"{path} is damaged or not a pickle: copy it again") from None
