"""EDGE's own checkpoints (`checkpoint.pt`, `weights/train-N.pt`), read without running anything in them, and written.

They are torch.save's files of a dict: `ema_state_dict`, `model_state_dict`, `optimizer_state_dict`, and `normalizer`,
a pickled `dataset.preprocess.Normalizer` whose `scaler` is a `dataset.scaler.MinMaxScaler`. Stanford-TML/EDGE and
jjd1123/Skeleton2Stage share the layout (EDGE.py and dataset/ of both).
"""

import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from rl_finetune.dance_model.denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage.errors import UserError
from skeleton2stage.files import atomic_path
from skeleton2stage.motion.scaler import MinMaxScaler

SUFFIXES = (".pt", ".pth", ".ckpt")
EDGE_HEADS = 8
# Prefixes that data parallelism and compilation put before a parameter's name.
_WRAPPERS = ("module.", "_orig_mod.")
# Stand in for EDGE's classes, under whose names its files pickle the normaliser: they keep a state, and do nothing.
_Normalizer = type("Normalizer", (), {"__module__": "dataset.preprocess"})
_Scaler = type("MinMaxScaler", (), {"__module__": "dataset.scaler"})


@dataclass(frozen=True)
class EdgeCheckpoint:
    """The averaged weights of a file, by EDGE's names, the sizes they have, and the scaler of motions."""

    weights: dict[str, torch.Tensor]
    config: DenoiserConfig
    scaler: MinMaxScaler


def read(path: Path) -> EdgeCheckpoint:
    """Read a checkpoint; the optimiser's state, mapped but not used, stays on the disk.

    Raises UserError where it is missing, damaged, of another kind, or names a class besides EDGE's two.
    """
    content = _content(Path(path))
    weights = _averaged_weights(content, path)
    try:
        config = sizes(weights, content.get("n_heads"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, UserError) as error:
        raise UserError(
            f"{path} holds another network than EDGE's denoiser (unusable: {error}): give a checkpoint of EDGE's"
        ) from None
    return EdgeCheckpoint(weights, config, _scaler(content, path))


def sizes(weights: dict[str, torch.Tensor], n_heads: int | None = None) -> DenoiserConfig:
    """Return the sizes of a denoiser with these weights; raise KeyError where one is missing.

    The shapes do not tell the number of heads: unless given it is EDGE's 8, or where 8 do not divide the width,
    the largest smaller power of two that does.
    """
    latent_width, motion_width = weights["input_projection.weight"].shape
    layers = {name.split(".")[2] for name in weights if name.startswith("seqTransDecoder.stack.")}
    return DenoiserConfig(
        motion_width=motion_width,
        window_frames=weights["null_cond_embed"].shape[1],
        latent_width=latent_width,
        feedforward_width=weights["seqTransDecoder.stack.0.linear1.weight"].shape[0],
        n_layers=len(layers),
        n_heads=likely_heads(latent_width) if n_heads is None else n_heads,
        music_width=weights["cond_projection.weight"].shape[1],
    )


def likely_heads(latent_width: int) -> int:
    """Return EDGE's 8 heads, or the largest smaller power of two that a latent width can have."""
    heads = EDGE_HEADS
    while heads > 1 and latent_width % (2 * heads):
        heads //= 2
    return heads


def write(path: Path, denoiser: DanceDecoder, scaler: MinMaxScaler) -> None:
    """Write a checkpoint that EDGE's own code loads; it need not be installed.

    EDGE ignores the extra key `n_heads`, by which `read` finds the denoiser's own number. Raises UserError where the
    denoiser computes something that EDGE's does not.
    """
    weights = {name: value.detach().cpu() for name, value in denoiser.state_dict().items()}
    heads = denoiser.config.n_heads
    options = denoiser.config.differences(sizes(weights, heads))
    if options:
        found = " and ".join(f"{name}={ours:g}" for name, (ours, _) in options.items())
        raise UserError(
            f"{path} cannot be written: the denoiser has {found}, which EDGE's code does not know, "
            "so export a model trained without (train_edge's preset=paper has none of these)"
        )
    content = {
        "ema_state_dict": weights, "model_state_dict": weights, "optimizer_state_dict": {},
        "normalizer": _normalizer(scaler), "n_heads": heads,
    }
    with atomic_path(path) as temporary, _importable(_Normalizer, _Scaler):
        torch.save(content, temporary)


def _content(path: Path) -> dict[str, Any]:
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
        raise UserError(f"{path} is damaged, or no checkpoint of EDGE's: copy it again") from None
    if foreign:
        raise UserError(
            f"refused to read {path}: it names {', '.join(sorted(foreign)[:3])}, which could run code and which "
            "EDGE's checkpoints do not have"
        )
    if not isinstance(content, dict):
        raise UserError(f"{path} holds a {type(content).__name__} where EDGE's checkpoints have a dict")
    return content


def _averaged_weights(content: dict[str, Any], path: Path) -> dict[str, torch.Tensor]:
    for key in ("ema_state_dict", "model_state_dict"):
        if isinstance(content.get(key), dict):
            return {_unwrapped(str(name)): value for name, value in content[key].items()}
    raise UserError(
        f"{path} has no ema_state_dict but {', '.join(map(str, list(content)[:4])) or 'nothing'}: "
        "give a checkpoint of EDGE's, or weights/train-N.safetensors of a run"
    )


def _unwrapped(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.split(".", 1)[1]
    return name


def _scaler(content: dict[str, Any], path: Path) -> MinMaxScaler:
    state = vars(content["normalizer"].scaler) if _has_scaler(content.get("normalizer")) else {}
    parts = [state.get(name) for name in ("scale_", "min_")]
    if not all(isinstance(part, torch.Tensor) and part.ndim == 1 for part in parts):
        raise UserError(
            f"{path} has no normalizer with scale_ and min_, without which its motions cannot be read: "
            "give a checkpoint that EDGE's own training wrote"
        )
    return MinMaxScaler(*(part.detach().float().clone() for part in parts))


def _has_scaler(normalizer: object) -> bool:
    return isinstance(normalizer, _Normalizer) and isinstance(getattr(normalizer, "scaler", None), _Scaler)


def _normalizer(scaler: MinMaxScaler) -> object:
    """Return the object that EDGE pickles, for a scaler; of a constant feature data_max_ is 1 above the constant."""
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
