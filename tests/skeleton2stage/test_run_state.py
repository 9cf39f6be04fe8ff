"""What a killed run goes on from."""

import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.run_state import restore_state, write_state


def test_a_state_comes_back_and_a_new_run_has_none(tmp_path):
    assert restore_state(tmp_path / "run", dict) is None
    write_state(tmp_path / "run", {"epoch": 3, "weights": {"a": torch.ones(2)}})
    state = restore_state(tmp_path / "run", dict)
    assert state["epoch"] == 3 and state["weights"]["a"].tolist() == [1.0, 1.0]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["state.pt"]


def test_a_write_that_fails_leaves_the_state_before(tmp_path):
    write_state(tmp_path, {"epoch": 1})
    with pytest.raises(Exception, match="pickle"):
        write_state(tmp_path, {"epoch": lambda: 2})
    assert restore_state(tmp_path, dict) == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_damage_and_another_runs_state_are_one_sentence(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(UserError, match="does not belong to this run or is damaged .*give the run another name"):
        restore_state(tmp_path, dict)
    write_state(tmp_path, {"epoch": 1})
    with pytest.raises(UserError, match="'weights'"):
        restore_state(tmp_path, lambda state: state["weights"])
    torch.save({"epoch": torch.nn.Linear(1, 1)}, tmp_path / "state.pt")  # a class could run code
    with pytest.raises(UserError, match="does not belong to this run or is damaged"):
        restore_state(tmp_path, dict)
