"""POPDG's own checkpoints (`checkpoint.pt`, `weights/train-N.pt`): EDGE's layout of a file, another network in it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from dance_model import released
from dance_model.edge.edge_checkpoint import likely_heads
from dance_model.popdg.popdg_denoiser import PopdgConfig, PopdgDenoiser
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import POPDG
from skeleton2stage.motion.scaler import MinMaxScaler

FAMILY = "POPDG"
# Numbers that POPDG's code has written into its classes, so that no other can be loaded there.
_FIXED = {"window_frames": 150, "joint_heads": 4, "frame_heads": 5}


@dataclass(frozen=True)
class PopdgCheckpoint:
    """The averaged weights of a file, by POPDG's names, the sizes they have, and the scaler of motions."""

    weights: dict[str, torch.Tensor]
    config: PopdgConfig
    scaler: MinMaxScaler


def recognises(weights: dict[str, torch.Tensor]) -> bool:
    """Return whether weights are named as POPDG's are, EDGE's being named otherwise."""
    return any(name.startswith("DecoderSequence.") for name in weights)


def read(path: Path) -> PopdgCheckpoint:
    """Read a checkpoint's parts.

    Raises UserError where it is missing, damaged, of another kind, or names a class besides the two of its normalizer.
    """
    return parsed(path, *released.read_weights(path, FAMILY))


def parsed(path: Path, weights: dict[str, torch.Tensor], content: dict[str, Any]) -> PopdgCheckpoint:
    """Return the parts of a file of these averaged weights and this whole content; raise UserError as `read` does."""
    try:
        config = sizes(weights, content.get("n_heads"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, UserError) as error:
        raise another_network(path, f"unusable: {error}") from None
    return PopdgCheckpoint(weights, config, released.read_scaler(content, path, FAMILY))


def sizes(weights: dict[str, torch.Tensor], n_heads: int | None = None) -> PopdgConfig:
    """Return the sizes of a denoiser with these weights; raise KeyError where one is missing.

    The shapes do not tell the number of heads: unless given it is POPDG's 8, or where 8 do not divide the width,
    the largest smaller power of two that does. Convolutions are taken to be idle, as in POPDG's code.
    """
    latent_width, motion_width = weights["input_projection.weight"].shape
    first = "DecoderSequence.stack.0"
    given = {} if n_heads is None else {"n_heads": n_heads}
    return PopdgConfig(
        motion_width=motion_width,
        window_frames=weights["null_music_embed"].shape[1],
        latent_width=latent_width,
        feedforward_width=weights[f"{first}.linear1.weight"].shape[0],
        n_layers=len({name.split(".")[2] for name in weights if name.startswith("DecoderSequence.stack.")}),
        music_width=weights["cond_projection.weight"].shape[1],
        joint_heads=weights[f"{first}.spatio_attn.v_proj_weight"].shape[1] // POPDG.width,
        convolutions="idle" if any(".conv." in name for name in weights) else "none",
        **({"n_heads": likely_heads(latent_width)} | given),
    )


def write(path: Path, denoiser: PopdgDenoiser, scaler: MinMaxScaler) -> None:
    """Write a checkpoint that POPDG's own code loads, given the same sizes; it need not be installed.

    Convolutions that the denoiser does without are added, idle. POPDG ignores the extra key `n_heads`. Raises UserError
    where the denoiser computes something that POPDG's does not.
    """
    config, state = denoiser.config, denoiser.state_dict()
    if config.convolutions == "none":
        config = replace(config, convolutions="idle")
        state = PopdgDenoiser(config).state_dict() | {name: value.cpu() for name, value in state.items()}
    known = replace(sizes(state, config.n_heads), **_FIXED)
    options = config.differences(known)
    if options:
        found = " and ".join(f"{name}={ours}" for name, (ours, _) in options.items())
        raise UserError(f"{path} cannot be written: the denoiser has {found}, which POPDG's code does not know")
    released.write(path, state, scaler, n_heads=config.n_heads)


def another_network(path: Path, reason: str) -> UserError:
    """Return the error of a file whose weights are not those of POPDG's denoiser."""
    return UserError(
        f"{path} holds another network than POPDG's denoiser ({reason}): give a checkpoint of POPDG's"
    )
