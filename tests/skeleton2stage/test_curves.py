"""Trackers of a training."""

import os

import pytest
from accelerate import Accelerator

from skeleton2stage.curves import begin_curves


@pytest.mark.parametrize(("given", "expected"), [(None, "offline"), ("disabled", "disabled")])
def test_nothing_is_uploaded_unless_asked_for(tmp_path, monkeypatch, given, expected):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    if given is not None:
        monkeypatch.setenv("WANDB_MODE", given)
    accelerator = Accelerator(cpu=True, log_with=["tensorboard"], project_dir=str(tmp_path))
    begin_curves(accelerator, tmp_path)
    mode = os.environ.pop("WANDB_MODE")
    accelerator.end_training()
    assert mode == expected and (tmp_path / "curves").is_dir()
