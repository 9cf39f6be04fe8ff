"""What a killed fine-tuning run goes on from, and the record of its epochs."""

from pathlib import Path
from typing import TYPE_CHECKING

from skeleton2stage.files import read_json, write_json
from skeleton2stage.run_state import State, restore_state, write_state

if TYPE_CHECKING:
    from rl_finetune.finetune import Finetuner


def save_state(finetuner: "Finetuner") -> None:
    """Write weights, averaged weights, optimisers, what crediting remembers, and epoch, atomically."""
    write_state(finetuner.run, {
        "epoch": finetuner.epoch,
        "model": finetuner.policy.module.state_dict(),
        "ema": finetuner.ema.state_dict(),
        "optimisers": {name: learner.optimiser.state_dict() for name, learner in finetuner.learners.items()},
        "crediting": finetuner.crediting.state_dict(),
        "watch": finetuner.watch.state_dict(),
    }, finetuner.settings)


def load_state(finetuner: "Finetuner") -> int:
    """Restore a run's state where it has one; return the number of epochs done."""

    def restore(state: State) -> int:
        finetuner.policy.module.load_state_dict(state["model"])
        finetuner.ema.load_state_dict(state["ema"])
        for name, learner in finetuner.learners.items():
            learner.optimiser.load_state_dict(state["optimisers"][name])
        finetuner.crediting.load_state_dict(state["crediting"])
        finetuner.watch.load_state_dict(state["watch"])
        return state["epoch"]

    return restore_state(finetuner.run, finetuner.settings, restore) or 0


def record_epoch(run: Path, epoch: int, figures: dict[str, float]) -> None:
    """Add an epoch to the run's epochs.json; a repeated epoch, after a kill, replaces the earlier one."""
    path = run / "epochs.json"
    records = [record for record in (read_json(path) if path.exists() else []) if record["epoch"] < epoch]
    write_json(path, [*records, {"epoch": epoch, **figures}])
