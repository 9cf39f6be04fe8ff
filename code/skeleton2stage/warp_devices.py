"""Warp's devices by torch's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import warp as wp


def warp_device(device: torch.device) -> wp.Device:
    """Return Warp's device for torch's cpu or cuda[:N]; quietly, and without asking whether there is such a GPU."""
    if device.type == "cpu":
        wp.config.log_level = wp.LOG_ERROR
        with _stderr_hidden():
            wp.init()  # warns that there is no GPU, whatever the level
        return wp.get_device("cpu")
    wp.config.log_level = wp.LOG_WARNING  # it would tell of every kernel that it loads
    wp.init()  # device_from_torch does not, as get_device does
    index = torch.cuda.current_device() if device.index is None else device.index
    return wp.device_from_torch(torch.device("cuda", index))


@contextmanager
def _stderr_hidden() -> Iterator[None]:
    """Send to nowhere what libraries, not Python, write to stderr."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
