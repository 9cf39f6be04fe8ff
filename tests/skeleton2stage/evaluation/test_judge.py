import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.evaluation.judge import load_judge, load_yardstick
from swaying_motion import swaying


def test_statistics_that_are_not_shipped_are_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("skeleton2stage.paths.demo_checkpoints", lambda: tmp_path)
    assert "no shipped statistics" in load_yardstick("demo").reason


def test_a_named_policy_must_be_there_and_a_simulator_known(tmp_path):
    with pytest.raises(UserError, match="no checkpoint"):
        load_judge(str(tmp_path / "policy.safetensors"), "mujoco", "open")
    with pytest.raises(UserError, match="unknown simulator 'bullet': choose one of .*mujoco"):
        load_judge(str(tmp_path / "policy.safetensors"), "bullet", "open")


def test_a_policy_that_is_not_shipped_is_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("skeleton2stage.paths.demo_checkpoints", lambda: tmp_path)
    judge = load_judge("demo", "mujoco", "open")
    assert judge.scorer is None and "no shipped imitation policy" in judge.reason
    assert evaluate_motions({"a": swaying(30)}, judge).skipped["imitation"] == judge.reason
