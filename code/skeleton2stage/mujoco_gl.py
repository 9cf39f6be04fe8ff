"""The variable MUJOCO_GL, kept from MuJoCo where it would stop MuJoCo's import.

MuJoCo binds the OpenGL library that it names when it is imported, and fails there where the library is missing or the
name is none of its own. Most commands never draw, and those that do say in a sentence what is wrong.
"""

import ctypes
import os

VARIABLE = "MUJOCO_GL"
_KEPT = "S2S_MUJOCO_GL"  # what it was
_OFF = "disable"  # MuJoCo's own word for binding none
_LIBRARIES = {
    "egl": ("libEGL.so.1", "libEGL.so"), "osmesa": ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"),
}
_BIND_NOTHING = ("", "enable", "enabled", "on", "true", "1", "glfw", "glx", "disable", "disabled", "off", "false", "0")


def keep_mujoco_importable() -> None:
    """Have MuJoCo bind no library where the one that MUJOCO_GL names cannot be loaded; `wanted` still tells it."""
    name = _plain(os.environ.get(VARIABLE))
    if name in _BIND_NOTHING or any(_loads(library) for library in _LIBRARIES.get(name, ())):
        return
    os.environ[_KEPT], os.environ[VARIABLE] = os.environ[VARIABLE], _OFF


def wanted() -> str:
    """Return what the user has set MUJOCO_GL to, in small letters; empty where it is not set."""
    name = _plain(os.environ.get(VARIABLE))
    return _plain(os.environ.get(_KEPT)) or name if name == _OFF else name


def _plain(value: str | None) -> str:
    return (value or "").strip().lower()


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
