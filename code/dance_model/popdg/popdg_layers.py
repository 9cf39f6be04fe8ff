"""Building blocks of POPDG's denoiser; their parameter names are those of its released checkpoints.

Luo et al., "POPDG" (CVPR 2024), the method's section: DS-Attention with the Space Augmentation Algorithm, and the
Alignment Module. Where the paper and its released code differ, this is the code.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from dance_model.edge.edge_layers import Attention, FiLM, KeysValues, RotaryEmbedding, SinusoidalEmbedding, rotate
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion_layout import POPDG

KERNEL_FRAMES = 5
PELVIS = 0
# The joints that the pelvis attends to through their parents: spine, neck, head, collars, shoulders; parents first.
SPINE_FED = (6, 9, 12, 13, 14, 15, 16, 17)
N_TIME_TOKENS = 2


def space_augmentation() -> torch.Tensor:
    """Return what the Space Augmentation Algorithm adds to the pelvis' attention, [24, 24]: a' = a + a @ result.

    a: attention of the pelvis to each joint, or of each joint to the pelvis. Going up the spine, a joint's share
    becomes the mean of its own and of its parent's new one. Shares of a row then no longer add up to 1.
    """
    mixing = torch.eye(skeleton.N_JOINTS)
    parents = skeleton.parents()
    for joint in SPINE_FED:
        mixing[:, joint] = 0.5 * (mixing[:, joint] + mixing[:, parents[joint]])
    return mixing - torch.eye(skeleton.N_JOINTS)


class JointAttention(nn.Module):
    """DS-Attention: in each frame by itself, 24 joints of 6 features attend to one another.

    Tokens are projected to motion vectors, one for each head, laid out as POPDG's (whatever the layout of the motions
    themselves); their rotations are what is mixed, and the rest of the values passes as it is.
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        depth = n_heads * POPDG.width
        self.n_heads = n_heads
        self.qk_proj_weight = nn.Parameter(torch.empty(width, 2 * depth))
        self.v_proj_weight = nn.Parameter(torch.empty(width, depth))
        self.linear = nn.Linear(depth, width)
        nn.init.xavier_uniform_(self.qk_proj_weight)
        nn.init.xavier_uniform_(self.v_proj_weight)
        self.register_buffer("augmentation", space_augmentation(), persistent=False)

    def forward(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """Return tokens [B, N, L]; queries and keys are turned by their frame's position, values not."""
        queries_keys = (rotate(x, turns) @ self.qk_proj_weight).unflatten(-1, (2, self.n_heads, POPDG.width))
        queries, keys = _joints(queries_keys).unbind(dim=-4)
        values = (x @ self.v_proj_weight).unflatten(-1, (self.n_heads, POPDG.width))
        mixed = self._mix(queries, keys, _joints(values)).flatten(-2)
        before, after = values[..., : POPDG.rot6d.start], values[..., POPDG.rot6d.stop :]
        return self.linear(torch.cat((before, mixed, after), dim=-1).flatten(-2))

    def _mix(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return values [..., 24, 6] mixed by the augmented attention of queries to keys."""
        attention = (queries @ keys.transpose(-1, -2) / math.sqrt(queries.shape[-1])).softmax(dim=-1)
        to_joints = attention[..., PELVIS, :] @ self.augmentation
        to_pelvis = attention[..., PELVIS] @ self.augmentation
        # Only a row and a column change: their part is added, rather than the whole attention copied.
        mixed = attention @ values + to_pelvis[..., None] * values[..., PELVIS, None, :]
        row = (to_joints[..., None, :] @ values).to(mixed.dtype)
        return torch.cat((mixed[..., :1, :] + row, mixed[..., 1:, :]), dim=-2)


def _joints(vectors: torch.Tensor) -> torch.Tensor:
    """Return the rotations of vectors [..., 156] as [..., 24, 6]."""
    return vectors[..., POPDG.rot6d].unflatten(-1, (skeleton.N_JOINTS, 6))


class FeatureAttention(Attention):
    """MF-Attention: the latent features of music attend to one another, each a token of as many values as frames."""

    def forward(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """Return tokens [B, T, L]; queries and keys are turned by their frame's position, values not."""
        queries_keys = self._project(rotate(x, turns).transpose(1, 2), 0, 2)
        queries, keys = (self._split_heads(part) for part in queries_keys.chunk(2, dim=-1))
        values = self._split_heads(self._project(x.transpose(1, 2), 2, 3))
        return self._attend(queries, keys, values).transpose(1, 2)


class FrameConvolution(nn.Module):
    """A convolution along frames, under the name that POPDG gives it."""

    def __init__(self, width: int, trained: bool) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, KERNEL_FRAMES, padding=KERNEL_FRAMES // 2).requires_grad_(trained)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return tokens [B, T, L]."""
        return self.conv(x.transpose(1, 2)).transpose(1, 2)


class Alignment(FiLM):
    """The Alignment Module: modulates a residual branch by time, music and the branch's own mean over frames.

    convolution: "used" before that mean, "idle" (there, as in the released checkpoints, but not used), or "none".
    """

    def __init__(self, width: int, convolution: str) -> None:
        super().__init__(width)
        self.convolves = convolution == "used"
        if convolution != "none":
            self.temporal_embedding_dance = FrameConvolution(width, self.convolves)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return tokens [B, T, L] modulated by a condition [B, L]."""
        seen = self.temporal_embedding_dance(x) if self.convolves else x
        return super().forward(x, condition + seen.mean(dim=-2))


class MusicPooling(nn.Module):
    """Music as one vector, added to the time; `convolution` as for `Alignment`. music_parameter stands for none."""

    def __init__(self, width: int, convolution: str) -> None:
        super().__init__()
        self.convolves = convolution == "used"
        if convolution != "none":
            self.temporal_embedding_music = FrameConvolution(width, self.convolves)
        self.temporal_music_projection = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.music_parameter = nn.Parameter(torch.randn(1, width))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return a vector [B, L] of music tokens [B, T, L]."""
        seen = self.temporal_embedding_music(tokens) if self.convolves else tokens
        return self.temporal_music_projection(seen.mean(dim=-2))


class TimeEmbedding(nn.Module):
    """A denoising time as one vector for modulation, and as two tokens beside the music's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(SinusoidalEmbedding(width), nn.Linear(width, 4 * width), nn.Mish())
        self.time_music = nn.Linear(4 * width, width)
        self.time_tokens = nn.Sequential(nn.Linear(4 * width, N_TIME_TOKENS * width))

    def forward(self, times: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the vector [B, L] and the tokens [B, 2, L] of times [B]."""
        hidden = self.mlp(times)
        return self.time_music(hidden), self.time_tokens(hidden).unflatten(-1, (N_TIME_TOKENS, -1))


class MusicLayer(nn.Module):
    """A pre-norm encoder layer over music tokens: features attend, then frames, then feed-forward."""

    def __init__(
        self, width: int, feedforward: int, n_heads: int, dropout: float, rotary: RotaryEmbedding, frames: int,
        frame_heads: int,
    ) -> None:
        super().__init__()
        self.spatio_attn = FeatureAttention(frames, frame_heads, dropout)
        self.temporal_attn = Attention(width, n_heads, dropout)
        self.linear1, self.linear2 = nn.Linear(width, feedforward), nn.Linear(feedforward, width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.rotary = rotary

    def forward(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """Return encoded tokens [B, T, L]."""
        x = x + self.dropout(self.spatio_attn(self.norm1(x), turns))
        x = x + self.dropout(self.temporal_attn.self_attend(self.norm2(x), turns))
        hidden = self.dropout(F.gelu(self.linear1(self.norm3(x))))
        return x + self.dropout(self.linear2(hidden))


class DanceLayer(nn.Module):
    """A pre-norm decoder layer: joints attend, then frames, then frames to music, then feed-forward.

    All branches but the first are modulated by an Alignment Module.
    """

    def __init__(
        self, width: int, feedforward: int, n_heads: int, dropout: float, rotary: RotaryEmbedding, joint_heads: int,
        convolution: str,
    ) -> None:
        super().__init__()
        self.spatio_attn = JointAttention(width, joint_heads)
        self.temporal_attn = Attention(width, n_heads, dropout)
        self.multihead_attn = Attention(width, n_heads, dropout)
        self.linear1, self.linear2 = nn.Linear(width, feedforward), nn.Linear(feedforward, width)
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(width) for _ in range(4))
        self.align1, self.align2, self.align3 = (Alignment(width, convolution) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.rotary = rotary

    def forward(
        self, x: torch.Tensor, turns: torch.Tensor, memory: KeysValues, condition: torch.Tensor
    ) -> torch.Tensor:
        """Return tokens [B, T, L] after attending to `memory`, modulated by `condition` [B, L]."""
        x = x + self.dropout(self.spatio_attn(self.norm1(x), turns))
        x = x + self.align1(self.dropout(self.temporal_attn.self_attend(self.norm2(x), turns)), condition)
        attended = self.multihead_attn.attend(self.norm3(x), turns, memory)
        x = x + self.align2(self.dropout(attended), condition)
        hidden = self.dropout(F.gelu(self.linear1(self.norm4(x))))
        return x + self.align3(self.dropout(self.linear2(hidden)), condition)
