"""Outputs tried before the work."""

import contextlib
import os
import shutil

import pytest

from interruptions import interrupted_everywhere
from skeleton2stage import outputs
from skeleton2stage.commands import SETTINGS, settings_of
from skeleton2stage.config import load_config
from skeleton2stage.errors import UserError
from skeleton2stage.outputs import check_output
from skeleton2stage.settings import limits_of

WRITTEN = {"out", "save", "stats_out", "motion_save_root"}


@pytest.mark.parametrize("name", ["new.json", "new/folder", "there", "there/a/b/c.json", "file.json"])
def test_what_can_be_written_is_left_as_it_was(tmp_path, name):
    (tmp_path / "there").mkdir()
    (tmp_path / "file.json").write_text("earlier")
    check_output(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["file.json", "there"] and os.listdir(tmp_path / "there") == []


def test_an_interruption_at_any_moment_leaves_nothing(tmp_path):
    moments = 0
    for where in interrupted_everywhere(lambda: check_output(tmp_path / "a"), [outputs, contextlib]):
        assert os.listdir(tmp_path) == [], where
        moments += 1
    assert moments > 100


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=f"{tmp_path}/file/a/b.json cannot be written: {tmp_path}/file is no folder"):
        check_output(tmp_path / "file" / "a" / "b.json")


def test_a_dangling_link_in_the_way_is_named(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="link is no folder"):
        check_output(tmp_path / "link" / "b.json")


def test_a_folder_that_takes_nothing_is_named():
    with pytest.raises(UserError, match="/proc/1/a.json cannot be written .*give another place"):
        check_output("/proc/1/a.json")


def test_a_full_disk_is_named_with_what_is_needed(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=3_000_000)
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(UserError, match=f"{tmp_path} has 3 MB of room, and 34 MB are needed"):
        check_output(tmp_path / "a.json")


def test_all_commands_try_what_they_write(tmp_path):
    """Whichever of their settings name outputs, as the names of settings tell."""
    (tmp_path / "file").touch()
    tried = 0
    for command in SETTINGS:
        for field in settings_of(command).__dataclass_fields__.values():
            if field.name in WRITTEN and command != "train_edge":  # the trainings try their run's folder
                with pytest.raises(UserError, match="is no folder"):
                    limits_of(field).check(tmp_path / "file" / "a.json", field.name)
                tried += 1
    assert tried >= 10
    assert load_config("sample", ["music=a", "out=b"])["out"] == "b"
