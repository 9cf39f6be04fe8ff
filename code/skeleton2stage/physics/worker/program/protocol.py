"""What both ends of the transport must agree on: version, arrays in shared memory, lines on the pipes.

One file of memory, mapped by both, holds every array; commands and answers are JSON, one object a line, over
the worker's standard input and output. Arrays are only touched by the worker between a command and its answer.
"""

import json

import numpy as np

PROTOCOL_VERSION = 1
N_JOINTS = 24
MEMORY_FILE = "arrays"
_ALIGNMENT = 64

_JOINTS = (N_JOINTS,)
_TARGETS = (N_JOINTS - 1,)
# name, type, shape of one world's share
_ARRAYS = (
    # what is set: the first n rows are worlds[:n]'s
    ("worlds", "int32", ()),
    ("set_root_pos_w", "float32", (3,)),
    ("set_quat_local", "float32", _JOINTS + (4,)),
    ("set_root_lin_vel_w", "float32", (3,)),
    ("set_ang_vel_local", "float32", _JOINTS + (3,)),
    # what drives a control step
    ("target_quat_local", "float32", _TARGETS + (4,)),
    ("wrench_w", "float32", (6,)),
    # what is read
    ("pos_w", "float32", _JOINTS + (3,)),
    ("quat_w", "float32", _JOINTS + (4,)),
    ("lin_vel_w", "float32", _JOINTS + (3,)),
    ("ang_vel_w", "float32", _JOINTS + (3,)),
    ("quat_local", "float32", _JOINTS + (4,)),
    ("ang_vel_local", "float32", _JOINTS + (3,)),
    ("diverged", "uint8", ()),
    ("actuator_torques", "float32", _TARGETS + (3,)),
    ("self_contacts", "float32", ()),
)
SET_ARRAYS = ("set_root_pos_w", "set_quat_local", "set_root_lin_vel_w", "set_ang_vel_local")
STATE_ARRAYS = ("pos_w", "quat_w", "lin_vel_w", "ang_vel_w", "quat_local", "ang_vel_local")


def array_layout(n_worlds: int) -> list:
    """Return [name, type, offset in bytes, shape] of every array for that many worlds, as JSON keeps it."""
    layout, offset = [], 0
    for name, kind, share in _ARRAYS:
        shape = [n_worlds] + list(share)
        layout.append([name, kind, offset, shape])
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        offset += -(-size // _ALIGNMENT) * _ALIGNMENT
    return layout


def memory_size(n_worlds: int) -> int:
    """Return the bytes that all arrays of that many worlds take."""
    _, kind, offset, shape = array_layout(n_worlds)[-1]
    return offset + int(np.prod(shape)) * np.dtype(kind).itemsize


def map_arrays(memory: "mmap.mmap", n_worlds: int) -> dict:  # noqa: F821 - named, not needed
    """Return every array by name, as views of the shared memory."""
    return {
        name: np.frombuffer(memory, kind, int(np.prod(shape)), offset).reshape(shape)
        for name, kind, offset, shape in array_layout(n_worlds)
    }


def encode(message: dict) -> bytes:
    """Return a message as one line."""
    return (json.dumps(message) + "\n").encode("utf-8")


def decode(line: bytes) -> dict:
    """Return the message of a line; raise ValueError where it is none."""
    message = json.loads(line.decode("utf-8"))
    if not isinstance(message, dict):
        raise ValueError(f"a message must be an object, not {message!r}")
    return message
