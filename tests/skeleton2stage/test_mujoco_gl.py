"""Whatever MUJOCO_GL says, commands that do not draw run, and those that do say a sentence."""

import os
import subprocess
import sys

import pytest

from skeleton2stage import mujoco_gl, paths

CODE = paths.REPOSITORY / "code"
SAYS = "from skeleton2stage.errors import UserError\ntry:\n    {}\nexcept UserError as error:\n    print(error)"


def run(code, **variables):
    kept = {name: value for name, value in os.environ.items() if name not in ("MUJOCO_GL", "S2S_MUJOCO_GL")}
    environment = kept | {"PYTHONPATH": str(CODE)} | variables
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("value", ["osmesa", "EGL", "vulkan"])
def test_mujoco_can_be_imported_and_drawing_says_what_is_wrong(value):
    said = SAYS.format("import skeleton2stage.render.gl as gl; gl.works = lambda name: False; gl.backend()")
    hidden = "import skeleton2stage.mujoco_gl as m; m._loads = lambda library: False; m.keep_mujoco_importable()\n"
    result = run(hidden + "import mujoco; print(mujoco.mj_versionString() > '')\n" + said, MUJOCO_GL=value)
    assert result.returncode == 0, result.stderr
    unknown, missing = "unknown MUJOCO_GL 'vulkan'", f"cannot draw: {value.lower()} found no working OpenGL library"
    imported, sentence = result.stdout.splitlines()
    assert imported == "True" and sentence.startswith(unknown if value == "vulkan" else missing)


@pytest.mark.parametrize(("value", "loads", "expected"), [
    ("osmesa", False, "disable"), ("osmesa", True, "osmesa"), (" OSMesa ", False, "disable"), ("egl", True, "egl"),
    ("nonsense", True, "disable"), ("glfw", False, "glfw"), ("off", False, "off"), ("", False, ""),
])
def test_it_is_kept_from_mujoco_only_where_it_would_stop_it(monkeypatch, value, loads, expected):
    monkeypatch.setenv("MUJOCO_GL", value)
    monkeypatch.setenv("S2S_MUJOCO_GL", "")
    monkeypatch.setattr(mujoco_gl, "_loads", lambda library: loads)
    mujoco_gl.keep_mujoco_importable()
    assert os.environ["MUJOCO_GL"] == expected
    assert mujoco_gl.wanted() == value.strip().lower()


def test_what_is_set_later_counts(monkeypatch):
    monkeypatch.setenv("S2S_MUJOCO_GL", "osmesa")
    monkeypatch.setenv("MUJOCO_GL", "egl")
    assert mujoco_gl.wanted() == "egl"
    monkeypatch.delenv("MUJOCO_GL")
    assert mujoco_gl.wanted() == ""
