"""Training as it is started: a prepared file in, a model and its curves out."""

import pytest

from dance_model import families, train_dance_model
from logged_curves import points
from skeleton2stage.errors import UserError
from skeleton2stage.music.kinds import BASELINE


@pytest.fixture
def train(windows, tmp_path, monkeypatch):
    """Return a function that trains for 6 and then 4 steps, or whatever it is told, and returns the run's folder."""
    monkeypatch.setenv("S2S_RUNS", str(tmp_path / "runs"))
    windows.save(tmp_path / "windows.npz")

    def run(*arguments):
        train_dance_model.main(["family=bailando", "preset=tiny", f"data={tmp_path / 'windows.npz'}", "device=cpu",
                                "held_out=[]", "name=r", *arguments])
        return tmp_path / "runs" / "train_edge" / "r"

    return run


def test_both_stages_are_in_the_curves_one_after_another(train, capsys):
    folder = train()
    assert families.load(folder / "weights" / "train-last.safetensors").music == BASELINE
    curves = points(folder)
    assert [step for step, _ in curves["vqvae/loss"]] == [2, 4, 6]
    assert [step for step, _ in curves["gpt/nats"]] == [8, 10]
    assert [step for step, _ in curves["gpt/held_out/nats"]] == [9, 10]
    assert f"curves:  {folder / 'curves'}" in capsys.readouterr().out


def test_curves_may_go_nowhere_and_a_finished_run_opens_none(train, capsys):
    folder = train("trackers=[]")
    assert not (folder / "curves").exists()
    capsys.readouterr()
    train("trackers=[tensorboard]")
    assert "is finished: 10 of 10 steps" in capsys.readouterr().out and not (folder / "curves").exists()


def test_what_it_takes_is_said(train, capsys):
    train("--help")
    said = capsys.readouterr().out
    assert "\nvqvae_steps=0 " in said and "[at least 0]" in said
    with pytest.raises(UserError, match="unknown preset 'big': choose one of demo, tiny"):
        train("preset=big")
    with pytest.raises(UserError, match="unknown tracker 'paper'"):
        train("trackers=[paper]")
