"""What a GPT of codes hears: features a frame, brought to one vector a code.

Ours stacks the frames of a code and of its neighbours, so that a beat's place within the code is kept; Bailando's are
computed once a code, at 7.5 Hz; Bailando++ (TPAMI 2023) has a transformer that listens a few codes around,
`LocalMusic`.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from skeleton2stage.errors import UserError


def stacked(music: torch.Tensor, frames_per_code: int, around: int) -> torch.Tensor:
    """Return the music of each code, [B, S, (2 around + 1) frames_per_code F], of features [B, T, F].

    It holds the frames of the code and of `around` codes before and after it; beyond the ends there are zeros.
    """
    if music.shape[1] % frames_per_code:
        raise UserError(
            f"music of {music.shape[1]} frames does not come out even in codes of {frames_per_code} frames"
        )
    codes = music.unflatten(1, (-1, frames_per_code)).flatten(2)
    padded = functional.pad(codes, (0, 0, around, around))
    return torch.cat([padded[:, i : i + codes.shape[1]] for i in range(2 * around + 1)], dim=-1)


@dataclass(frozen=True)
class LocalMusicConfig:
    """Sizes of Bailando++'s encoder of music; the defaults are the released ones.

    features: of a frame. around: codes before and after that a frame attends to, and that the music given must have
    besides those danced to. frames_per_code, block, width, n_heads, n_layers, dropout: as of the GPT.
    """

    features: int = 55
    around: int = 5
    frames_per_code: int = 8
    block: int = 29
    width: int = 768
    n_heads: int = 12
    n_layers: int = 3
    dropout: float = 0.1


class _Attention(nn.Module):
    """Attention among frames that are near each other."""

    def __init__(self, config: LocalMusicConfig) -> None:
        super().__init__()
        self.key = nn.Linear(config.width, config.width)
        self.query = nn.Linear(config.width, config.width)
        self.value = nn.Linear(config.width, config.width)
        self.proj = nn.Linear(config.width, config.width)
        self.n_heads, self.reach, self.dropout = config.n_heads, config.around * config.frames_per_code, config.dropout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (layer(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
                             for layer in (self.query, self.key, self.value))
        frames = torch.arange(x.shape[1], device=x.device)
        near = (frames[:, None] - frames).abs() <= self.reach
        dropout = self.dropout if self.training else 0.0
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=near, dropout_p=dropout)
        return functional.dropout(self.proj(attended.transpose(1, 2).flatten(2)), self.dropout, self.training)


class _Block(nn.Module):
    """A layer of `LocalMusic`."""

    def __init__(self, config: LocalMusicConfig) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(config.width), nn.LayerNorm(config.width)
        self.attn = _Attention(config)
        self.mlp = nn.Sequential(
            nn.Linear(config.width, 4 * config.width),
            nn.GELU(),
            nn.Linear(4 * config.width, config.width),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class LocalMusic(nn.Module):
    """Features of frames [B, (S + 2 around) frames_per_code, F] to one vector a code, [B, S, W]."""

    def __init__(self, config: LocalMusicConfig) -> None:
        super().__init__()
        self.config = config
        n_frames = (config.block + 2 * config.around) * config.frames_per_code
        # In the released checkpoints, but their network does not add it.
        self.pos_emb = nn.Parameter(torch.zeros(1, n_frames, config.width))
        self.cond_emb = nn.Linear(config.features, config.width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.n_layers))
        self.downsample = nn.Linear(config.width * config.frames_per_code, config.width)

    def forward(self, music: torch.Tensor) -> torch.Tensor:
        """Return the vectors."""
        margin = self.config.around * self.config.frames_per_code
        if music.shape[1] <= 2 * margin or music.shape[1] % self.config.frames_per_code:
            raise UserError(
                f"music needs {margin} frames before and after the dance and {self.config.frames_per_code} a code, "
                f"which {music.shape[1]} frames are not"
            )
        x = functional.dropout(self.cond_emb(music), self.config.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        inner = x[:, margin : x.shape[1] - margin]
        return self.downsample(inner.unflatten(1, (-1, self.config.frames_per_code)).flatten(2))
