"""What made a file: version and commit, in a checkout, in a copy without history, and in an installed package."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest
import torch

from skeleton2stage import files, paths, provenance
from skeleton2stage.checkpoint import load_checkpoint, save_checkpoint

CODE = Path(provenance.__file__).parent.parent
# What `write_json` itself may write: neither figures nor checkpoints.
PLAIN = {"download.py", "features.py", "library.py", "isaacgym_asset.py", "finetune_state.py", "files.py"}


@pytest.fixture(autouse=True)
def afresh():
    provenance.commit.cache_clear()
    yield
    provenance.commit.cache_clear()


@pytest.fixture
def checkout(tmp_path):
    """A git repository with one commit of one file."""
    def git(*arguments):
        name = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", *name, "-C", str(tmp_path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "file.txt").write_text("one")
    git("add", "file.txt")
    git("commit", "-qm", "first")
    return tmp_path, git("rev-parse", "HEAD")


def test_the_commit_of_a_checkout_and_whether_it_was_changed(checkout):
    folder, head = checkout
    assert provenance.commit_of(folder) == head
    (folder / "new.txt").write_text("files that git does not follow change nothing")
    assert provenance.commit_of(folder) == head
    (folder / "file.txt").write_text("two")
    assert provenance.commit_of(folder) == f"{head}-dirty"


def test_a_tag_is_not_taken_for_the_commit(checkout):
    folder, head = checkout
    subprocess.run(["git", "-C", str(folder), "tag", "v9"], check=True)
    assert provenance.commit_of(folder) == head


def test_a_copy_within_another_repository_has_no_commit(checkout):
    folder, _ = checkout
    (folder / "copy").mkdir()
    assert provenance.commit_of(folder / "copy") is None


def test_without_git_only_the_version_is_told(checkout, monkeypatch):
    folder, _ = checkout
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(paths, "REPOSITORY", folder)
    assert provenance.made_by() == {"version": provenance.VERSION}


@pytest.mark.parametrize(("noted", "expected"), [("0123abcd\n", "0123abcd"), ("\n", None), (None, None)])
def test_an_installed_package_knows_what_it_was_built_from(tmp_path, monkeypatch, noted, expected):
    shipped = tmp_path / paths.SHIPPED_FOLDER
    shipped.mkdir()
    if noted is not None:
        (shipped / paths.COMMIT_FILE).write_text(noted)
    monkeypatch.setattr(paths, "REPOSITORY", shipped)
    assert provenance.commit() == expected


def test_a_checkpoint_says_what_made_it_and_readers_do_not_meet_it(tmp_path):
    save_checkpoint(tmp_path / "model", {"a": torch.ones(2)}, {"kind": "toy", "made_by": {"version": "older"}})
    written = json.loads((tmp_path / "model.json").read_text())
    assert written == {"kind": "toy", "made_by": provenance.made_by()}
    assert load_checkpoint(tmp_path / "model")[1] == {"kind": "toy"}


def test_stamped_files_have_it_last(tmp_path):
    files.write_stamped_json(tmp_path / "figures.json", {"metrics": {}})
    assert list(files.read_json(tmp_path / "figures.json")) == ["metrics", "made_by"]


def test_whoever_writes_figures_stamps_them():
    """A new writer of JSON either stamps it or is listed here as one that writes neither figures nor checkpoints."""
    found = {
        path.name for path in CODE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("write_json")
    }
    assert found == PLAIN


def test_the_version_is_one_everywhere():
    assert re.fullmatch(r"\d+\.\d+\.\d+", provenance.VERSION)
    citation = (paths.REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {provenance.VERSION}\n" in citation
    changelog = (paths.REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {provenance.VERSION}" in changelog
