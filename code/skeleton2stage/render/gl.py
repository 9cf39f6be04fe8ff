"""Drawing without a screen: find out whether EGL or OSMesa works here, and open a context with it."""

import importlib
import os
import subprocess
import sys
from functools import lru_cache
from typing import Protocol

from skeleton2stage import mujoco_gl
from skeleton2stage.errors import UserError, unknown_name

BACKENDS = ("egl", "osmesa")
PROBE_TIMEOUT_S = 60.0
INSTALL_HINT = "install libegl1 and libgl1-mesa-dri, or libosmesa6 (Debian's names)"
# Which library PyOpenGL binds is decided once a process, by these.
_BINDING_VARIABLES = (mujoco_gl.VARIABLE, "PYOPENGL_PLATFORM")
_PROBE = """
import mujoco
from mujoco.{name} import GLContext
context = GLContext(16, 16)
context.make_current()
model = mujoco.MjModel.from_xml_string("<mujoco/>")
mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
"""


class GLContext(Protocol):
    """An offscreen OpenGL context, as MuJoCo's Python package makes them."""

    def make_current(self) -> None:
        """Make the context the thread's current one."""

    def free(self) -> None:
        """Give its resources back."""


def works(name: str) -> bool:
    """Return whether a backend can draw here, tried in a process of its own.

    A broken driver may crash, and a failed attempt leaves PyOpenGL bound to the wrong library.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _BINDING_VARIABLES}
    command = [sys.executable, "-c", _PROBE.format(name=name)]
    try:
        result = subprocess.run(command, env=environment, capture_output=True, timeout=PROBE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def candidates() -> tuple[str, ...]:
    """Return the backends to try: the one that MUJOCO_GL names, or all; UserError where it names another."""
    name = mujoco_gl.wanted()
    if name and name not in BACKENDS:
        raise unknown_name(mujoco_gl.VARIABLE, name, list(BACKENDS))
    return (name,) if name else BACKENDS


@lru_cache(maxsize=1)
def backend() -> str:
    """Return the first backend that works, found once a process; raise UserError where none does."""
    tried = candidates()
    for name in tried:
        if works(name):
            return name
    raise UserError(f"cannot draw: {' and '.join(tried)} found no working OpenGL library; {INSTALL_HINT}")


def open_context(width: int, height: int) -> GLContext:
    """Return a current context with an offscreen buffer of the given size in pixels."""
    context = importlib.import_module(f"mujoco.{backend()}").GLContext(width, height)
    context.make_current()
    return context
