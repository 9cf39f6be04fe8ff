"""Pickles read without running, or trusting, anything in them.

A pickle is a program: it names functions and calls them. This reader knows the operations that plain containers,
numbers, texts and numpy arrays need and refuses the rest. What stands for numpy is built from checked parts
(`pickled_arrays`). What it may make is bounded by the size of its file.
"""

import codecs
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from skeleton2stage.pickled_arrays import (
    PickledArray,
    PickledType,
    from_buffer,
    give_array_state,
    reconstruct,
    scalar,
)
from skeleton2stage.read_boundary import most_unpacked

MAX_DEPTH = 100  # containers within containers; the field's files have at most ten
# A file may name the same container many times over, which costs it nothing and its reader everything.
LEAST_EXPANDED, EXPANSION = 10_000_000, 100

_NUMPY_MODULES = (
    "numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric"
)
_BUILTINS = ("builtins", "__builtin__")  # Python 3's name, and Python 2's
_TEXT_CODECS = ("latin1", "latin-1", "utf-8", "utf8", "ascii")


class _Named:
    """A function or class that a file may name, and what is done in its place when it is called."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name, self.call = name, call


def _encode(text: object = "", codec: object = "utf-8") -> bytes:
    # How Python 2's files carry bytes. Other codecs unpack, and a few bytes become gigabytes.
    if not isinstance(text, str) or codec not in _TEXT_CODECS:
        raise pickle.UnpicklingError(f"it encodes by {codec!r}")
    return text.encode(codec)


def _known() -> dict[tuple[str, str], _Named]:
    known: dict[tuple[str, str], Any] = {("_codecs", "encode"): _encode}
    for module in _NUMPY_MODULES:
        known |= {
            (module, "dtype"): PickledType, (module, "ndarray"): PickledArray, (module, "_reconstruct"): reconstruct,
            (module, "scalar"): scalar, (module, "_frombuffer"): from_buffer,
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
    arguments and given its state, by `__setstate__` where it has one. `n_bytes` is the size of the file that it bounds
    what is made by, where `file` is a part of one.
    """

    dispatch = dict(pickle._Unpickler.dispatch)  # noqa: SLF001
    calls: dict[tuple[str, str], Callable[..., Any]] = {}  # what a subclass knows besides, by (module, name)

    def __init__(
        self, file: io.BytesIO, admitted: dict[tuple[str, str], type] | None = None, encoding: str = "latin1",
        n_bytes: int | None = None,
    ) -> None:
        super().__init__(file, encoding=encoding)
        self.file, self.admitted = file, admitted or {}
        self.room = most_unpacked(len(file.getbuffer()) if n_bytes is None else n_bytes)

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
        arguments = tuple(PickledArray if isinstance(a, _Named) and a.call is PickledArray else a for a in arguments)
        wanted = _CONTENT.get(function.call)
        if wanted and not (len(arguments) <= 2 and all(isinstance(a, (*wanted, str)) for a in arguments)):
            raise pickle.UnpicklingError(f"it makes a {function.name} of something else")
        if function.call is complex and not all(isinstance(a, float | int) for a in arguments):
            raise pickle.UnpicklingError("it makes a complex number of something else")
        return self.bounded(function.call(*arguments))

    def bounded(self, made: Any) -> Any:  # noqa: ANN401 - what a call made
        """Return what a call made, while all that calls made is not far larger than the file.

        A file may have the same bytes made into array after array, at a few bytes a call.
        """
        sized = isinstance(made, str | bytes | bytearray)
        self.room -= made.nbytes if isinstance(made, np.ndarray) else len(made) if sized else _container_bytes(made)
        if self.room < 0:
            raise pickle.UnpicklingError("it makes the same things many times over")
        return made

    def _line(self) -> memoryview:
        """Return the rest of the line without a copy: SMPL's files of protocol 0 have lines of 300 MB."""
        if self._unframer.current_frame:
            return memoryview(self.readline())[:-1]
        content, start = self.file.getvalue(), self.file.tell()  # the file's own bytes, not a copy of them
        end = content.find(b"\n", start)
        if end < 0:
            raise EOFError("its last line is cut short")
        self.file.seek(end + 1)
        return memoryview(content)[start:end]

    def load_string(self) -> None:
        """Put a text of Python 2 on the stack, which is quoted and has its bytes escaped."""
        line = self._line()
        if len(line) < 2 or line[0] != line[-1] or line[0] not in b"\"'":
            raise pickle.UnpicklingError("it has a text without quotes")
        self.append(self._decode_string(codecs.escape_decode(line[1:-1])[0]))

    dispatch[pickle.STRING[0]] = load_string

    def load_unicode(self) -> None:
        """Put a text on the stack whose characters are escaped."""
        self.append(codecs.raw_unicode_escape_decode(self._line())[0])

    dispatch[pickle.UNICODE[0]] = load_unicode

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
            give_array_state(target, state)
            self.bounded(target)
        elif isinstance(target, PickledType):
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


def _container_bytes(made: object) -> int:
    return 8 * len(made) if isinstance(made, list | tuple | set | frozenset | dict) else 0


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
    if isinstance(item, _Named | PickledType) or item is PickledArray:
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
