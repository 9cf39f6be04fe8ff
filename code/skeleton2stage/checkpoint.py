"""The project's own checkpoints: NAME.safetensors with the arrays, NAME.json with the configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path, read_json, write_stamped_json
from skeleton2stage.provenance import MADE_BY
from skeleton2stage.read_boundary import reading

_MOST_NUMBERS_A_STORED_ONE, _SPARE_NUMBERS = 4, 1_000_000  # tables that follow from sizes are not stored


def save_checkpoint(path: Path, tensors: dict[str, torch.Tensor], config: dict[str, Any]) -> None:
    """Write `path` (.safetensors) and the json beside it, with what made it, each atomically, the json last.

    A reader looks for the json, so a checkpoint cut off between the two does not exist.
    """
    path = Path(path).with_suffix(".safetensors")
    content = save({name: value.detach().cpu().contiguous() for name, value in tensors.items()})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)  # safetensors' own writer has words of its own for a full disk
    write_stamped_json(path.with_suffix(".json"), config)


def check_size(make: Callable[[], nn.Module], tensors: dict[str, torch.Tensor]) -> None:
    """Raise ValueError where the network that `make` builds is far larger than what is stored, before it is built.

    A description is a line of text, and a number in it may ask for all the memory there is.
    """
    with torch.device("meta"):
        described = sum(value.numel() for value in make().state_dict().values())
    stored = sum(value.numel() for value in tensors.values())
    if described > _MOST_NUMBERS_A_STORED_ONE * stored + _SPARE_NUMBERS:
        raise ValueError(f"it describes a network of {described} numbers, and the file has {stored}")


def load_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read a checkpoint's tensors, as float32 where they were stored in half precision, and its config alone.

    Raises UserError where either file is missing or damaged.
    """
    path = Path(path).with_suffix(".safetensors")
    if not path.exists():
        raise UserError(f"no checkpoint at {path}: check the path, or train one first")
    config = read_json(path.with_suffix(".json"))
    if not isinstance(config, dict):
        raise UserError(f"{path.with_suffix('.json')} is a {type(config).__name__} and no description: copy it again")
    with reading(path, "a file of safetensors"):
        tensors = load_file(path)
    config.pop(MADE_BY, None)
    half = (torch.float16, torch.bfloat16)
    return {name: value.float() if value.dtype in half else value for name, value in tensors.items()}, config
