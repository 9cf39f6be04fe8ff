"""What a killed training run goes on from."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import torch

from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path

if TYPE_CHECKING:
    from dance_model.training.edge_trainer import EdgeTrainer


def save_state(trainer: "EdgeTrainer") -> None:
    """Write weights, averaged weights, optimiser and step, atomically."""
    state = {
        "step": trainer.step,
        "denoiser": trainer.denoiser.state_dict(),
        "ema": trainer.ema.state_dict(),
        "optimiser": trainer.optimiser.state_dict(),
        "sizes": asdict(trainer.denoiser.config),
        "scale": trainer.scaler.scale,
    }
    with atomic_path(trainer.run / "state.pt") as temporary:
        torch.save(state, temporary)


def load_state(trainer: "EdgeTrainer") -> int:
    """Restore a run's state where it has one; return the number of steps done."""
    path = trainer.run / "state.pt"
    if not path.exists():
        return 0
    try:
        state = torch.load(path, weights_only=True, map_location=trainer.accelerator.device)
        _check_state(state, trainer)
        trainer.denoiser.load_state_dict(state["denoiser"])
        trainer.ema.load_state_dict(state["ema"])
        trainer.optimiser.load_state_dict(state["optimiser"])
    except Exception as error:  # noqa: BLE001 - a damaged file can raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path} does not belong to this run or is damaged ({reason}): "
            "give the run another name, or delete its folder"
        ) from None
    return state["step"]


def _check_state(state: dict, trainer: "EdgeTrainer") -> None:
    if state["sizes"] != asdict(trainer.denoiser.config):
        raise ValueError(f"its denoiser is {state['sizes']}")
    if not torch.equal(state["scale"], trainer.scaler.scale):
        raise ValueError("its motions were scaled by other data or another augmentation")
