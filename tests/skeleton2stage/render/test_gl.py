import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.render import gl


@pytest.fixture(autouse=True)
def forget_the_choice():
    gl.backend.cache_clear()
    yield
    gl.backend.cache_clear()


def test_all_backends_are_tried_unless_the_user_names_one(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    assert gl.candidates() == ("egl", "osmesa")
    monkeypatch.setenv("MUJOCO_GL", "OSMesa")
    assert gl.candidates() == ("osmesa",)


def test_a_wrong_mujoco_gl_lists_the_right_ones(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "vulkan")
    with pytest.raises(UserError, match="'vulkan': choose one of egl, osmesa"):
        gl.backend()


def test_falls_back_to_the_second_and_probes_once(monkeypatch):
    tried = []
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "works", lambda name: tried.append(name) or name == "osmesa")
    assert gl.backend() == gl.backend() == "osmesa"
    assert tried == ["egl", "osmesa"]


def test_says_what_to_install_where_nothing_works(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "works", lambda name: False)
    with pytest.raises(UserError, match="install libegl1 and libgl1-mesa-dri, or libosmesa6"):
        gl.backend()


def test_a_probe_that_crashes_or_hangs_is_a_no(monkeypatch):
    monkeypatch.setattr(gl, "_PROBE", "import os; os.abort()  # {name}")
    assert not gl.works("egl")
    monkeypatch.setattr(gl, "_PROBE", "import time; time.sleep(30)  # {name}")
    monkeypatch.setattr(gl, "PROBE_TIMEOUT_S", 0.2)
    assert not gl.works("egl")
