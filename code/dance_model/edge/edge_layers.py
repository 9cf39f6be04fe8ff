"""Building blocks of EDGE's denoiser; their parameter names are those of its released checkpoints.

Tseng, Castellon, Liu, "EDGE: Editable Dance Generation From Music", CVPR 2023.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

KeysValues = tuple[torch.Tensor, torch.Tensor]  # each [B, heads, N, L / heads]
ROTARY_BASE = 10_000.0


class SinusoidalEmbedding(nn.Module):
    """Sines and cosines of a denoising time, as in "Attention Is All You Need"."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, times: torch.Tensor) -> torch.Tensor:
        """Return [B, width] of times [B]: first the sines, then the cosines."""
        half = self.width // 2
        exponents = torch.arange(half, device=times.device) * (-math.log(ROTARY_BASE) / (half - 1))
        angles = times[:, None] * exponents.exp()
        return torch.cat((angles.sin(), angles.cos()), dim=-1)


class RotaryEmbedding(nn.Module):
    """Rotary position embedding over the whole latent width, before the heads split (EDGE's way).

    Su et al., "RoFormer", 2021, eq. 34: features 2i and 2i + 1 turn by position x theta_i.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("freqs", ROTARY_BASE ** (-torch.arange(0, width, 2).float() / width))

    def turns(self, n_positions: int) -> torch.Tensor:
        """Return what `rotate` needs of each position and feature, [2, N, L]: its own factor, its partner's."""
        angles = torch.arange(n_positions, device=self.freqs.device)[:, None] * self.freqs
        sine = angles.sin()
        return torch.stack((angles.cos().repeat_interleave(2, dim=-1), torch.stack((-sine, sine), dim=-1).flatten(-2)))


def rotate(x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """Return tokens [B, N, L] turned by `turns` [2, N, L].

    In real numbers: a compiler can fuse these with their neighbours, and complex ones not.
    """
    partners = x.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    return torch.addcmul(x * turns[0], partners, turns[1]).to(x.dtype)


class Attention(nn.Module):
    """Multi-head attention with the parameters of `nn.MultiheadAttention`, keys and values reusable."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.width, self.n_heads, self.dropout = width, n_heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def self_attend(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """Return tokens [B, N, L] attending to one another; queries and keys are turned, values not."""
        queries_keys = self._project(rotate(x, turns), 0, 2)
        queries, keys = (self._split_heads(part) for part in queries_keys.chunk(2, dim=-1))
        values = self._split_heads(self._project(x, 2, 3))
        return self._attend(queries, keys, values)

    def attend(self, x: torch.Tensor, turns: torch.Tensor, memory: KeysValues) -> torch.Tensor:
        """Return tokens [B, N, L] attending to keys and values made by `keys_values`."""
        return self._attend(self._split_heads(self._project(rotate(x, turns), 0, 1)), *memory)

    def keys_values(self, memory: torch.Tensor, turns: torch.Tensor) -> KeysValues:
        """Return the keys and values of memory tokens [B, M, L] at the positions of `turns` [2, M, L]."""
        keys = self._project(rotate(memory, turns), 1, 2)
        return self._split_heads(keys), self._split_heads(self._project(memory, 2, 3))

    def _project(self, x: torch.Tensor, first: int, stop: int) -> torch.Tensor:
        rows = slice(first * self.width, stop * self.width)
        return F.linear(x, self.in_proj_weight[rows], self.in_proj_bias[rows])

    def _split_heads(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def _attend(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout)
        return self.out_proj(mixed.transpose(1, 2).flatten(-2))


class FiLM(nn.Module):
    """Feature-wise linear modulation of a residual branch by time and music (Perez et al., 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Mish(), nn.Linear(width, 2 * width))

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return (1 + scale) x + shift for tokens [B, N, L] and a condition [B, L]."""
        scale, shift = self.block(condition).unsqueeze(1).chunk(2, dim=-1)
        return torch.addcmul(shift, x, scale + 1)


class EncoderLayer(nn.Module):
    """A pre-norm transformer encoder layer over music tokens."""

    def __init__(
        self, width: int, feedforward: int, n_heads: int, dropout: float, rotary: RotaryEmbedding
    ) -> None:
        super().__init__()
        self.self_attn = Attention(width, n_heads, dropout)
        self.linear1, self.linear2 = nn.Linear(width, feedforward), nn.Linear(feedforward, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.rotary = rotary

    def forward(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """Return encoded tokens [B, N, L]."""
        x = x + self.dropout(self.self_attn.self_attend(self.norm1(x), turns))
        hidden = self.dropout(F.gelu(self.linear1(self.norm2(x))))
        return x + self.dropout(self.linear2(hidden))


class DecoderLayer(nn.Module):
    """A pre-norm decoder layer: self-attention, cross-attention, feed-forward, each modulated by FiLM."""

    def __init__(
        self, width: int, feedforward: int, n_heads: int, dropout: float, rotary: RotaryEmbedding
    ) -> None:
        super().__init__()
        self.self_attn = Attention(width, n_heads, dropout)
        self.multihead_attn = Attention(width, n_heads, dropout)
        self.linear1, self.linear2 = nn.Linear(width, feedforward), nn.Linear(feedforward, width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.film1, self.film2, self.film3 = (FiLM(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.rotary = rotary

    def forward(
        self, x: torch.Tensor, turns: torch.Tensor, memory: KeysValues, condition: torch.Tensor
    ) -> torch.Tensor:
        """Return tokens [B, N, L] after attending to `memory`, modulated by `condition` [B, L]."""
        x = x + self.film1(self.dropout(self.self_attn.self_attend(self.norm1(x), turns)), condition)
        attended = self.multihead_attn.attend(self.norm2(x), turns, memory)
        x = x + self.film2(self.dropout(attended), condition)
        hidden = self.dropout(F.gelu(self.linear1(self.norm3(x))))
        return x + self.film3(self.dropout(self.linear2(hidden)), condition)
