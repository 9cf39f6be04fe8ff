"""Choosing where tensors live."""

from typing import Any

import torch

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.settings import setting

DEVICES = ("auto", "cpu", "cuda")


def device_setting(help_text: str, **limits: Any) -> Any:  # noqa: ANN401 - stands for the name
    """Return the field of a device's name, auto unless another is given."""
    return setting(f"{help_text}: auto (a GPU if there is one), cpu, cuda", default="auto", choices=DEVICES, **limits)


def pick_device(name: str) -> torch.device:
    """Return the device named auto, cpu or cuda; raise UserError where there is no such device."""
    if name not in DEVICES:
        raise unknown_name("device", name, list(DEVICES))
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda was asked for, but torch sees no GPU: use device=auto, or install a GPU build")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
