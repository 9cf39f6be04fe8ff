"""Bailando's and Bailando++'s released checkpoints (`epoch_N.pt`), read without running anything in them.

They are torch.save's files of {"model": weights, "config": EasyDict, "epoch"}, of one network each: the VQ-VAE of
positions (`sep_vqvae_root`), that with rotations (`SepVQVAERmix`), or a GPT. Their GPTs hear features of their own (438
a code at 7.5 Hz, or 55 a frame at 60 fps), so that they are networks here and no policies; dances of their VQ-VAEs are
made in `upright.py`.
"""

import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from dance_model.bailando.conv import ConvSizes
from dance_model.bailando.gpt import N_STREAMS, CrossConditionalGpt, GptConfig
from dance_model.bailando.local_music import LocalMusicConfig
from dance_model.bailando.vqvae import UPPER, VqVae, VqVaeConfig
from skeleton2stage.errors import UserError

HEAD_WIDTH = 64  # of an attention head; shapes do not tell it
FRAMES_PER_CODE = 8
_WRAPPER = "module."  # what data parallelism puts before a name
_MASK = "attn.mask"  # triangles and bands, which follow from the sizes
# Stands in for the class of the configuration, which is not used; torch fills no dictionaries but its own kinds.
_EASY_DICT = (OrderedDict, "easydict.EasyDict")
Weights = dict[str, torch.Tensor]


def load_released(path: Path) -> VqVae | CrossConditionalGpt:
    """Return the network of a released checkpoint, in evaluation mode.

    Raises UserError where the file is missing, damaged, of another kind, or names a class besides EasyDict.
    """
    weights = read_weights(Path(path))
    try:
        network = VqVae(vqvae_sizes(weights)) if "vqvae_up.bottleneck.level_blocks.0.k" in weights else (
            CrossConditionalGpt(gpt_sizes(weights))
        )
        network.load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError, UserError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path} holds another network than Bailando's VQ-VAE with root or GPT ({reason})") from None
    return network.eval()


def is_released(path: Path) -> bool:
    """Return whether a file is one of Bailando's own, by the class of its configuration."""
    try:
        return zipfile.is_zipfile(path) and _EASY_DICT[1] in torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # noqa: BLE001 - a damaged archive can raise almost anything
        return False


def read_weights(path: Path) -> Weights:
    """Return the weights of a file by their names, without wrappers and masks."""
    if not path.exists():
        raise UserError(f"no checkpoint at {path}: check the path")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is cut short, damaged, or no file of torch.save's: copy it again")
    content = _content(path)
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise UserError(f"{path} has no 'model', as Bailando's checkpoints have: give one of those")
    named = {str(name).removeprefix(_WRAPPER): value for name, value in content["model"].items()}
    return {name: value for name, value in named.items() if not name.endswith(_MASK)}


def vqvae_sizes(weights: Weights) -> VqVaeConfig:
    """Return the sizes of a VQ-VAE with these weights; raise KeyError where one is missing."""
    encoder = "vqvae_up.encoders.0.level_blocks.0.model"
    first = weights[f"{encoder}.0.0.weight"]
    blocks = _count(weights, encoder) - 1
    strides = tuple(weights[f"{encoder}.{block}.0.weight"].shape[2] // 2 for block in range(blocks))
    n_codes, code_width = weights["vqvae_up.bottleneck.level_blocks.0.k"].shape
    if first.shape[1] != 3 * len(UPPER):
        raise ValueError(f"its upper body has {first.shape[1]} numbers, not {3 * len(UPPER)}")
    turned = any(name.startswith("vqvae_up.decoders_rot") for name in weights)
    conv = ConvSizes(strides, code_width, first.shape[0], _count(weights, f"{encoder}.0.1.model"))
    return VqVaeConfig("turned" if turned else "positions", n_codes, conv)


def gpt_sizes(weights: Weights) -> GptConfig:
    """Return the sizes of a GPT with these weights, heads being 64 wide; raise KeyError where one is missing."""
    n_codes, width = weights["gpt_head.head_up.weight"].shape
    block = weights["gpt_base.pos_emb"].shape[1] // N_STREAMS
    local = _local_music_sizes(weights, block) if "music_trans.pos_emb" in weights else None
    return GptConfig(
        n_codes=n_codes,
        block=block,
        width=width,
        n_heads=max(1, width // HEAD_WIDTH),
        n_base=_count(weights, "gpt_base.blocks"),
        n_head_layers=_count(weights, "gpt_head.blocks"),
        music_width=weights["gpt_base.cond_emb.weight"].shape[1],
        start=len(weights["gpt_base.tok_emb_up.weight"]) > n_codes,
        local_music=local,
    )


def _local_music_sizes(weights: Weights, block: int) -> LocalMusicConfig:
    width, features = weights["music_trans.cond_emb.weight"].shape
    frames_per_code = weights["music_trans.downsample.weight"].shape[1] // width
    n_frames = weights["music_trans.pos_emb"].shape[1]
    return LocalMusicConfig(
        features=features,
        around=(n_frames // frames_per_code - block) // 2,
        frames_per_code=frames_per_code,
        block=block,
        width=width,
        n_heads=max(1, width // HEAD_WIDTH),
        n_layers=_count(weights, "music_trans.blocks"),
    )


def _count(weights: Weights, prefix: str) -> int:
    """Return how many numbered modules there are under a name."""
    return len({name[len(prefix) + 1 :].split(".")[0] for name in weights if name.startswith(prefix + ".")})


def _content(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        with torch.serialization.safe_globals([_EASY_DICT]):
            foreign = torch.serialization.get_unsafe_globals_in_checkpoint(path)
            content = None if foreign else torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 - a damaged archive can raise almost anything
        raise UserError(f"{path} is damaged, or no checkpoint of Bailando's: copy it again") from None
    if foreign:
        raise UserError(
            f"refused to read {path}: it names {', '.join(sorted(foreign)[:3])}, which could run code and which "
            "Bailando's checkpoints do not have"
        )
    return content
