"""EDGE's denoiser: from a noisy motion, a denoising time and music to the clean motion.

What depends on the music alone (tokens, their keys and values in every layer, the pooled vector) is
computed once by `encode_music` and used at every denoising step.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import nn

from dance_model.diffusion.denoiser import Denoiser
from dance_model.edge.edge_layers import DecoderLayer, EncoderLayer, KeysValues, RotaryEmbedding, SinusoidalEmbedding
from skeleton2stage.errors import UserError
from skeleton2stage.limits import LARGEST_WIDTH, MOST_LAYERS
from skeleton2stage.motion.motion import FPS
from skeleton2stage.settings import check_own_settings, setting

N_ENCODER_LAYERS = 2
N_TIME_TOKENS = 2


@dataclass(frozen=True)
class DenoiserConfig:
    """Sizes of a denoiser; the defaults are EDGE's released ones with its 35-d music features."""

    motion_width: int = setting("features of a frame of motion", default=151, minimum=1, maximum=LARGEST_WIDTH)
    window_frames: int = setting("frames of a window: 5 s", default=150, minimum=1, maximum=LARGEST_WIDTH)
    latent_width: int = setting("width of tokens", default=512, minimum=1, maximum=LARGEST_WIDTH)
    feedforward_width: int = setting(
        "hidden width of the feed-forward parts", default=1024, minimum=1, maximum=LARGEST_WIDTH
    )
    n_layers: int = setting("decoder layers", default=8, minimum=1, maximum=MOST_LAYERS)
    n_heads: int = setting("attention heads", default=8, minimum=1, maximum=LARGEST_WIDTH)
    music_width: int = setting("features of a frame of music", default=35, minimum=1, maximum=LARGEST_WIDTH)
    dropout: float = setting(
        "share of activations dropped in training; of small models it makes the dances dull",
        default=0.1, minimum=0, below=1,
    )
    data_std: float = setting(
        "above 0: predict what x_t does not already tell, of scaled motions of this deviation", default=0.0, minimum=0,
        maximum=1e3,
    )
    cutoff_hz: float = setting(
        "above 0: predictions hold nothing faster than this along time", default=0.0, minimum=0, below=FPS / 2
    )
    place_range: float = setting(
        "the pelvis' place on the floor is scaled to within ± this, all else to within ± 1",
        default=1.0, minimum=1, maximum=1e3,
    )
    frame_music: bool = setting(
        "tell each frame of motion its own music too, besides what it attends to", default=False
    )

    def __post_init__(self) -> None:
        check_own_settings(self)
        if self.latent_width % (2 * self.n_heads):
            raise UserError(
                f"latent_width must be a multiple of 2 x n_heads = {2 * self.n_heads}, "
                f"not {self.latent_width}"
            )

    def differences(self, other: "DenoiserConfig") -> dict[str, tuple[float, float]]:
        """Return (own value, other's) by name where they differ; dropout, on which no weight depends, is left out."""
        ours, theirs = asdict(self), asdict(other)
        return {n: (ours[n], theirs[n]) for n in ours if n != "dropout" and ours[n] != theirs[n]}


@dataclass(frozen=True)
class MusicEncoding:
    """What the decoder needs of B windows of music.

    pooled: [B, L], added to the time for FiLM.
    keys, values: for each decoder layer [B, heads, T, L / heads], for cross-attention.
    frames: with `frame_music` [B, T, L], added to the tokens of motion frame by frame.
    """

    pooled: torch.Tensor
    keys: tuple[torch.Tensor, ...]
    values: tuple[torch.Tensor, ...]
    frames: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.pooled)

    def repeat(self, n: int) -> "MusicEncoding":
        """Return every window n times, copies side by side: [B * n, ...]."""
        return self._map(lambda x: x.repeat_interleave(n, dim=0))

    def expand(self, n: int) -> "MusicEncoding":
        """Return the only window n times over, [n], without a copy.

        On a CPU the gradient of an index with repeats adds up in the order in which threads come.
        """
        return self._map(lambda x: x.expand(n, *x.shape[1:]))

    def select(self, index: torch.Tensor | slice) -> "MusicEncoding":
        """Return the chosen windows."""
        return self._map(lambda x: x[index])

    def tile_guided(self, n: int) -> "MusicEncoding":
        """Return a guided encoding [2B] for n steps at once, [2 n B]: all of each half n times over."""
        # By expanding: the gradient of an index with repeats adds up one row at a time.
        return self._map(lambda x: x.unflatten(0, (2, 1, -1)).expand(-1, n, *[-1] * x.ndim).flatten(0, 2))

    def detach(self) -> "MusicEncoding":
        """Return the encoding cut off from the graph."""
        return self._map(torch.Tensor.detach)

    def _map(self, function: Callable[[torch.Tensor], torch.Tensor]) -> "MusicEncoding":
        keys, values = (tuple(function(x) for x in part) for part in (self.keys, self.values))
        frames = None if self.frames is None else function(self.frames)
        return MusicEncoding(function(self.pooled), keys, values, frames)

    def tensors(self) -> list[torch.Tensor]:
        """Return all parts, always in the same order."""
        frames = [] if self.frames is None else [self.frames]
        return [self.pooled, *self.keys, *self.values, *frames]

    @staticmethod
    def concatenate(parts: "Sequence[MusicEncoding]") -> "MusicEncoding":
        """Return the windows of all `parts` in order."""
        keys, values = (
            tuple(torch.cat(layer) for layer in zip(*columns, strict=True))
            for columns in ([part.keys for part in parts], [part.values for part in parts])
        )
        frames = None if parts[0].frames is None else torch.cat([part.frames for part in parts])
        return MusicEncoding(torch.cat([part.pooled for part in parts]), keys, values, frames)


class DecoderStack(nn.Module):
    """The decoder layers, under the name that EDGE's checkpoints give them."""

    def __init__(self, layers: list[DecoderLayer]) -> None:
        super().__init__()
        self.stack = nn.ModuleList(layers)


class TimeTokens(nn.Linear):
    """The projection of a time to its tokens, [B, 4 L] to [B, 2, L]."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the tokens."""
        return super().forward(hidden).unflatten(-1, (N_TIME_TOKENS, -1))


class DanceDecoder(Denoiser):
    """EDGE's `DanceDecoder`; names and shapes of its parameters are those of the released checkpoints."""

    family = "edge"

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__(config)
        width, sizes = config.latent_width, (
            config.latent_width, config.feedforward_width, config.n_heads, config.dropout
        )
        self.rotary = RotaryEmbedding(width)
        self.time_mlp = nn.Sequential(SinusoidalEmbedding(width), nn.Linear(width, 4 * width), nn.Mish())
        self.to_time_cond = nn.Sequential(nn.Linear(4 * width, width))
        self.to_time_tokens = nn.Sequential(TimeTokens(4 * width, N_TIME_TOKENS * width))
        self.null_cond_embed = nn.Parameter(torch.randn(1, config.window_frames, width))
        self.null_cond_hidden = nn.Parameter(torch.randn(1, width))
        self.norm_cond = nn.LayerNorm(width)
        self.input_projection = nn.Linear(config.motion_width, width)
        self.cond_encoder = nn.ModuleList(EncoderLayer(*sizes, self.rotary) for _ in range(N_ENCODER_LAYERS))
        self.cond_projection = nn.Linear(config.music_width, width)
        self.non_attn_cond_projection = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
        )
        layers = [DecoderLayer(*sizes, self.rotary) for _ in range(config.n_layers)]
        self.seqTransDecoder = DecoderStack(layers)
        self.final_layer = nn.Linear(width, config.motion_width)
        if config.frame_music:
            self.frame_music = nn.Linear(width, width)

    def encode_music(self, music: torch.Tensor, keep: torch.Tensor | None = None) -> MusicEncoding:
        """Return the encoding of music features [B, T, F].

        Where `keep` [B] (bool) is False the window counts as unconditional: the learned null condition.
        """
        self._check_window("music", music, self.config.music_width)
        turns = self.rotary.turns(music.shape[1])
        tokens = self.cond_projection(music)
        for layer in self.cond_encoder:
            tokens = layer(tokens, turns)
        pooled = self.non_attn_cond_projection(tokens.mean(dim=-2))
        if keep is not None:
            tokens = torch.where(keep[:, None, None], tokens, self.null_cond_embed)
            pooled = torch.where(keep[:, None], pooled, self.null_cond_hidden)
        return self._encoding(tokens, pooled, turns)

    def encode_nothing(self, batch: int) -> MusicEncoding:
        """Return the encoding of `batch` unconditional windows."""
        turns = self.rotary.turns(self.config.window_frames)
        one = self._encoding(self.null_cond_embed, self.null_cond_hidden, turns)
        return one.expand(batch)

    def forward_encoded(self, x: torch.Tensor, times: torch.Tensor, encoding: MusicEncoding) -> torch.Tensor:
        """Return the predicted clean motion [B, T, D] of noisy x [B, T, D] at times [B] (int64)."""
        self._check_batch(x, times, encoding)
        hidden = self.time_mlp(times)
        condition = self.to_time_cond(hidden) + encoding.pooled
        time_tokens = self.norm_cond(self.to_time_tokens(hidden))
        turns = self.rotary.turns(x.shape[1] + N_TIME_TOKENS)
        motion_turns, time_turns = turns[:, : x.shape[1]], turns[:, x.shape[1] :]
        # Sixteen bits would round a pelvis 2 m off to the nearest centimetre, another way in each frame.
        with torch.autocast(x.device.type, enabled=False):
            tokens = self.input_projection(x.float())
        if encoding.frames is not None:
            tokens = tokens + encoding.frames
        music = zip(encoding.keys, encoding.values, strict=True)
        for layer, keys_values in zip(self.seqTransDecoder.stack, music, strict=True):
            memory = _appended(keys_values, layer.multihead_attn.keys_values(time_tokens, time_turns))
            tokens = layer(tokens, motion_turns, memory, condition)
        with torch.autocast(x.device.type, enabled=False):  # for the same reason
            return self._finished(x.float(), times, self.final_layer(tokens.float()))

    def _encoding(self, tokens: torch.Tensor, pooled: torch.Tensor, turns: torch.Tensor) -> MusicEncoding:
        # The norm acts on each token alone, so normalising the music before the time joins it is exact.
        tokens = self.norm_cond(tokens)
        pairs = [layer.multihead_attn.keys_values(tokens, turns) for layer in self.seqTransDecoder.stack]
        keys, values = zip(*pairs, strict=True)
        return MusicEncoding(pooled, keys, values, self.frame_music(tokens) if self.config.frame_music else None)


def _appended(first: KeysValues, second: KeysValues) -> KeysValues:
    return torch.cat((first[0], second[0]), dim=2), torch.cat((first[1], second[1]), dim=2)


def n_parameters(model: nn.Module) -> int:
    """Return the number of trainable values of a model."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
