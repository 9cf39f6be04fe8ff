"""The project's own checkpoints: NAME.safetensors with the arrays, NAME.json with the configuration."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path, read_json, write_json


def save_checkpoint(path: Path, tensors: dict[str, torch.Tensor], config: dict[str, Any]) -> None:
    """Write `path` (.safetensors) and the json beside it, each atomically, the json last.

    A reader looks for the json, so a checkpoint cut off between the two does not exist.
    """
    path = Path(path).with_suffix(".safetensors")
    content = save({name: value.detach().cpu().contiguous() for name, value in tensors.items()})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)  # safetensors' own writer has words of its own for a full disk
    write_json(path.with_suffix(".json"), config)


def load_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read a checkpoint's tensors, as float32 where they were stored in half precision, and its config.

    Raises UserError where either file is missing or damaged.
    """
    path = Path(path).with_suffix(".safetensors")
    if not path.exists():
        raise UserError(f"no checkpoint at {path}: check the path, or train one first")
    config = read_json(path.with_suffix(".json"))
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}): copy it again") from None
    half = (torch.float16, torch.bfloat16)
    return {name: value.float() if value.dtype in half else value for name, value in tensors.items()}, config
