"""Pickles as video trackers and data sets write them: joblib's, torch's, and tensors within pickles, running nothing.

What `skeleton2stage.pickles` admits, and besides: joblib's arrays, which lie between the pickle's own operations and
may be compressed; torch's tensors, which become numpy arrays; `defaultdict`, and paths, which become texts.
"""

import bz2
import gzip
import io
import lzma
import math
import pathlib
import pickle
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

from skeleton2stage import pickles
from skeleton2stage.pickled_arrays import element_count
from skeleton2stage.read_boundary import most_unpacked

MAX_BYTES = 4 << 30  # of any file, unpacked
TORCH_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_STORAGES = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "|i1", "ByteStorage": "|u1",
    "BoolStorage": "|b1", "UntypedStorage": "|u1",
}
_COMPRESSED: dict[bytes, tuple[str, Callable[[io.BytesIO], Any]]] = {
    b"\x1f\x8b": ("gzip", lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ": ("xz", lzma.LZMAFile),
    b"\x5d\x00\x00": ("lzma", lzma.LZMAFile),
}
_LZ4 = b"\x04\x22\x4d\x18"


class _JoblibArray:
    """Stands in for joblib's NumpyArrayWrapper: says what array follows it in the file."""

    def read(self, file: io.BytesIO) -> np.ndarray:
        """Return the array that begins where the file stands."""
        state = vars(self)
        kind, shape, order = state.get("dtype"), state.get("shape"), state.get("order")
        dtype = getattr(kind, "dtype", None)
        if not isinstance(dtype, np.dtype) or order not in ("C", "F"):
            raise pickle.UnpicklingError("it has an array without a proper state")
        if dtype.hasobject:
            return ToolUnpickler(file).load()
        if state.get("numpy_array_alignment_bytes") is not None:
            file.read(int.from_bytes(file.read(1), "little"))
        n_bytes = element_count(shape) * dtype.itemsize
        content = file.read(n_bytes)
        if len(content) != n_bytes or not dtype.itemsize:
            raise EOFError("its last array is cut short")
        return np.frombuffer(bytearray(content), dtype).reshape(tuple(shape), order=order)


def _tensor(storage: object, offset: object = 0, size: object = (), stride: object = (), *_: object) -> np.ndarray:
    """Return the array of a tensor over a storage [N], every number within it checked."""
    numbers = (offset, *size, *stride)
    if not isinstance(storage, np.ndarray) or storage.ndim != 1 or len(size) != len(stride):
        raise pickle.UnpicklingError("it has a tensor without a storage")
    if not all(type(number) is int and 0 <= number < 1 << 40 for number in numbers):
        raise pickle.UnpicklingError(f"it has a tensor of shape {str(size)[:60]}")
    _check_repeats(math.prod(size) * storage.itemsize, storage.nbytes)
    if not math.prod(size):
        return np.empty(size, storage.dtype)
    if offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) >= len(storage):
        raise pickle.UnpicklingError("it has a tensor that reaches out of its storage")
    steps = tuple(step * storage.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], tuple(size), steps).copy()


def _check_repeats(n_bytes: int, stored: int) -> None:
    """Raise UnpicklingError where a tensor repeats what is stored of it far more often than such files do."""
    if n_bytes > most_unpacked(stored):
        raise pickle.UnpicklingError("it has a tensor that repeats a few numbers many times over")


def _storage(name: str, content: bytes) -> np.ndarray:
    """Return the numbers of a torch storage, by its class's name."""
    kind = _STORAGES[name.rsplit(".", 1)[-1]]
    if kind == "bfloat16":  # the upper half of a float32, which numpy has no type for
        return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(content, kind)


def _storage_of_bytes(content: object) -> np.ndarray:
    """Return the storage that torch wrote into a pickle, in its old form."""
    if not isinstance(content, bytes):
        raise pickle.UnpicklingError("it has a tensor without a storage")
    held = _load_legacy(content)
    tensor = torch.tensor([], dtype=held.dtype).set_(held._untyped_storage)  # .untyped() warns
    return _as_arrays(tensor)


def _load_legacy(content: bytes) -> Any:  # noqa: ANN401 - whatever a tool wrote
    """Return what torch's own restricted reader makes of its old form, without its advice to trust the file."""
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 - a damaged file can raise almost anything
        raise pickle.UnpicklingError(
            "it is in torch's old form, and damaged or of more than tensors: save it again by torch.save"
        ) from None


def _path(*parts: object) -> str:
    if not all(isinstance(part, str) for part in parts):
        raise pickle.UnpicklingError("it has a path of something else than texts")
    return str(pathlib.PurePosixPath(*parts))


def _no_call(*_: object) -> None:
    raise pickle.UnpicklingError("it calls a kind of storage")


_CALLS: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "defaultdict"): lambda *_: {},
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
    ("torch.storage", "_load_from_bytes"): _storage_of_bytes,
    ("torch", "Size"): lambda sizes=(): tuple(sizes),
    ("torch", "device"): lambda *names: ":".join(map(str, names)),
    **{("torch", name): _no_call for name in _STORAGES},
    ("torch.storage", "UntypedStorage"): _no_call,
    **{(module, name): _path for module in ("pathlib", "pathlib._local")
       for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath", "Path")},
}


class ToolUnpickler(pickles.Unpickler):
    """Reads what tools pickle; `storages` gives the bytes of a torch storage by its key."""

    dispatch = dict(pickles.Unpickler.dispatch)
    calls = _CALLS

    def __init__(
        self, file: io.BytesIO, storages: Callable[[str], bytes] | None = None, n_bytes: int | None = None
    ) -> None:
        super().__init__(file, {("joblib.numpy_pickle", "NumpyArrayWrapper"): _JoblibArray}, n_bytes=n_bytes)
        self.storages = storages

    def load_build(self) -> None:
        """Give an object its state; joblib's arrays follow it in the file."""
        super().load_build()
        if isinstance(self.stack[-1], _JoblibArray):
            self.stack[-1] = self.stack[-1].read(self.file)

    dispatch[pickle.BUILD[0]] = load_build

    def load_binpersid(self) -> None:
        """Put a torch storage in the place of its name."""
        name = self.stack.pop()
        if self.storages is None or not isinstance(name, tuple) or len(name) < 3 or name[0] != "storage":
            raise pickle.UnpicklingError("it names something outside itself")
        kind = getattr(name[1], "name", "")
        if kind.rsplit(".", 1)[-1] not in _STORAGES:
            raise pickle.UnpicklingError("it has a tensor of an unknown kind")
        self.stack.append(self.bounded(_storage(kind, self.storages(str(name[2])))))

    dispatch[pickle.BINPERSID[0]] = load_binpersid


def loads(content: bytes) -> Any:  # noqa: ANN401 - whatever a tool wrote
    """Return what a pickle, a joblib file, compressed or not, or a file of torch.save's holds.

    Raises UnpicklingError for what such a file has no use for; other exceptions mean a damaged file.
    """
    n_bytes = len(content)
    content = unpacked(content)
    if content.startswith(b"PK\x03\x04"):
        return _torch_archive(content)
    if content.startswith(TORCH_LEGACY):
        return pickles.checked(_as_arrays(_load_legacy(content)), len(content))
    return pickles.checked(ToolUnpickler(io.BytesIO(content), n_bytes=n_bytes).load(), len(content))


def unpacked(content: bytes) -> bytes:
    """Return content without joblib's compression, if it has any; raise UnpicklingError for lz4 and for bombs."""
    if content.startswith(_LZ4):
        raise pickle.UnpicklingError("it is compressed by lz4: save it again by joblib.dump(content, file)")
    most = min(MAX_BYTES, most_unpacked(len(content)))
    if content[:1] == b"x" and len(content) > 2 and int.from_bytes(content[:2], "big") % 31 == 0:
        packed = zlib.decompressobj()
        plain, more = packed.decompress(content, most), packed.unconsumed_tail
        if not packed.eof and not more:
            raise EOFError("it is cut short")
    else:
        opener = next((opener for start, (_, opener) in _COMPRESSED.items() if content.startswith(start)), None)
        if opener is None:
            return content
        with opener(io.BytesIO(content)) as file:
            plain, more = file.read(most), file.read(1)
    if more:
        raise pickle.UnpicklingError(f"it unpacks to more than {most >> 20} MiB: it is damaged, or to be split")
    return plain


def _torch_archive(content: bytes) -> Any:  # noqa: ANN401 - whatever a tool wrote
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = {info.filename: info for info in archive.infolist()}
        root = next((name for name in names if name.endswith("/data.pkl")), None)
        if root is None:
            raise ValueError("it is an archive without data.pkl")
        most = min(MAX_BYTES, most_unpacked(len(content)))
        if sum(info.file_size for info in names.values()) > most:
            raise pickle.UnpicklingError(f"it unpacks to more than {most >> 20} MiB: it is damaged, or to be split")
        storages = cache(lambda key: archive.read(f"{root.removesuffix('data.pkl')}data/{key}"))
        unpickler = ToolUnpickler(io.BytesIO(archive.read(root)), storages, len(content))
        return pickles.checked(unpickler.load(), len(content))


def _as_arrays(value: Any) -> Any:  # noqa: ANN401 - whatever a tool wrote
    """Return nested containers with numpy arrays in the place of tensors."""
    if isinstance(value, torch.Tensor):
        _check_repeats(value.nbytes, value.untyped_storage().nbytes())
        return (value.float() if value.dtype == torch.bfloat16 else value).detach().numpy()
    if isinstance(value, dict):
        return {key: _as_arrays(part) for key, part in value.items()}
    return type(value)(_as_arrays(part) for part in value) if type(value) in (list, tuple) else value
