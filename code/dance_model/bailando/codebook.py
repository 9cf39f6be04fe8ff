"""A codebook that follows what the encoder gives it: vector quantisation by moving averages.

van den Oord et al., "Neural Discrete Representation Learning" (2017), appendix A.1; Bailando (CVPR 2022), section 3.1.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from skeleton2stage.errors import UserError


@dataclass(frozen=True)
class CodebookRule:
    """How a codebook is learned.

    decay: of the moving averages, each batch. restart_share: a code used less than this share of the mean use is put
    where some vector of the batch is.
    """

    decay: float = 0.99
    restart_share: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.decay < 1:
            raise UserError(f"decay must be between 0 and 1, not {self.decay}")
        if not 0 <= self.restart_share < 1:
            raise UserError(f"restart_share must be from 0 to under 1, not {self.restart_share}")


class Quantised(NamedTuple):
    """Vectors [B, W, S] replaced by their codes', the codes [B, S], and the mean square of what that changed."""

    vectors: torch.Tensor
    codes: torch.Tensor
    commitment: torch.Tensor


class Codebook(nn.Module):
    """K vectors `k` of width W, no parameters: `learn` moves them. Its averages are no part of a checkpoint."""

    def __init__(self, n_codes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("k", torch.zeros(n_codes, width))
        self.register_buffer("use", torch.zeros(n_codes), persistent=False)
        self.register_buffer("total", torch.zeros(n_codes, width), persistent=False)

    def nearest(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the code [B, S] that is nearest to each of vectors [B, W, S]."""
        flat = vectors.transpose(1, 2)
        # |x|^2, the same for all codes, is left out.
        distance = self.k.square().sum(dim=1) - 2 * flat @ self.k.T
        return distance.argmin(dim=-1)

    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the vectors [B, W, S] of codes [B, S]."""
        return self.k[codes].transpose(1, 2)

    def forward(self, vectors: torch.Tensor) -> Quantised:
        """Return the nearest codes' vectors; the gradient passes to `vectors` as if nothing had changed.

        Its commitment has a gradient to `vectors` alone.
        """
        codes = self.nearest(vectors.detach())
        chosen = self.vectors(codes)
        return Quantised(
            vectors + (chosen - vectors).detach(), codes, (vectors - chosen.detach()).square().mean()
        )

    @torch.no_grad()
    def learn(self, vectors: torch.Tensor, codes: torch.Tensor, rule: CodebookRule) -> int:
        """Move each code toward the mean of the vectors [B, W, S] it was chosen for; return how many were restarted.

        A code starts again with the mean use, so that it is not taken away before it was tried.
        """
        flat, n_codes = vectors.detach().transpose(1, 2).flatten(0, 1), len(self.k)
        chosen = torch.nn.functional.one_hot(codes.flatten(), n_codes).to(flat.dtype)
        expected = len(flat) / n_codes
        self.use.lerp_(chosen.sum(dim=0), 1 - rule.decay)
        self.total.lerp_(chosen.T @ flat, 1 - rule.decay)
        dead = self.use < rule.restart_share * expected
        fresh = flat[torch.randint(len(flat), (n_codes,), device=flat.device)]
        self.use.copy_(torch.where(dead, expected, self.use))
        self.total.copy_(torch.where(dead[:, None], expected * fresh, self.total))
        self.k.copy_(self.total / self.use.clamp(min=1e-8)[:, None])
        return int(dead.sum())

    @torch.no_grad()
    def start(self, vectors: torch.Tensor) -> None:
        """Begin with codes drawn from vectors [B, W, S], none twice where there are enough."""
        flat = vectors.detach().transpose(1, 2).flatten(0, 1)
        order = torch.randperm(len(flat), device=flat.device)
        self.k.copy_(flat[order[torch.arange(len(self.k), device=flat.device) % len(flat)]])
        self.use.fill_(len(flat) / len(self.k))
        self.total.copy_(self.k * self.use[:, None])


class Bottleneck(nn.Module):
    """The codebook under the name that the checkpoints give it."""

    def __init__(self, n_codes: int, width: int) -> None:
        super().__init__()
        self.level_blocks = nn.ModuleList([Codebook(n_codes, width)])

    @property
    def codebook(self) -> Codebook:
        """The only level's codebook."""
        return self.level_blocks[0]
