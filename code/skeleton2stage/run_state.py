"""What a killed run goes on from, whichever training it is of: one file in the run's folder."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch

from skeleton2stage.config import save_config
from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path
from skeleton2stage.one_writer import only_writer
from skeleton2stage.outputs import check_output
from skeleton2stage.paths import shown
from skeleton2stage.provenance import in_words
from skeleton2stage.run_settings import RunSettings

NAME = "state.pt"
CONFIG_NAME = "config.yaml"
State = dict[str, Any]
_SETTINGS = "settings"
_Restored = TypeVar("_Restored")


@contextmanager
def run_folder(run: Path, writes: bool = True) -> Iterator[None]:
    """Let this process alone write to a run's folder meanwhile, once it is sure that it can be written.

    writes: whether this process is the one that does, among those that train together.
    """
    if not writes:
        yield
        return
    check_output(run / NAME)
    with only_writer(run):
        yield


def write_state(run: Path, state: State, settings: RunSettings) -> None:
    """Write a run's state, tensors and plain values, and its settings, atomically: a kill leaves the one before."""
    with atomic_path(run / NAME) as temporary:
        torch.save({**state, _SETTINGS: settings.state()}, temporary)


def restore_state(run: Path, settings: RunSettings, restore: Callable[[State], _Restored]) -> _Restored | None:
    """Return what `restore` makes of a run's state, None where it has none yet.

    Tensors are on the CPU, wherever the state was written. Raises UserError where settings that change the result are
    not those that the run was begun with, where the file is damaged, or where `restore` raises, whose error then says
    why the state is not of this run.
    """
    path = run / NAME
    if not path.exists():
        return None
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        settings.go_on_from(state.pop(_SETTINGS, None), run)
        return restore(state)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged archive can raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(". ")[0]  # torch goes on at length
        raise UserError(
            f"{path} does not belong to this run or is damaged ({reason}): "
            "give the run another name, or delete its folder"
        ) from None


def check_run(run: Path, settings: RunSettings) -> None:
    """Raise UserError where a run of other settings is in the folder, before what takes long is prepared by these."""
    restore_state(run, settings, lambda state: None)


def record_settings(run: Path, config: Any, settings: RunSettings) -> None:  # noqa: ANN401 - any dataclass
    """Write what the run is determined by to its config.yaml, and say what is not as it was when it was begun."""
    if settings.changes:
        print(f"{shown(run)} goes on with {settings.changes[-1]}", file=sys.stderr)
    notes = [f"gone on with {change}" for change in settings.changes]
    save_config(run / CONFIG_NAME, config, [*notes, f"written by {in_words()}"])


def say_finished(run: Path, done: int, wanted: int, what: str) -> None:
    """Say that a run has nothing left to do, which is no error, and what to do for more."""
    print(f"{shown(run)} is finished: {done} of {wanted} {what} are done; give more of them to go on, or another name")
