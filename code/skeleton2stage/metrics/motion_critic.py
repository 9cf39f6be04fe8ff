"""MotionCritic (Wang et al., ICLR 2025): a network's guess of how people would rate a motion. Higher is better.

Its weights (motioncritic_pre.pth of ou524u/MotionCritic) are its authors' to give; this is the network that they fit,
a dual-stream transformer over joints and frames (DSTformer, Zhu et al., ICCV 2023), with their names of parameters.
"""

from dataclasses import dataclass
from pathlib import Path

import roma
import torch
import torch.nn.functional as F  # noqa: N812 - the name that the field knows it by
from torch import nn

from skeleton2stage.errors import UserError
from skeleton2stage.metrics.measured_clip import Clip
from skeleton2stage.read_boundary import check_archive, reading

MAX_FRAMES = 243
N_TOKENS = 25  # 24 rotations and the pelvis
_JOINTS, _FRAMES = 2, 1  # axes of [B, F, J, C] that attention runs along


@dataclass(frozen=True)
class CriticSizes:
    """Sizes of the network, by default those of the published weights."""

    depth: int = 3
    width: int = 256
    out_width: int = 512
    n_heads: int = 8


class _Mlp(nn.Module):
    def __init__(self, n_in: int, n_hidden: int, n_out: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(n_in, n_hidden), nn.Linear(n_hidden, n_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class _Attention(nn.Module):
    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor, axis: int) -> torch.Tensor:
        """Return x [B, F, J, C] attended along one of its axes."""
        x = x.movedim(axis, -2)
        # [..., N, 3 heads C/heads] to three of [..., heads, N, C/heads].
        q, k, v = self.qkv(x).unflatten(-1, (3, self.n_heads, -1)).movedim(-3, 0).transpose(-2, -3)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(-2, -3).flatten(-2)
        return self.proj(attended).movedim(-2, axis)


class _Block(nn.Module):
    """Attention over joints (s, spatial) and over frames (t, temporal), in either order."""

    def __init__(self, sizes: CriticSizes, order: str) -> None:
        super().__init__()
        self.order = order
        for stage in "st":
            self.add_module(f"norm1_{stage}", nn.LayerNorm(sizes.width))
            self.add_module(f"attn_{stage}", _Attention(sizes.width, sizes.n_heads))
            self.add_module(f"norm2_{stage}", nn.LayerNorm(sizes.width))
            self.add_module(f"mlp_{stage}", _Mlp(sizes.width, 4 * sizes.width, sizes.width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for stage in self.order:
            norm1, attention, norm2, mlp = (
                self.get_submodule(f"{part}_{stage}") for part in ("norm1", "attn", "norm2", "mlp")
            )
            x = x + attention(norm1(x), _JOINTS if stage == "s" else _FRAMES)
            x = x + mlp(norm2(x))
        return x


class _DualStream(nn.Module):
    def __init__(self, sizes: CriticSizes) -> None:
        super().__init__()
        self.joints_embed = nn.Linear(3, sizes.width)
        self.temp_embed = nn.Parameter(torch.zeros(1, MAX_FRAMES, 1, sizes.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, N_TOKENS, sizes.width))
        self.blocks_st = nn.ModuleList(_Block(sizes, "st") for _ in range(sizes.depth))
        self.blocks_ts = nn.ModuleList(_Block(sizes, "ts") for _ in range(sizes.depth))
        self.ts_attn = nn.ModuleList(nn.Linear(2 * sizes.width, 2) for _ in range(sizes.depth))
        self.norm = nn.LayerNorm(sizes.width)
        self.pre_logits = nn.ModuleDict({"fc": nn.Linear(sizes.width, sizes.out_width)})

    def forward(self, motion: torch.Tensor) -> torch.Tensor:
        """Return features [B, F, 25, out_width] of motions [B, F, 25, 3]."""
        x = self.joints_embed(motion) + self.pos_embed + self.temp_embed[:, : motion.shape[1]]
        for space_first, time_first, fuse in zip(self.blocks_st, self.blocks_ts, self.ts_attn, strict=True):
            streams = torch.stack((space_first(x), time_first(x)), dim=-1)
            share = fuse(streams.movedim(-1, -2).flatten(-2)).softmax(dim=-1)
            x = (streams * share[..., None, :]).sum(dim=-1)
        return torch.tanh(self.pre_logits["fc"](self.norm(x)))


class MotionCritic(nn.Module):
    """The network: motions [B, F <= 243, 25, 3] of axis-angles (rad) and pelvis (m), y up, to scores [B]."""

    def __init__(self, sizes: CriticSizes = CriticSizes()) -> None:
        super().__init__()
        self.dstran = _DualStream(sizes)
        self.mlp = _Mlp(N_TOKENS * sizes.out_width, 2 * sizes.out_width, 1)

    def forward(self, motion: torch.Tensor) -> torch.Tensor:
        """Return the scores [B] of motions [B, F, 25, 3]; ValueError for other shapes and for over 243 frames."""
        if motion.ndim != 4 or tuple(motion.shape[2:]) != (N_TOKENS, 3) or not 0 < motion.shape[1] <= MAX_FRAMES:
            raise ValueError(f"expected motions [B, F <= {MAX_FRAMES}, {N_TOKENS}, 3], got {tuple(motion.shape)}")
        return self.mlp(self.dstran(motion).mean(dim=1).flatten(1)).squeeze(-1)


def read_critic(path: Path, sizes: CriticSizes = CriticSizes()) -> MotionCritic:
    """Return the critic with the published weights in a file, running nothing from it.

    Raises UserError where it is missing or holds other weights.
    """
    critic = MotionCritic(sizes)
    if not path.exists():
        raise UserError(f"{path} does not exist: get motioncritic_pre.pth from ou524u/MotionCritic")
    with reading(path, "weights of motioncritic_pre.pth"):
        check_archive(path)
        content = torch.load(path, map_location="cpu", weights_only=True)["model_state_dict"]
        weights = {name.removeprefix("module."): value for name, value in content.items()}
        # The published network has a last layer that its score does not use.
        critic.load_state_dict({name: value for name, value in weights.items() if not name.startswith("dstran.head.")})
    return critic.eval()


@torch.no_grad()
def motion_critic(critic: MotionCritic, clip: Clip) -> float:
    """Return the score of a clip's first 243 frames as Skeleton2Stage's script has it: the pelvis before the joints."""
    rotations, pelvis = _y_up(clip)
    return float(critic(torch.cat((pelvis, rotations), dim=1)[None]))


@torch.no_grad()
def motion_critic_fixed(critic: MotionCritic, clip: Clip) -> float:
    """Return the same with the order that the critic was trained on: the joints before the pelvis."""
    rotations, pelvis = _y_up(clip)
    return float(critic(torch.cat((rotations, pelvis), dim=1)[None]))


def _y_up(clip: Clip) -> tuple[torch.Tensor, torch.Tensor]:
    """Return axis-angles [F, 24, 3] rad and pelvis [F, 1, 3] m of a clip's first frames, turned y up."""
    rotations, pelvis = clip.axis_angle[:MAX_FRAMES].clone(), clip.joints_w[:MAX_FRAMES, :1]
    turn = roma.rotvec_to_unitquat(torch.tensor([-torch.pi / 2, 0.0, 0.0], dtype=rotations.dtype))
    turned = roma.quat_product(turn.expand(len(rotations), 4), roma.rotvec_to_unitquat(rotations[:, 0]))
    rotations[:, 0] = roma.unitquat_to_rotvec(turned)
    return rotations, torch.stack((pelvis[..., 0], pelvis[..., 2], -pelvis[..., 1]), dim=-1)
