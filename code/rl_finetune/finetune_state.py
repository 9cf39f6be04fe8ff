"""What a killed fine-tuning run goes on from, and the record of its epochs."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path, read_json, write_json

if TYPE_CHECKING:
    from rl_finetune.finetune import Finetuner


def save_state(finetuner: "Finetuner") -> None:
    """Write weights, averaged weights, optimisers, what crediting remembers, and epoch, atomically."""
    state = {
        "epoch": finetuner.epoch,
        "model": finetuner.policy.module.state_dict(),
        "ema": finetuner.ema.state_dict(),
        "optimisers": {name: learner.optimiser.state_dict() for name, learner in finetuner.learners.items()},
        "crediting": finetuner.crediting.state_dict(),
        "watch": finetuner.watch.state_dict(),
    }
    with atomic_path(finetuner.run / "state.pt") as temporary:
        torch.save(state, temporary)


def load_state(finetuner: "Finetuner") -> int:
    """Restore a run's state where it has one; return the number of epochs done."""
    path = finetuner.run / "state.pt"
    if not path.exists():
        return 0
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        finetuner.policy.module.load_state_dict(state["model"])
        finetuner.ema.load_state_dict(state["ema"])
        for name, learner in finetuner.learners.items():
            learner.optimiser.load_state_dict(state["optimisers"][name])
        finetuner.crediting.load_state_dict(state["crediting"])
        finetuner.watch.load_state_dict(state["watch"])
    except Exception as error:  # noqa: BLE001 - a damaged archive can raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path} does not belong to this model or is damaged ({reason}): "
            "give the run another name, or delete its folder"
        ) from None
    return state["epoch"]


def record_epoch(run: Path, epoch: int, figures: dict[str, float]) -> None:
    """Add an epoch to the run's epochs.json; a repeated epoch, after a kill, replaces the earlier one."""
    path = run / "epochs.json"
    records = [record for record in (read_json(path) if path.exists() else []) if record["epoch"] < epoch]
    write_json(path, [*records, {"epoch": epoch, **figures}])
