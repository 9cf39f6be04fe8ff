"""Numpy's files, .npy and .npz, read without running anything and without allocating what is not there."""

import math
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from skeleton2stage import pickles
from skeleton2stage.errors import UserError

MAX_BYTES = 8 << 30  # of a file's arrays, unpacked


def read_npy(path: Path, loads: Callable[[bytes], Any] = pickles.loads) -> Any:  # noqa: ANN401 - any admitted type
    """Read an .npy file, an array or one pickled value, running nothing from it; `loads` reads what is pickled.

    Raises UserError where the file is missing, cut short, or names anything but plain containers and arrays.
    """
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            return _read(file, size, loads)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder where an .npy file was expected") from None
    except pickle.UnpicklingError as error:
        raise UserError(f"refused to read {path}: {error}") from None
    except Exception as error:  # noqa: BLE001 - a damaged file can raise almost anything
        raise UserError(f"{path} is damaged or not an .npy file ({_line(error)}): copy it again") from None


def read_npz(path: Path, names: tuple[str, ...] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file, all of them or those of these names that it has.

    Raises UserError where the file is missing, cut short, unpacks to more than 8 GiB, or holds objects that are not
    plain.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            wanted = [name for name in members if names is None or name in names]
            total = sum(members[name].file_size for name in wanted)
            if total > MAX_BYTES:
                raise UserError(f"{path} unpacks to {total / 2**30:.0f} GiB, more than is read: split it")
            arrays = {}
            for name in wanted:
                with archive.open(members[name]) as file:
                    arrays[name] = _read(file, members[name].file_size)
            return arrays
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder where an .npz file was expected") from None
    except pickle.UnpicklingError as error:
        raise UserError(f"refused to read {path}: {error}") from None
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file can raise almost anything
        raise UserError(f"{path} is damaged or not an .npz file ({_line(error)}): copy it again") from None


def _read(
    file: BinaryIO, size: int, loads: Callable[[bytes], Any] = pickles.loads
) -> Any:  # noqa: ANN401 - an array, or what a pickle holds
    """Return what an .npy file of `size` bytes holds."""
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(file)
    rest = file.read(size + 1)
    if dtype.hasobject:
        if dtype != np.dtype(object):
            raise pickle.UnpicklingError("it has a structured array of objects, which no such file needs")
        held = loads(rest)
        return held.item() if shape == () and isinstance(held, np.ndarray) and held.shape == () else held
    if dtype.names is not None or dtype.subdtype is not None or not dtype.itemsize and math.prod(shape):
        raise pickle.UnpicklingError("it has a structured array, which no such file needs")
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise ValueError(f"its header says {math.prod(shape) * dtype.itemsize} bytes of data, and it has {len(rest)}")
    return np.frombuffer(bytearray(rest), dtype).reshape(shape, order="F" if fortran else "C")


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
