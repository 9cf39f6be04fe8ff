"""The whole of a Bailando model: VQ-VAE, GPT, and the scale of the music."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from dance_model.bailando.conv import ConvSizes
from dance_model.bailando.gpt import CrossConditionalGpt, GptConfig
from dance_model.bailando.local_music import stacked
from dance_model.bailando.vqvae import VqVae, VqVaeConfig
from skeleton2stage.errors import UserError


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of a model.

    window_frames: of a window of music and dance, at 30 fps. music_features: of a frame. music_around: codes before and
    after each whose music it hears besides its own.
    """

    vqvae: VqVaeConfig
    gpt: GptConfig
    window_frames: int = 150
    music_features: int = 35
    music_around: int = 1

    def __post_init__(self) -> None:
        frames, width = self.vqvae.conv.frames_per_code, self.heard_width
        if self.vqvae.form != "rotations":
            raise UserError(
                f"a policy's VQ-VAE is of rotations; one of {self.vqvae.form} only decodes (`released_bailando.py`)"
            )
        if self.window_frames % frames:
            raise UserError(f"a window of {self.window_frames} frames does not come out even in codes of {frames}")
        if self.gpt.n_codes != self.vqvae.n_codes or not self.gpt.start or self.gpt.local_music is not None:
            raise UserError("the GPT must write the VQ-VAE's codes, from its own start, and hear stacked music")
        if self.gpt.block < self.n_moments:
            raise UserError(f"a window has {self.n_moments} codes, but the GPT sees {self.gpt.block} at most")
        if self.gpt.music_width != width:
            raise UserError(f"the music of a code is {width} wide, but the GPT takes {self.gpt.music_width}")

    @property
    def n_moments(self) -> int:
        """Codes of a window, for each half of the body."""
        return self.window_frames // self.vqvae.conv.frames_per_code

    @property
    def heard_width(self) -> int:
        """Width of the music of one code."""
        return (2 * self.music_around + 1) * self.vqvae.conv.frames_per_code * self.music_features

    def plain(self) -> dict[str, Any]:
        """Return it as numbers, strings, lists and dictionaries."""
        plain = asdict(self)
        plain["vqvae"]["conv"]["strides"] = list(self.vqvae.conv.strides)
        return plain

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "NetworkConfig":
        """Return what `plain` gave; raise UserError where that does not fit together."""
        try:
            vqvae, gpt = dict(plain["vqvae"]), GptConfig(**plain["gpt"])
            vqvae["conv"] = ConvSizes(**vqvae["conv"])
            rest = {name: value for name, value in plain.items() if name not in ("vqvae", "gpt")}
            return cls(VqVaeConfig(**vqvae), gpt, **rest)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"this is no description of a Bailando model ({error})") from None


def network_config(
    conv: ConvSizes,
    n_codes: int,
    gpt_width: int,
    gpt_heads: int,
    gpt_layers: int,
    dropout: float = 0.1,
    window_frames: int = 150,
    music_features: int = 35,
    music_around: int = 1,
) -> NetworkConfig:
    """Return sizes that fit together; half of the GPT's layers (an even number) are in each of its parts."""
    heard = (2 * music_around + 1) * conv.frames_per_code * music_features
    block = -(-window_frames // conv.frames_per_code)
    gpt = GptConfig(n_codes, block, gpt_width, gpt_heads, gpt_layers // 2, gpt_layers // 2, heard, dropout)
    return NetworkConfig(VqVaeConfig("rotations", n_codes, conv), gpt, window_frames, music_features, music_around)


@dataclass(frozen=True)
class MusicScale:
    """Mean and deviation of features of music, [F] each."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def of(cls, music: torch.Tensor) -> "MusicScale":
        """Return those of features [..., F]; constant ones keep their scale."""
        flat = music.flatten(0, -2)
        deviation = flat.std(dim=0)
        return cls(flat.mean(dim=0), torch.where(deviation > 1e-4, deviation, torch.ones_like(deviation)))


class BailandoNetwork(nn.Module):
    """VQ-VAE and GPT together; the GPT alone is trained once the VQ-VAE is frozen."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.vqvae, self.gpt = VqVae(config.vqvae), CrossConditionalGpt(config.gpt)
        self.register_buffer("music_mean", torch.zeros(config.music_features))
        self.register_buffer("music_deviation", torch.ones(config.music_features))

    def scale_music(self, scale: MusicScale) -> None:
        """Take the scale of the music that it is trained on."""
        self.music_mean.copy_(scale.mean)
        self.music_deviation.copy_(scale.deviation)

    def heard(self, music: torch.Tensor) -> torch.Tensor:
        """Return the music of each code, [N, S, M], of features [N, T, F]."""
        if music.ndim != 3 or music.shape[2] != self.config.music_features:
            raise UserError(f"this model hears {self.config.music_features} features a frame, not {list(music.shape)}")
        scaled = (music - self.music_mean) / self.music_deviation
        return stacked(scaled, self.vqvae.frames_per_code, self.config.music_around)


def n_parameters(module: nn.Module) -> int:
    """Return the numbers that a checkpoint of the module stores."""
    return sum(value.numel() for value in module.state_dict().values())
