"""Where a training's curves go, for accelerate's trackers."""

import os
from pathlib import Path

from accelerate import Accelerator


def begin_curves(accelerator: Accelerator, run: Path) -> None:
    """Open the trackers of a run in its folder; wandb keeps curves on this machine unless WANDB_MODE says otherwise."""
    os.environ.setdefault("WANDB_MODE", "offline")
    # wandb would write to wherever the command was started.
    accelerator.init_trackers("curves", init_kwargs={"wandb": {"dir": str(run)}})
