"""The cross-conditional GPT: what upper and lower body do next, from what both did and from the music.

Bailando (Siyao et al., CVPR 2022, section 3.3). Three streams of tokens run side by side, music, upper and
lower body; a token attends to those of all three streams that are not later. Names and shapes of the parameters are
those of the released checkpoints. Their triangular masks, which are stored there, follow from the size.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from dance_model.bailando.local_music import LocalMusic, LocalMusicConfig
from skeleton2stage.errors import UserError

N_STREAMS = 3  # music, upper body, lower body


@dataclass(frozen=True)
class GptConfig:
    """Sizes of a GPT; the defaults are the released ones.

    n_codes: of each codebook. block: codes that it sees at most. width, n_heads: of its tokens. n_base, n_head_layers:
    layers, in the two parts that Bailando trains apart. music_width: of the music of one code. dropout: in training.
    start: whether there is a token that stands before the first code, so that this one too is drawn; the released ones
    are given their first code. local_music: Bailando++'s encoder of the music, instead of one vector a code.
    """

    n_codes: int = 512
    block: int = 29
    width: int = 768
    n_heads: int = 12
    n_base: int = 6
    n_head_layers: int = 6
    music_width: int = 438
    dropout: float = 0.1
    start: bool = True
    local_music: LocalMusicConfig | None = None

    def __post_init__(self) -> None:
        if min(self.n_heads, self.block, self.n_base, self.n_head_layers, self.music_width) < 1 or self.n_codes < 2:
            raise UserError("a GPT needs at least 2 codes, and at least 1 head, code in sight, layer and music feature")
        if self.width % self.n_heads:
            raise UserError(f"width must be a multiple of n_heads = {self.n_heads}, not {self.width}")


class Logits(NamedTuple):
    """Unnormalised log-probabilities of each stream's codes, [B, S, n_codes] each."""

    upper: torch.Tensor
    lower: torch.Tensor


class KeysValues:
    """What a layer remembers of the tokens so far: keys and values [B, heads, n, width / heads]."""

    def __init__(self) -> None:
        self.keys: torch.Tensor | None = None
        self.values: torch.Tensor | None = None

    def extended(self, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the newest tokens' and return all."""
        if self.keys is not None:
            keys, values = torch.cat((self.keys, keys), dim=2), torch.cat((self.values, values), dim=2)
        self.keys, self.values = keys, values
        return keys, values


class CrossAttention(nn.Module):
    """Attention among the three streams, blind to the future of each."""

    def __init__(self, config: GptConfig) -> None:
        super().__init__()
        self.key = nn.Linear(config.width, config.width)
        self.query = nn.Linear(config.width, config.width)
        self.value = nn.Linear(config.width, config.width)
        self.proj = nn.Linear(config.width, config.width)
        self.n_heads, self.dropout = config.n_heads, config.dropout

    def forward(self, x: torch.Tensor, memory: KeysValues | None = None) -> torch.Tensor:
        """Return [B, 3 n, W] of tokens [B, 3 n, W], stream after stream; with a memory they are one moment's, n = 1."""
        query, key, value = (layer(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
                             for layer in (self.query, self.key, self.value))
        mask = None
        if memory is None:
            n = x.shape[1] // N_STREAMS
            mask = torch.ones(n, n, dtype=torch.bool, device=x.device).tril().tile(N_STREAMS, N_STREAMS)
        else:
            key, value = memory.extended(key, value)
        dropout = self.dropout if self.training else 0.0
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        return functional.dropout(self.proj(attended.transpose(1, 2).flatten(2)), self.dropout, self.training)


class Block(nn.Module):
    """A layer: attention, then two linear maps, both added to what came in."""

    def __init__(self, config: GptConfig) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(config.width), nn.LayerNorm(config.width)
        self.attn = CrossAttention(config)
        self.mlp = nn.Sequential(
            nn.Linear(config.width, 4 * config.width),
            nn.GELU(),
            nn.Linear(4 * config.width, config.width),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: torch.Tensor, memory: KeysValues | None = None) -> torch.Tensor:
        """Return [B, 3 n, W]."""
        x = x + self.attn(self.ln1(x), memory)
        return x + self.mlp(self.ln2(x))


class Base(nn.Module):
    """Tokens of music and codes, and the first layers."""

    def __init__(self, config: GptConfig) -> None:
        super().__init__()
        n_tokens = config.n_codes + config.start
        self.tok_emb_up = nn.Embedding(n_tokens, config.width)
        self.tok_emb_down = nn.Embedding(n_tokens, config.width)
        self.pos_emb = nn.Parameter(torch.zeros(1, config.block * N_STREAMS, config.width))
        self.cond_emb = nn.Linear(config.music_width, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_base))
        self.block, self.dropout = config.block, config.dropout

    def tokens(self, codes: torch.Tensor, music: torch.Tensor, first: int) -> torch.Tensor:
        """Return the tokens [B, 3 n, W] of moments `first` and on: codes [B, n, 2] gone by, music [B, n, M] to come."""
        streams = (self.cond_emb(music), self.tok_emb_up(codes[..., 0]), self.tok_emb_down(codes[..., 1]))
        places = self.pos_emb[0].unflatten(0, (N_STREAMS, self.block))[:, first : first + codes.shape[1]]
        return functional.dropout(torch.cat(streams, dim=1) + places.flatten(0, 1), self.dropout, self.training)


class Head(nn.Module):
    """The last layers, and what they say of the next codes."""

    def __init__(self, config: GptConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_head_layers))
        self.ln_f = nn.LayerNorm(config.width)
        self.head_up = nn.Linear(config.width, config.n_codes, bias=False)
        self.head_down = nn.Linear(config.width, config.n_codes, bias=False)

    def logits(self, x: torch.Tensor) -> Logits:
        """Return the logits of tokens [B, 3 n, W]; those of the music say nothing."""
        _, upper, lower = self.ln_f(x).chunk(N_STREAMS, dim=1)
        return Logits(self.head_up(upper), self.head_down(lower))


class CrossConditionalGpt(nn.Module):
    """The distribution of the next codes of both halves, given the codes so far and the music up to the next one."""

    def __init__(self, config: GptConfig) -> None:
        super().__init__()
        self.config = config
        if config.local_music is not None:
            self.music_trans = LocalMusic(config.local_music)
        self.gpt_base, self.gpt_head = Base(config), Head(config)
        self.apply(_initialise)

    @property
    def layers(self) -> list[Block]:
        """All layers, in order."""
        return [*self.gpt_base.blocks, *self.gpt_head.blocks]

    def memory(self) -> list[KeysValues]:
        """Return an empty memory, for sampling code by code."""
        return [KeysValues() for _ in self.layers]

    def encode_music(self, music: torch.Tensor) -> torch.Tensor:
        """Return the music of each code, [B, n, M], of what the GPT listens to."""
        return self.music_trans(music) if self.config.local_music is not None else music

    def forward(
        self, codes: torch.Tensor, music: torch.Tensor, memory: list[KeysValues] | None = None, first: int = 0
    ) -> Logits:
        """Return what comes after each of codes [B, n, 2], to `encode_music` of what comes then, [B, n, M].

        With a memory, codes and music are of one moment, the one numbered `first`.
        """
        self._check(codes, music, first)
        x = self.gpt_base.tokens(codes, music, first)
        for number, layer in enumerate(self.layers):
            x = layer(x, None if memory is None else memory[number])
        return self.gpt_head.logits(x)

    def started(self, codes: torch.Tensor) -> torch.Tensor:
        """Return what precedes each of codes [B, S, 2]: the start, then all but the last."""
        if not self.config.start:
            raise UserError("this GPT has no token to start from: give it the first code, as Bailando does")
        start = torch.full_like(codes[:, :1], self.config.n_codes)
        return torch.cat((start, codes[:, :-1]), dim=1)

    def _check(self, codes: torch.Tensor, music: torch.Tensor, first: int) -> None:
        if first + codes.shape[1] > self.config.block:
            raise UserError(f"this GPT sees {self.config.block} codes at most, not {first + codes.shape[1]}")
        if tuple(music.shape[:2]) != tuple(codes.shape[:2]) or music.shape[2] != self.config.music_width:
            raise UserError(
                f"{codes.shape[1]} codes need music [{codes.shape[0]}, {codes.shape[1]}, {self.config.music_width}], "
                f"not {list(music.shape)}"
            )


def _initialise(module: nn.Module) -> None:
    """Set weights as GPT-2 does: N(0, 0.02), biases 0."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
