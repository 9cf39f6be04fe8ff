"""Trackers of a training."""

import importlib.util
import os

import pytest
import torch

from logged_curves import points
from skeleton2stage.curves import NOWHERE, TRACKERS, open_curves
from skeleton2stage.errors import UserError

CPU = torch.device("cpu")


@pytest.mark.parametrize(("given", "expected"), [(None, "offline"), ("disabled", "disabled")])
def test_nothing_is_uploaded_unless_asked_for(tmp_path, monkeypatch, given, expected):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    if given is not None:
        monkeypatch.setenv("WANDB_MODE", given)
    with open_curves(tmp_path, ["tensorboard"], CPU):
        assert os.environ.pop("WANDB_MODE") == expected


def test_figures_become_curves_in_the_runs_folder(tmp_path):
    with open_curves(tmp_path, ["tensorboard"], CPU) as curves:
        curves.log({"loss": 0.5, "reward/total": 2.0}, 1)
        curves.log({"loss": 0.25}, 3)
    assert points(tmp_path) == {"loss": [(1, 0.5), (3, 0.25)], "reward/total": [(1, 2.0)]}


def test_a_run_that_goes_on_adds_to_its_curves(tmp_path):
    for step in (1, 2):
        with open_curves(tmp_path, ["tensorboard"], CPU) as curves:
            curves.log({"loss": 1.0 / step}, step)
    assert points(tmp_path) == {"loss": [(1, 1.0), (2, 0.5)]}


def test_what_was_logged_before_an_error_is_there(tmp_path):
    with pytest.raises(RuntimeError), open_curves(tmp_path, ["tensorboard"], CPU) as curves:
        curves.log({"loss": 0.5}, 7)
        raise RuntimeError("the disk, say")
    assert points(tmp_path) == {"loss": [(7, 0.5)]}


def test_all_trackers_have_the_figures(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run = tmp_path / "run"
    run.mkdir()
    with open_curves(run, TRACKERS, CPU) as curves:
        curves.log({"loss": 0.5}, 1)
        assert [tracker.name for tracker in curves.trackers] == ["tensorboard", "wandb"]
    assert points(run) == {"loss": [(1, 0.5)]}
    assert list(run.glob("wandb/offline-run-*/*.wandb")) and not os.listdir(tmp_path / "elsewhere")


def test_nowhere_writes_nothing(tmp_path):
    with open_curves(tmp_path, [], CPU) as curves:
        curves.log({"loss": 0.5}, 1)
    NOWHERE.log({"loss": 0.5}, 1)
    assert os.listdir(tmp_path) == []


def test_a_tracker_that_is_not_installed_is_said_before_hours_of_work(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="tracker wandb is not installed: pip install wandb"), \
            open_curves(tmp_path, ["wandb"], CPU):
        pass
