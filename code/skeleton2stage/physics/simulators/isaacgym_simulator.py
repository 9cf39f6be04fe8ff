"""The `isaacgym` backend: a worker in the user's Isaac Gym interpreter (docs/isaacgym.md)."""

import os
import shutil
from pathlib import Path

import torch

from skeleton2stage.errors import UserError
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.simulators.isaacgym_asset import write_isaacgym_assets
from skeleton2stage.physics.simulators.remote_simulator import RemoteSimulator
from skeleton2stage.physics.worker.worker_process import WorkerConfig


def make_isaacgym_simulator(humanoid: Humanoid, n_worlds: int, device: str = "cuda") -> RemoteSimulator:
    """Return that many worlds in Isaac Gym on `cuda` or `cuda:N`; its tensors are on the CPU.

    Raises UserError where ISAACGYM_PYTHON names no interpreter or the device is no GPU, and WorkerError where
    Isaac Gym does not start in it.
    """
    kind, _, index = device.partition(":")
    if kind != "cuda":
        raise UserError(f"simulator isaacgym runs on cuda or cuda:N, not on '{device}'")
    interpreter = _interpreter()
    current = torch.cuda.current_device() if torch.cuda.is_available() else 0
    options = {"device": int(index or current)}
    config = WorkerConfig("isaacgym", str(interpreter), options, environment=_environment(interpreter))
    return RemoteSimulator(humanoid, n_worlds, config, write_isaacgym_assets)


def _interpreter() -> Path:
    named = os.environ.get("ISAACGYM_PYTHON", "")
    if not named:
        raise UserError(
            "simulator isaacgym needs ISAACGYM_PYTHON (environment.sh): the Python 3.6-3.8 that has Isaac Gym; "
            "docs/isaacgym.md tells how to set it up"
        )
    found = shutil.which(os.path.expanduser(named))
    if found is None:
        raise UserError(f"ISAACGYM_PYTHON is '{named}', which is no program: name the Python that has Isaac Gym")
    return Path(found).absolute()


def _environment(interpreter: Path) -> dict[str, str]:
    """Return what activating the interpreter's environment would set.

    Isaac Gym's library looks for the interpreter's own (libpython), and its torch part is compiled with the
    ninja beside it.
    """
    places = {"PATH": interpreter.parent, "LD_LIBRARY_PATH": interpreter.parent.parent / "lib"}
    return {name: os.pathsep.join(filter(None, (str(place), os.environ.get(name)))) for name, place in places.items()}
