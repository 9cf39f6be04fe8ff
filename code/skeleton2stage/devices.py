"""Choosing where tensors live."""

import torch

from skeleton2stage.errors import UserError, unknown_name

DEVICES = ("auto", "cpu", "cuda")


def pick_device(name: str) -> torch.device:
    """Return the device named auto, cpu or cuda; raise UserError where there is no such device."""
    if name not in DEVICES:
        raise unknown_name("device", name, list(DEVICES))
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda was asked for, but torch sees no GPU: use device=auto, or install a GPU build")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
