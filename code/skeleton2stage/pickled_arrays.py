"""What stands for numpy's arrays, types and numbers where a pickle is read: built from checked parts.

numpy's own `__setstate__` believes what it is told, so that a file could have its bytes taken for pointers to objects.
"""

import pickle
import re
from typing import Any

import numpy as np

MAX_DIMENSIONS = 32
MAX_TEXT_TYPE = 1 << 16  # characters of one element of a text array
_TYPE_CODE = re.compile(r"[<>|=]?(?:[biufc](?:1|2|4|8|16)|\?|O8?|[SU]\d{1,9})")


class PickledType:
    """What a file says of an array's type, until the byte order that follows is known.

    dtype: numpy's type. Raises UnpicklingError for codes that such files have no use for.
    """

    def __init__(self, code: object = None, *_: object) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or not _TYPE_CODE.fullmatch(code):
            raise pickle.UnpicklingError(f"it has an array of type {code!r}, which no such file needs")
        self.dtype = np.dtype(code)
        if self.dtype.kind in "SU" and self.dtype.itemsize > 4 * MAX_TEXT_TYPE:
            raise pickle.UnpicklingError(f"it has an array of type {code!r}, whose elements are too long")

    def set_state(self, state: object) -> None:
        """Take the byte order from a state and nothing else; refuse fields and nested arrays."""
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("it has a structured array, which no such file needs")
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"it has an array of byte order {order!r}")
        if order in "<>":
            self.dtype = self.dtype.newbyteorder(order)


class PickledArray:
    """Marks the class of arrays, which files name as an argument."""


def reconstruct(cls: object, *_: object) -> np.ndarray:
    """Return an empty array, whose state follows; refuse another class."""
    if cls is not PickledArray:
        raise pickle.UnpicklingError("it makes an array of something else")
    return np.empty(0, np.uint8)


def give_array_state(array: np.ndarray, state: object) -> None:
    """Fill an empty array by a state (version, shape, type, Fortran's order, content) whose parts agree."""
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise pickle.UnpicklingError("it has an array without a proper state")
    shape, kind, fortran, content = state[-4:]
    count = element_count(shape)
    if not isinstance(kind, PickledType) or not isinstance(fortran, bool | int):
        raise pickle.UnpicklingError("it has an array without a proper state")
    dtype = kind.dtype
    if dtype.hasobject:
        if not isinstance(content, list) or len(content) != count:
            raise pickle.UnpicklingError("it has an array of objects whose shape and content differ")
    else:
        content = content.encode("latin1") if isinstance(content, str) else content
        if not isinstance(content, bytes | bytearray) or len(content) != count * dtype.itemsize:
            raise pickle.UnpicklingError("it has an array whose shape and content differ")
        content = bytes(content)
        if count and not dtype.itemsize:
            raise pickle.UnpicklingError("it has an array of nothing")
    # In place, since the file may already have pointed at the array.
    array.__setstate__((1, tuple(shape), dtype, bool(fortran), content))


def scalar(kind: object, content: object = b"") -> Any:  # noqa: ANN401 - one of numpy's scalars
    """Return the number of a type that some bytes are; refuse bytes of another length."""
    content = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(kind, PickledType) or kind.dtype.hasobject or not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError("it has a number without a proper type")
    if not kind.dtype.itemsize or len(content) != kind.dtype.itemsize:
        raise pickle.UnpicklingError("it has a number whose type and content differ")
    return np.frombuffer(bytes(content), kind.dtype)[0]


def from_buffer(content: object, kind: object, shape: object, order: object = "C") -> np.ndarray:
    """Return the array of a type and shape that some bytes are; refuse bytes of another length."""
    if not isinstance(content, bytes | bytearray) or not isinstance(kind, PickledType) or kind.dtype.hasobject:
        raise pickle.UnpicklingError("it has an array without a proper state")
    if order not in ("C", "F") or not kind.dtype.itemsize or len(content) != element_count(shape) * kind.dtype.itemsize:
        raise pickle.UnpicklingError("it has an array whose shape and content differ")
    return np.frombuffer(bytes(content), kind.dtype).reshape(tuple(shape), order=order).copy(order="K")


def element_count(shape: object) -> int:
    """Return the number of elements of a shape; refuse what is none."""
    plain = isinstance(shape, tuple | list) and len(shape) <= MAX_DIMENSIONS
    if not plain or not all(type(size) is int and 0 <= size < 1 << 40 for size in shape):
        raise pickle.UnpicklingError(f"it has an array of shape {str(shape)[:60]}")
    count = 1
    for size in shape:
        count *= size
    return count
