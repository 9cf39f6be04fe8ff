"""EDGE's own checkpoints (`checkpoint.pt`, `weights/train-N.pt`), which Skeleton2Stage's code writes too."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dance_model import released
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage.errors import UserError
from skeleton2stage.motion.scaler import MinMaxScaler

EDGE_HEADS = 8
FAMILY = "EDGE"


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
    return parsed(path, *released.read_weights(path, FAMILY))


def parsed(path: Path, weights: dict[str, torch.Tensor], content: dict[str, Any]) -> EdgeCheckpoint:
    """Return the parts of a file of these averaged weights and this whole content; raise UserError as `read` does."""
    try:
        config = sizes(weights, content.get("n_heads"))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, UserError) as error:
        raise another_network(path, f"unusable: {error}") from None
    return EdgeCheckpoint(weights, config, released.read_scaler(content, path, FAMILY))


def another_network(path: Path, reason: str) -> UserError:
    """Return the error of a file whose weights are not those of EDGE's denoiser."""
    return UserError(f"{path} holds another network than EDGE's denoiser ({reason}): give a checkpoint of EDGE's")


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
    weights = denoiser.state_dict()
    heads = denoiser.config.n_heads
    options = denoiser.config.differences(sizes(weights, heads))
    if options:
        found = " and ".join(f"{name}={ours:g}" for name, (ours, _) in options.items())
        raise UserError(
            f"{path} cannot be written: the denoiser has {found}, which EDGE's code does not know, "
            "so export a model trained without (train_edge's preset=paper has none of these)"
        )
    released.write(path, weights, scaler, n_heads=heads)
