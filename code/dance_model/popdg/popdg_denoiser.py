"""POPDG's denoiser: from a noisy motion, a denoising time and music to the clean motion, and a variance.

It is called as EDGE's is. What depends on the music alone (tokens, their keys and values in every layer, the pooled
vector) is computed once by `encode_music` and used at every denoising step.
"""

from dataclasses import dataclass

import torch
from torch import nn

from dance_model.diffusion.denoiser import Denoiser
from dance_model.edge.edge_denoiser import DecoderStack, DenoiserConfig, MusicEncoding
from dance_model.edge.edge_layers import RotaryEmbedding
from dance_model.popdg.popdg_layers import N_TIME_TOKENS, DanceLayer, MusicLayer, MusicPooling, TimeEmbedding
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import POPDG
from skeleton2stage.music.kinds import JUKEBOX, WIDTHS
from skeleton2stage.settings import setting

N_MUSIC_LAYERS = 2
CONVOLUTIONS = ("none", "idle", "used")


@dataclass(frozen=True)
class PopdgConfig(DenoiserConfig):
    """Sizes of a denoiser; the defaults are POPDG's released ones, which dance to Jukebox features.

    convolutions: those along frames before means over frames. The released network has them, in 32.8 of its 92.7
    million parameters, and by its code leaves them "idle"; "used" and "none" are for models of one's own.
    """

    motion_width: int = setting("features of a frame of motion", default=POPDG.width, minimum=1)
    music_width: int = setting("features of a frame of music", default=WIDTHS[JUKEBOX], minimum=1)
    joint_heads: int = setting("heads of the attention among joints, each POPDG.width wide", default=4, minimum=1)
    frame_heads: int = setting(
        "heads of the attention among features of music, which share a window's frames", default=5, minimum=1
    )
    convolutions: str = setting(
        "those along frames: none, idle, used", default="idle", choices=CONVOLUTIONS, called="choice of convolutions"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window_frames % self.frame_heads:
            raise UserError(f"frame_heads must divide window_frames = {self.window_frames}, not be {self.frame_heads}")


class PopdgDenoiser(Denoiser):
    """POPDG's `Model`; names and shapes of its parameters are those of the released checkpoints.

    It predicts x_0, and beside it v in [-1, 1], where between two bounds the logarithm of the reverse process' variance
    lies (see `losses.log_variance`). DDIM does not use v: it is there for the loss.
    """

    family = "popdg"
    config: PopdgConfig

    def __init__(self, config: PopdgConfig) -> None:
        super().__init__(config)
        width = config.latent_width
        self.rotary = RotaryEmbedding(width)
        sizes = (width, config.feedforward_width, config.n_heads, config.dropout, self.rotary)
        self.TimeEmbed = TimeEmbedding(width)
        self.null_music_embed = nn.Parameter(torch.randn(1, config.window_frames, width))
        self.norm_music = nn.LayerNorm(width)
        self.music_temporalcoding = MusicPooling(width, config.convolutions)
        self.input_projection = nn.Linear(config.motion_width, width)
        self.music_encoder = nn.ModuleList(
            MusicLayer(*sizes, config.window_frames, config.frame_heads) for _ in range(N_MUSIC_LAYERS)
        )
        self.cond_projection = nn.Linear(config.music_width, width)
        self.DecoderSequence = DecoderStack(
            [DanceLayer(*sizes, config.joint_heads, config.convolutions) for _ in range(config.n_layers)]
        )
        self.final_layer = nn.Linear(width, config.motion_width)
        self.variance_layer = nn.Linear(width, config.motion_width)
        if config.frame_music:
            self.frame_music = nn.Linear(width, width)

    def encode_music(self, music: torch.Tensor, keep: torch.Tensor | None = None) -> MusicEncoding:
        """Return the encoding of music features [B, T, F].

        Where `keep` [B] (bool) is False the window counts as unconditional, tokens and pooled vector alike. (In
        training POPDG draws for the two by themselves, and so trains what guidance starts from in 1 of 16 windows.)
        """
        self._check_window("music", music, self.config.music_width)
        turns = self.rotary.turns(music.shape[1])
        tokens = self.cond_projection(music)
        for layer in self.music_encoder:
            tokens = layer(tokens, turns)
        pooled = self.music_temporalcoding(tokens)
        if keep is not None:
            tokens = torch.where(keep[:, None, None], tokens, self.null_music_embed)
            pooled = torch.where(keep[:, None], pooled, self.music_temporalcoding.music_parameter)
        return self._encoding(tokens, pooled, turns)

    def encode_nothing(self, batch: int) -> MusicEncoding:
        """Return the encoding of `batch` unconditional windows."""
        turns = self.rotary.turns(self.config.window_frames)
        return self._encoding(self.null_music_embed, self.music_temporalcoding.music_parameter, turns).expand(batch)

    def forward_encoded(self, x: torch.Tensor, times: torch.Tensor, encoding: MusicEncoding) -> torch.Tensor:
        """Return the predicted clean motion [B, T, D] of noisy x [B, T, D] at times [B] (int64)."""
        return self._clean(x, times, self._decoded(x, times, encoding))

    def forward_with_variance(
        self, x: torch.Tensor, times: torch.Tensor, encoding: MusicEncoding
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what `forward_encoded` does, and v [B, T, D] in [-1, 1]."""
        tokens = self._decoded(x, times, encoding)
        return self._clean(x, times, tokens), self.variance_layer(tokens).float().clamp(-1.0, 1.0)

    def forward(
        self, x: torch.Tensor, music: torch.Tensor, times: torch.Tensor, cond_drop_prob: float = 0.0,
        with_variance: bool = False,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Return the prediction [B, T, D], each window's music dropped with probability `cond_drop_prob`.

        `with_variance`: a pair with v, as `forward_with_variance`; what wraps a network for several processes knows
        no method but this.
        """
        encoding = self._encode_dropping(music, cond_drop_prob)
        return (self.forward_with_variance if with_variance else self.forward_encoded)(x, times, encoding)

    def _decoded(self, x: torch.Tensor, times: torch.Tensor, encoding: MusicEncoding) -> torch.Tensor:
        self._check_batch(x, times, encoding)
        time, time_tokens = self.TimeEmbed(times)
        condition, time_tokens = time + encoding.pooled, self.norm_music(time_tokens)
        turns = self.rotary.turns(x.shape[1] + N_TIME_TOKENS)
        motion_turns, time_turns = turns[:, : x.shape[1]], turns[:, x.shape[1] :]
        # Sixteen bits would round a pelvis 2 m off to the nearest centimetre, another way in each frame.
        with torch.autocast(x.device.type, enabled=False):
            tokens = self.input_projection(x.float())
        if encoding.frames is not None:
            tokens = tokens + encoding.frames
        for layer, *music in zip(self.DecoderSequence.stack, encoding.keys, encoding.values, strict=True):
            times_own = layer.multihead_attn.keys_values(time_tokens, time_turns)
            keys, values = (torch.cat(pair, dim=2) for pair in zip(music, times_own, strict=True))
            tokens = layer(tokens, motion_turns, (keys, values), condition)
        return tokens

    def _clean(self, x: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):  # for the reason that the input projection has
            return self._finished(x.float(), times, self.final_layer(tokens.float()))

    def _encoding(self, tokens: torch.Tensor, pooled: torch.Tensor, turns: torch.Tensor) -> MusicEncoding:
        # The norm acts on each token alone, so normalising the music before the time joins it is exact.
        tokens = self.norm_music(tokens)
        pairs = [layer.multihead_attn.keys_values(tokens, turns) for layer in self.DecoderSequence.stack]
        keys, values = zip(*pairs, strict=True)
        return MusicEncoding(pooled, keys, values, self.frame_music(tokens) if self.config.frame_music else None)
