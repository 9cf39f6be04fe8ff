"""Checkpoints as EDGE and models built on its code release them: read without running anything in them, and written.

They are torch.save's files of a dict: `ema_state_dict`, `model_state_dict`, `optimizer_state_dict`, and `normalizer`,
a pickled `dataset.preprocess.Normalizer` whose `scaler` is a `dataset.scaler.MinMaxScaler`. Stanford-TML/EDGE,
jjd1123/Skeleton2Stage and Luke-Luo1/POPDG share the layout and the classes' names.
"""

import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path
from skeleton2stage.motion.scaler import MinMaxScaler

SUFFIXES = (".pt", ".pth", ".ckpt")
# Prefixes that data parallelism and compilation put before a parameter's name.
_WRAPPERS = ("module.", "_orig_mod.")
# Stand in for the classes under whose names these files pickle the normaliser: they keep a state, and do nothing.
_Normalizer = type("Normalizer", (), {"__module__": "dataset.preprocess"})
_Scaler = type("MinMaxScaler", (), {"__module__": "dataset.scaler"})


def read_weights(path: Path, family: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the averaged weights and the whole content of a file that should be of a family, such as "EDGE".

    The optimiser's state, mapped but not used, stays on the disk. Raises UserError where the file is missing,
    damaged, of another kind, or names a class besides the two.
    """
    content = _content(Path(path), family)
    return _averaged_weights(content, path, family), content


def read_scaler(content: dict[str, Any], path: Path, family: str) -> MinMaxScaler:
    """Return the scaler of a file's content; raise UserError where it has none."""
    state = vars(content["normalizer"].scaler) if _has_scaler(content.get("normalizer")) else {}
    parts = [state.get(name) for name in ("scale_", "min_")]
    if not all(isinstance(part, torch.Tensor) and part.ndim == 1 for part in parts):
        raise UserError(
            f"{path} has no normalizer with scale_ and min_, without which its motions cannot be read: "
            f"give a checkpoint that {family}'s own training wrote"
        )
    return MinMaxScaler(*(part.detach().float().clone() for part in parts))


def write(path: Path, weights: dict[str, torch.Tensor], scaler: MinMaxScaler, **extra: Any) -> None:  # noqa: ANN401
    """Write a checkpoint that the families' own code loads; it need not be installed. It ignores the extra keys."""
    weights = {name: value.detach().cpu() for name, value in weights.items()}
    content = {
        "ema_state_dict": weights, "model_state_dict": weights, "optimizer_state_dict": {},
        "normalizer": _normalizer(scaler),
    }
    with atomic_path(path) as temporary, _importable(_Normalizer, _Scaler):
        torch.save(content | extra, temporary)


def _content(path: Path, family: str) -> dict[str, Any]:
    """Return the dict of a file, its tensors mapped from the disk."""
    if not path.exists():
        raise UserError(f"no checkpoint at {path}: check the path, or train one first")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is cut short, damaged, or no file of torch.save's: copy it again")
    try:
        with torch.serialization.safe_globals([_Normalizer, _Scaler]):
            foreign = torch.serialization.get_unsafe_globals_in_checkpoint(path)
            content = None if foreign else torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except Exception:  # noqa: BLE001 - a damaged archive can raise almost anything
        raise UserError(f"{path} is damaged, or no checkpoint of {family}'s: copy it again") from None
    if foreign:
        raise UserError(
            f"refused to read {path}: it names {', '.join(sorted(foreign)[:3])}, which could run code and which "
            f"{family}'s checkpoints do not have"
        )
    if not isinstance(content, dict):
        raise UserError(f"{path} holds a {type(content).__name__} where {family}'s checkpoints have a dict")
    return content


def _averaged_weights(content: dict[str, Any], path: Path, family: str) -> dict[str, torch.Tensor]:
    for key in ("ema_state_dict", "model_state_dict"):
        if isinstance(content.get(key), dict):
            return {_unwrapped(str(name)): value for name, value in content[key].items()}
    raise UserError(
        f"{path} has no ema_state_dict but {', '.join(map(str, list(content)[:4])) or 'nothing'}: "
        f"give a checkpoint of {family}'s, or weights/train-N.safetensors of a run"
    )


def _unwrapped(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.split(".", 1)[1]
    return name


def _has_scaler(normalizer: object) -> bool:
    return isinstance(normalizer, _Normalizer) and isinstance(getattr(normalizer, "scaler", None), _Scaler)


def _normalizer(scaler: MinMaxScaler) -> object:
    """Return the object that is pickled for a scaler; of a constant feature data_max_ is 1 above the constant."""
    ends = torch.ones_like(scaler.scale)
    low, high = scaler.unnormalise(-ends).cpu(), scaler.unnormalise(ends).cpu()
    normalizer, normalizer.scaler = _Normalizer(), _Scaler()
    vars(normalizer.scaler).update(
        feature_range=(-1, 1), copy=True, clip=True, n_samples_seen_=0,  # not known, and used by nothing
        scale_=scaler.scale.cpu(), min_=scaler.minimum.cpu(), data_min_=low, data_max_=high, data_range_=high - low,
    )
    return normalizer


@contextmanager
def _importable(*classes: type) -> Iterator[None]:
    """Let pickle find classes under the modules that they name, while it writes them."""
    modules = {name: ModuleType(name) for name in {"dataset"} | {cls.__module__ for cls in classes}}
    for cls in classes:
        setattr(modules[cls.__module__], cls.__name__, cls)
    hidden = {name: sys.modules[name] for name in modules if name in sys.modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
        sys.modules.update(hidden)
