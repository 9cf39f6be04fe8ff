"""The container of glTF 2.0 binary files (.glb): arrays as accessors of one buffer, and a JSON that names them.

Khronos Group, "glTF 2.0 Specification", sections 3.6 and 4.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage.files import atomic_path

_MAGIC, _VERSION, _JSON, _BINARY = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
_COMPONENTS = {"float32": 5126, "uint32": 5125, "uint16": 5123, "uint8": 5121}
_KINDS = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
VERTICES, INDICES = 34962, 34963  # what a buffer view is for, by OpenGL's numbers
_ALIGNMENT = 4


class GlbBuffer:
    """The binary part of a file, and the accessors and views that say what is in it."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []

    def add(self, array: np.ndarray, target: int | None = None, bounds: bool = False) -> int:
        """Append an array [N] or [N, 3], [N, 4], [N, 4, 4] and return its accessor's number.

        Matrices are given row by row and stored column by column. bounds: whether least and largest values are told,
        as positions and times must.
        """
        kind, component = _KINDS[array.shape[1:]], _COMPONENTS[array.dtype.name]
        self._bytes += b"\0" * (-len(self._bytes) % _ALIGNMENT)
        stored = np.ascontiguousarray(array.swapaxes(1, 2) if array.ndim == 3 else array)
        view = {"buffer": 0, "byteOffset": len(self._bytes), "byteLength": stored.nbytes}
        self._bytes += stored.tobytes()
        self._views.append(view if target is None else view | {"target": target})
        accessor = {"bufferView": len(self._views) - 1, "componentType": component, "count": len(array), "type": kind}
        if bounds:
            rows = array.reshape(len(array), -1)
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self._accessors.append(accessor)
        return len(self._accessors) - 1

    def write(self, path: Path, content: dict[str, Any]) -> None:
        """Write the file atomically: the rest of its JSON, to which buffers, views and accessors are added."""
        content = content | {
            "buffers": [{"byteLength": len(self._bytes)}], "bufferViews": self._views, "accessors": self._accessors,
        }
        text = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
        chunks = _chunk(_JSON, text, b" ") + _chunk(_BINARY, bytes(self._bytes), b"\0")
        with atomic_path(path) as temporary:
            temporary.write_bytes(struct.pack("<III", _MAGIC, _VERSION, 12 + len(chunks)) + chunks)


def _chunk(kind: int, content: bytes, filler: bytes) -> bytes:
    content += filler * (-len(content) % _ALIGNMENT)
    return struct.pack("<II", len(content), kind) + content
