"""Where a training's curves go, for accelerate's trackers."""

import os
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from skeleton2stage.settings import setting

TRACKERS = ("tensorboard", "wandb")


def tracker_setting() -> Any:  # noqa: ANN401 - stands for the names
    """Return the field of the trackers that a run's curves go to."""
    return setting(
        "where curves go: tensorboard, wandb (offline unless WANDB_MODE says otherwise); []: nowhere",
        default=("tensorboard",), choices=TRACKERS, called="tracker", may_change=True,
    )


def begin_curves(accelerator: Accelerator, run: Path) -> None:
    """Open the trackers of a run in its folder; wandb keeps curves on this machine unless WANDB_MODE says otherwise."""
    os.environ.setdefault("WANDB_MODE", "offline")
    # wandb would write to wherever the command was started.
    accelerator.init_trackers("curves", init_kwargs={"wandb": {"dir": str(run)}})
