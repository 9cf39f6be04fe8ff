"""Pickles read without running, or trusting, anything in them.

A pickle is a program: it names functions and calls them. This reader knows the operations that plain containers,
numbers, texts and numpy arrays need and refuses the rest. What stands for numpy is built from checked parts: numpy's
own `__setstate__` believes what it is told, so that a file could have its bytes taken for pointers to objects.
"""

import io
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_DEPTH = 100  # containers within containers; the field's files have at most ten
MAX_DIMENSIONS = 32
MAX_TEXT_TYPE = 1 << 16  # characters of one element of a text array
# A file may name the same container many times over, which costs it nothing and its reader everything.
LEAST_EXPANDED, EXPANSION = 10_000_000, 100

_TYPE_CODE = re.compile(r"[<>|=]?(?:[biufc](?:1|2|4|8|16)|\?|O8?|[SU]\d{1,9})")
_NUMPY_MODULES = (
    "numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric"
)
_BUILTINS = ("builtins", "__builtin__")  # Python 3's name, and Python 2's
_TEXT_CODECS = ("latin1", "latin-1", "utf-8", "utf8", "ascii")


class _Named:
    """A function or class that a file may name, and what is done in its place when it is called."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name, self.call = name, call


class _Type:
    """What a file says of an array's type, until the byte order that follows is known."""

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


class _Array:
    """Marks the class of arrays, which files name as an argument."""


def _reconstruct(cls: object, *_: object) -> np.ndarray:
    if cls is not _Array:
        raise pickle.UnpicklingError("it makes an array of something else")
    return np.empty(0, np.uint8)


def _array_state(array: np.ndarray, state: object) -> None:
    """Fill an empty array by a state (version, shape, type, Fortran's order, content) whose parts agree."""
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise pickle.UnpicklingError("it has an array without a proper state")
    shape, kind, fortran, content = state[-4:]
    count = element_count(shape)
    if not isinstance(kind, _Type) or not isinstance(fortran, bool | int):
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


def _scalar(kind: object, content: object = b"") -> Any:  # noqa: ANN401 - one of numpy's scalars
    content = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(kind, _Type) or kind.dtype.hasobject or not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError("it has a number without a proper type")
    if not kind.dtype.itemsize or len(content) != kind.dtype.itemsize:
        raise pickle.UnpicklingError("it has a number whose type and content differ")
    return np.frombuffer(bytes(content), kind.dtype)[0]


def _from_buffer(content: object, kind: object, shape: object, order: object = "C") -> np.ndarray:
    if not isinstance(content, bytes | bytearray) or not isinstance(kind, _Type) or kind.dtype.hasobject:
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


def _encode(text: object = "", codec: object = "utf-8") -> bytes:
    # How Python 2's files carry bytes. Other codecs unpack, and a few bytes become gigabytes.
    if not isinstance(text, str) or codec not in _TEXT_CODECS:
        raise pickle.UnpicklingError(f"it encodes by {codec!r}")
    return text.encode(codec)


def _known() -> dict[tuple[str, str], _Named]:
    known: dict[tuple[str, str], Any] = {("_codecs", "encode"): _encode}
    for module in _NUMPY_MODULES:
        known |= {
            (module, "dtype"): _Type, (module, "ndarray"): _Array, (module, "_reconstruct"): _reconstruct,
            (module, "scalar"): _scalar, (module, "_frombuffer"): _from_buffer,
        }
    for module in _BUILTINS:
        known |= {(module, cls.__name__): cls for cls in (set, frozenset, list, tuple, dict, complex, bytearray)}
        known |= {(module, "object"): object, (module, "bytes"): _encode}
    known["collections", "OrderedDict"] = OrderedDict
    return {key: _Named(".".join(key), call) for key, call in known.items()}


_KNOWN = _known()
# Calls of these take no arguments but a container's content: bytearray(10**12) would be a file's way to memory.
_CONTENT = {
    set: (list,), frozenset: (list, tuple, set), list: (list, tuple), tuple: (list, tuple), dict: (list, dict),
    bytearray: (bytes, str), OrderedDict: (list, dict),
}


class Unpickler(pickle._Unpickler):  # noqa: SLF001 - the one in Python, whose operations can be replaced
    """Reads plain containers, numbers, texts, numpy arrays, and the classes it is told of.

    `admitted` maps (module, name) as written in the file to the class to use in its place; it is made without
    arguments and given its state, by `__setstate__` where it has one.
    """

    dispatch = dict(pickle._Unpickler.dispatch)  # noqa: SLF001
    calls: dict[tuple[str, str], Callable[..., Any]] = {}  # what a subclass knows besides, by (module, name)

    def __init__(
        self, file: Any, admitted: dict[tuple[str, str], type] | None = None, encoding: str = "latin1"  # noqa: ANN401
    ) -> None:
        super().__init__(file, encoding=encoding)
        self.admitted = admitted or {}

    def find_class(self, module: str, name: str) -> _Named | type:
        """Return what stands for a name; refuse names that such a file has no use for."""
        if (module, name) in self.admitted:
            return self.admitted[module, name]
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        if (module, name) in self.calls:
            return _Named(f"{module}.{name}", self.calls[module, name])
        if (module, name) in (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")):
            return _Named("_reconstructor", self._reconstructor)
        raise pickle.UnpicklingError(f"it names {module}.{name}, which such a file has no use for")

    def _reconstructor(self, cls: object, base: object, state: object = None) -> Any:  # noqa: ANN401
        # Protocols 0 and 1 make objects of new classes so.
        if not self._is_admitted(cls) or not (isinstance(base, _Named) and base.call is object) or state is not None:
            raise pickle.UnpicklingError("it makes an object of an unknown kind")
        return object.__new__(cls)

    def _is_admitted(self, cls: object) -> bool:
        return isinstance(cls, type) and any(cls is own for own in self.admitted.values())

    def _make(self, function: object, arguments: object) -> Any:  # noqa: ANN401
        if not isinstance(arguments, tuple):
            raise pickle.UnpicklingError("it calls without arguments")
        if self._is_admitted(function):
            return object.__new__(function)
        if not isinstance(function, _Named) or function.call is object:
            raise pickle.UnpicklingError(f"it calls {type(function).__name__}")
        arguments = tuple(_Array if isinstance(a, _Named) and a.call is _Array else a for a in arguments)
        wanted = _CONTENT.get(function.call)
        if wanted and not (len(arguments) <= 2 and all(isinstance(a, (*wanted, str)) for a in arguments)):
            raise pickle.UnpicklingError(f"it makes a {function.name} of something else")
        if function.call is complex and not all(isinstance(a, float | int) for a in arguments):
            raise pickle.UnpicklingError("it makes a complex number of something else")
        return function.call(*arguments)

    def load_reduce(self) -> None:
        """Make what a call stands for."""
        arguments = self.stack.pop()
        self.stack[-1] = self._make(self.stack[-1], arguments)

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self) -> None:
        """Make an object of an admitted class."""
        arguments = self.stack.pop()
        self.stack[-1] = self._make(self.stack[-1], arguments)

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_build(self) -> None:
        """Give an object its state."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, np.ndarray):
            _array_state(target, state)
        elif isinstance(target, _Type):
            target.set_state(state)
        elif self._is_admitted(type(target)):
            _give(target, state)
        else:
            raise pickle.UnpicklingError(f"it changes a {type(target).__name__}")

    dispatch[pickle.BUILD[0]] = load_build

    def _refused(self) -> None:
        raise pickle.UnpicklingError("it uses an operation that no such file needs")

    for _operation in (
        pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX, pickle.PERSID, pickle.BINPERSID, pickle.EXT1, pickle.EXT2,
        pickle.EXT4, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
    ):
        dispatch[_operation[0]] = _refused
    del _operation


def _give(target: object, state: object) -> None:
    if hasattr(type(target), "__setstate__"):
        target.__setstate__(state)
        return
    slots = state[1] if isinstance(state, tuple) and len(state) == 2 else None
    for part in (state[0] if slots is not None else state, slots):
        if part is None:
            continue
        if not isinstance(part, dict) or not all(isinstance(key, str) for key in part):
            raise pickle.UnpicklingError("it has an object without a proper state")
        target.__dict__.update(part)


def loads(content: bytes, admitted: dict[tuple[str, str], type] | None = None, encoding: str = "latin1") -> Any:  # noqa: ANN401
    """Return what a pickle holds; raise UnpicklingError for what such a file has no use for.

    Other exceptions mean a damaged file.
    """
    value = Unpickler(io.BytesIO(content), admitted, encoding).load()
    return checked(value, len(content))


def checked(value: Any, n_bytes: int) -> Any:  # noqa: ANN401 - what a pickle holds
    """Return a value if it is no bomb: not nested deeply, not within itself, not far larger than its file."""
    sizes: dict[int, int] = {}
    limit = max(LEAST_EXPANDED, EXPANSION * n_bytes)

    def size(item: object, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise pickle.UnpicklingError(f"it has containers more than {MAX_DEPTH} deep in each other")
        parts = _parts(item)
        if parts is None:
            return 1
        if id(item) not in sizes:
            sizes[id(item)] = limit + 1  # what holds itself is without end
            sizes[id(item)] = 1 + sum(size(part, depth + 1) for part in parts)
        if sizes[id(item)] > limit:
            raise pickle.UnpicklingError("it holds itself, or the same things many times over")
        return sizes[id(item)]

    size(value, 0)
    return value


def _parts(item: object) -> list | None:
    """Return what a container holds, None for what holds nothing."""
    if isinstance(item, _Named | _Type) or item is _Array:
        raise pickle.UnpicklingError("it holds a class in place of a value")
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    if isinstance(item, list | tuple | set | frozenset):
        return list(item)
    if isinstance(item, np.ndarray):
        return item.ravel().tolist() if item.dtype.hasobject else None
    if isinstance(item, str | bytes | bytearray | int | float | complex | np.generic | type(None)):
        return None
    return list(vars(item).values()) if hasattr(item, "__dict__") else None
