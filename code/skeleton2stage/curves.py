"""Where a training's curves go, whichever training it is: accelerate's trackers, opened and closed with the run."""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skeleton2stage.errors import UserError
from skeleton2stage.settings import setting

if TYPE_CHECKING:
    import torch
    from accelerate.tracking import GeneralTracker

TRACKERS = ("tensorboard", "wandb")
FOLDER = "curves"  # of TensorBoard's in a run's; wandb's project


def tracker_setting() -> Any:  # noqa: ANN401 - stands for the names
    """Return the field of the trackers that a run's curves go to."""
    return setting(
        "where curves go: tensorboard, wandb (offline unless WANDB_MODE says otherwise); []: nowhere",
        default=("tensorboard",), choices=TRACKERS, called="tracker", may_change=True,
    )


@dataclass(frozen=True)
class Curves:
    """The open trackers of a run; of those processes that do not write, and where none is wanted, none."""

    trackers: "tuple[GeneralTracker, ...]" = ()

    def log(self, figures: dict[str, float], step: int) -> None:
        """Add figures of a step to their curves."""
        for tracker in self.trackers:
            tracker.log(figures, step=step)


NOWHERE = Curves()


@contextmanager
def open_curves(run: Path, trackers: Sequence[str], device: "torch.device") -> Iterator[Curves]:
    """Open the trackers of a run in its folder, in every one of its processes, of which the first writes.

    wandb keeps curves on this machine unless WANDB_MODE says otherwise. Raises UserError where a tracker is not
    installed. What was logged is written when the block ends, by an error too.
    """
    for name in trackers:
        if importlib.util.find_spec(name) is None:
            raise UserError(f"tracker {name} is not installed: pip install {name}, or leave it out of trackers=…")
    if not trackers:
        yield NOWHERE
        return
    from accelerate import Accelerator  # seconds, which reading settings should not take

    os.environ.setdefault("WANDB_MODE", "offline")
    accelerator = Accelerator(log_with=list(trackers), project_dir=str(run), cpu=device.type == "cpu")
    # wandb would write to wherever the command was started.
    accelerator.init_trackers(FOLDER, init_kwargs={"wandb": {"dir": str(run)}})
    try:
        yield Curves(tuple(accelerator.trackers))
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()
