"""Residual convolutions along time, between motion features and one vector a code.

Those of Jukebox (Dhariwal et al., 2020), which Bailando (Siyao et al., CVPR 2022, section 3.1) took for dance. Names
and shapes of the parameters are those of its released checkpoints, which have one level of three halvings.
"""

from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from skeleton2stage.errors import UserError


@dataclass(frozen=True)
class ConvSizes:
    """Sizes of an encoder and of its decoder; the defaults are the released ones.

    strides: by how much each block shortens time; their product is the frames of a code. code_width: of the vector
    that stands for a code. width: of hidden layers. depth: residual blocks in a stack. dilation_growth: each is dilated
    by this many times the one before; the decoder has them in reverse.
    """

    strides: tuple[int, ...] = (2, 2, 2)
    code_width: int = 512
    width: int = 512
    depth: int = 3
    dilation_growth: int = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "strides", tuple(self.strides))
        if not self.strides or min(self.strides) < 2:
            raise UserError(f"strides must be one or more whole numbers of at least 2, not {list(self.strides)}")
        if min(self.code_width, self.width, self.depth, self.dilation_growth) < 1:
            raise UserError("code_width, width, depth and dilation_growth must be at least 1")

    @property
    def frames_per_code(self) -> int:
        """Frames that a code stands for."""
        return prod(self.strides)


class ResidualConv(nn.Module):
    """x + f(x), f a dilated convolution and a pointwise one, [B, W, T] to the same."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation),
            nn.ReLU(),
            nn.Conv1d(width, width, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        return x + self.model(x)


class ResidualStack(nn.Module):
    """Residual convolutions one after the other."""

    def __init__(self, width: int, dilations: list[int]) -> None:
        super().__init__()
        self.model = nn.Sequential(*(ResidualConv(width, dilation) for dilation in dilations))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the last one's output, [B, W, T]."""
        return self.model(x)


class Level(nn.Module):
    """A chain of layers under the name that the checkpoints give it."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the chain's output."""
        return self.model(x)


class Encoder(nn.Module):
    """Features [B, F, T] to one vector a code, [B, code_width, T / frames_per_code]."""

    def __init__(self, n_features: int, sizes: ConvSizes) -> None:
        super().__init__()
        widths = (n_features, *[sizes.width] * (len(sizes.strides) - 1))
        layers: list[nn.Module] = [
            nn.Sequential(
                nn.Conv1d(width, sizes.width, 2 * stride, stride, _padding(stride)),
                ResidualStack(sizes.width, _dilations(sizes)),
            )
            for width, stride in zip(widths, sizes.strides, strict=True)
        ]
        layers.append(nn.Conv1d(sizes.width, sizes.code_width, 3, padding=1))
        self.level_blocks = nn.ModuleList([Level(layers)])

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the vectors."""
        return self.level_blocks[0](features)


class Decoder(nn.Module):
    """One vector a code, [B, code_width, S], to features [B, F, S * frames_per_code]."""

    def __init__(self, n_features: int, sizes: ConvSizes) -> None:
        super().__init__()
        widths = (*[sizes.width] * (len(sizes.strides) - 1), sizes.code_width)
        layers: list[nn.Module] = [nn.Conv1d(sizes.code_width, sizes.width, 3, padding=1)]
        layers += [
            nn.Sequential(
                ResidualStack(sizes.width, _dilations(sizes)[::-1]),
                # An odd stride lacks one frame at the end, which an even one has.
                nn.ConvTranspose1d(sizes.width, width, 2 * stride, stride, _padding(stride), output_padding=stride % 2),
            )
            for width, stride in zip(widths, sizes.strides[::-1], strict=True)
        ]
        self.level_blocks = nn.ModuleList([Level(layers)])
        self.out = nn.Conv1d(sizes.code_width, n_features, 3, padding=1)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the features."""
        return self.out(self.level_blocks[0](vectors))


def _padding(stride: int) -> int:
    """Return the padding with which T frames become exactly T / stride, and back."""
    return (stride + 1) // 2


def _dilations(sizes: ConvSizes) -> list[int]:
    return [sizes.dilation_growth**depth for depth in range(sizes.depth)]
