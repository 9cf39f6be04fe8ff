"""Files that are there whole or not at all."""

import contextlib
import errno
import os
import time

import pytest

from interruptions import interrupted_everywhere
from skeleton2stage import files, outputs
from skeleton2stage.errors import UserError
from skeleton2stage.files import OLD_S, atomic_path, read_json, write_json, write_text
from skeleton2stage.motion.formats.file_listing import motion_files
from skeleton2stage.music.audio import audio_in
from skeleton2stage.outputs import TEMPORARY


def test_a_file_is_replaced_whole_and_with_the_rights_of_a_new_one(tmp_path):
    path = tmp_path / "new" / "a.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path) == {"a": 2} and os.listdir(path.parent) == ["a.json"]
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_fails_midway_leaves_the_one_before(tmp_path):
    write_text(tmp_path / "a.txt", "before")
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "before" and os.listdir(tmp_path) == ["a.txt"]


def test_an_interruption_at_any_moment_leaves_a_whole_file_and_nothing_besides(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "before")
    found = []
    for where in interrupted_everywhere(lambda: write_text(path, "after"), [files, outputs, contextlib]):
        assert os.listdir(tmp_path) == ["a.txt"], where
        found.append(path.read_text())
    changed = found.index("after")
    assert 100 < changed < len(found) - 1  # an interruption that comes too late to keep it back is one too
    assert set(found[:changed]) == {"before"} and set(found[changed:]) == {"after"}


def test_the_disk_has_it_before_the_name_and_the_name_before_it_is_said(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def flushed(handle):
        done.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", lambda old, new: (done.append("renamed"), replace(old, new)))
    write_text(tmp_path / "a.txt", "text")
    assert TEMPORARY in done[0] and done[1:] == ["renamed", str(tmp_path)]


def test_readers_pass_over_what_is_being_written(tmp_path):
    for suffix in (".pkl", ".wav"):
        (tmp_path / f"a{suffix}").touch()
        with atomic_path(tmp_path / f"b{suffix}"):
            assert [path.name for path in (motion_files if suffix == ".pkl" else audio_in)(tmp_path)] == [f"a{suffix}"]


def test_what_kills_left_goes_when_it_is_old(tmp_path):
    old, young = tmp_path / f"{TEMPORARY}old.pkl", tmp_path / f"{TEMPORARY}young.pkl"
    for path in (old, young):
        path.touch()
    os.utime(old, (time.time() - OLD_S - 60,) * 2)
    write_text(tmp_path / "a.txt", "text")
    assert sorted(os.listdir(tmp_path)) == [young.name, "a.txt"]


def test_a_long_name_is_no_longer_while_it_is_written(tmp_path):
    path = tmp_path / ("x" * 250 + ".txt")
    write_text(path, "text")
    assert path.read_text() == "text"


def test_the_machines_refusal_names_the_file_and_not_its_temporary_one(tmp_path):
    with pytest.raises(OSError) as caught, atomic_path(tmp_path / "a.npz") as temporary:
        raise OSError(errno.ENOSPC, "No space left on device", str(temporary))
    assert caught.value.filename == str(tmp_path / "a.npz")


def test_a_librarys_own_words_for_a_full_disk_are_the_machines(tmp_path, monkeypatch):
    def write():
        with atomic_path(tmp_path / "a.pt"):
            raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 832 vs 726")

    with pytest.raises(RuntimeError, match="enforce fail"):
        write()
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write()
    assert caught.value.filename == str(tmp_path / "a.pt") and os.listdir(tmp_path) == []


def test_json_that_is_none_is_a_sentence(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(ValueError):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()
