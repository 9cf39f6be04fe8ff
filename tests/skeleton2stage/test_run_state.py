"""What a killed run goes on from."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import yaml

from skeleton2stage.errors import UserError
from skeleton2stage.run_settings import RunSettings
from skeleton2stage.run_state import record_settings, restore_state, write_state
from skeleton2stage.settings import setting


@dataclass(frozen=True)
class Config:
    """A run that is determined by two settings and goes on with any of the third."""

    rate: float = 0.1
    data: Path = Path("nowhere")
    epochs: int = setting("of a test", default=1, may_change=True)


SETTINGS = RunSettings(Config())


def test_a_state_comes_back_and_a_new_run_has_none(tmp_path):
    assert restore_state(tmp_path / "run", SETTINGS, dict) is None
    write_state(tmp_path / "run", {"epoch": 3, "weights": {"a": torch.ones(2)}}, SETTINGS)
    state = restore_state(tmp_path / "run", SETTINGS, dict)
    assert state["epoch"] == 3 and state["weights"]["a"].tolist() == [1.0, 1.0]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["state.pt"]


def test_a_write_that_fails_leaves_the_state_before(tmp_path):
    write_state(tmp_path, {"epoch": 1}, SETTINGS)
    with pytest.raises(Exception, match="pickle"):
        write_state(tmp_path, {"epoch": lambda: 2}, SETTINGS)
    assert restore_state(tmp_path, SETTINGS, dict) == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_damage_and_another_runs_state_are_one_sentence(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(UserError, match="does not belong to this run or is damaged .*give the run another name"):
        restore_state(tmp_path, SETTINGS, dict)
    write_state(tmp_path, {"epoch": 1}, SETTINGS)
    with pytest.raises(UserError, match="'weights'"):
        restore_state(tmp_path, SETTINGS, lambda state: state["weights"])
    state = {"epoch": torch.nn.Linear(1, 1), "settings": SETTINGS.state()}  # a class could run code
    torch.save(state, tmp_path / "state.pt")
    with pytest.raises(UserError, match="does not belong to this run or is damaged"):
        restore_state(tmp_path, SETTINGS, dict)


def test_a_run_goes_on_with_what_may_change_and_says_so_where_its_settings_are_written(tmp_path, capsys):
    write_state(tmp_path, {"epoch": 1}, RunSettings(Config()))
    for epochs in (2, 3):
        settings = RunSettings(Config(epochs=epochs))
        assert restore_state(tmp_path, settings, dict) == {"epoch": 1}
        write_state(tmp_path, {"epoch": 1}, settings)
        record_settings(tmp_path, Config(epochs=epochs), settings)
    assert "goes on with epochs=3 (before: 2)" in capsys.readouterr().err
    written = (tmp_path / "config.yaml").read_text()
    assert written.startswith("# gone on with epochs=2 (before: 1)\n# gone on with epochs=3 (before: 2)\n")
    assert yaml.safe_load(written)["epochs"] == 3


def test_a_run_of_other_settings_or_of_none_that_are_known_is_refused(tmp_path):
    write_state(tmp_path, {"epoch": 1}, SETTINGS)
    with pytest.raises(UserError, match=r"was begun with rate=0.1, not 0.2; this changes the result"):
        restore_state(tmp_path, RunSettings(Config(rate=0.2, epochs=9)), dict)
    torch.save({"epoch": 1}, tmp_path / "state.pt")
    with pytest.raises(UserError, match="did not keep its settings"):
        restore_state(tmp_path, SETTINGS, dict)
