"""What a killed training run goes on from."""

from typing import TYPE_CHECKING

import torch

from skeleton2stage.run_state import State, restore_state, write_state

if TYPE_CHECKING:
    from dance_model.training.edge_trainer import EdgeTrainer


def save_state(trainer: "EdgeTrainer") -> None:
    """Write weights, averaged weights, optimiser and step, atomically."""
    write_state(trainer.run, {
        "step": trainer.step,
        "denoiser": trainer.denoiser.state_dict(),
        "ema": trainer.ema.state_dict(),
        "optimiser": trainer.optimiser.state_dict(),
        "scale": trainer.scaler.scale,
    }, trainer.settings)


def load_state(trainer: "EdgeTrainer") -> int:
    """Restore a run's state where it has one; return the number of steps done."""

    def restore(state: State) -> int:
        _check_state(state, trainer)
        trainer.denoiser.load_state_dict(state["denoiser"])
        trainer.ema.load_state_dict(state["ema"])
        trainer.optimiser.load_state_dict(state["optimiser"])
        return state["step"]

    return restore_state(trainer.run, trainer.settings, restore) or 0


def _check_state(state: State, trainer: "EdgeTrainer") -> None:
    if not torch.equal(state["scale"].cpu(), trainer.scaler.scale.cpu()):
        raise ValueError("its motions were scaled by other data or another augmentation")
    if not trainer.optimiser.param_groups[0].keys() <= state["optimiser"]["param_groups"][0].keys():
        raise ValueError("its optimiser is of an earlier version of this program; start_from takes up its weights")
