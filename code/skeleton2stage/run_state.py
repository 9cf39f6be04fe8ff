"""What a killed run goes on from, whichever training it is of: one file in the run's folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path

NAME = "state.pt"
State = dict[str, Any]
_Restored = TypeVar("_Restored")


def write_state(run: Path, state: State) -> None:
    """Write a run's state, tensors and plain values, atomically: a kill leaves the one before."""
    with atomic_path(run / NAME) as temporary:
        torch.save(state, temporary)


def restore_state(run: Path, restore: Callable[[State], _Restored]) -> _Restored | None:
    """Return what `restore` makes of a run's state, None where it has none yet.

    Tensors are on the CPU, wherever the state was written. Raises UserError where the file is damaged, or where
    `restore` raises, whose error then says why the state is not of this run.
    """
    path = run / NAME
    if not path.exists():
        return None
    try:
        return restore(torch.load(path, weights_only=True, map_location="cpu"))
    except Exception as error:  # noqa: BLE001 - a damaged archive can raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(". ")[0]  # torch goes on at length
        raise UserError(
            f"{path} does not belong to this run or is damaged ({reason}): "
            "give the run another name, or delete its folder"
        ) from None
