"""Dances longer than a window: the GPT sees the last half of what it wrote, and writes another half.

Bailando (Siyao et al., CVPR 2022, section 3.3) slides its window code by code. By halves the music's windows are those
of the other families, and a window's moments stay those that the GPT was trained on. All codes are decoded as one, so
that there is nothing to blend.
"""

import roma
import torch

from dance_model.bailando.features import motion_of
from dance_model.bailando.policy import BailandoPolicy
from dance_model.bailando.sampling import draw
from dance_model.policy import DanceBatch
from skeleton2stage.errors import UserError


def long_codes(policy: BailandoPolicy, music: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return codes [B, S (N + 1) / 2, 2] to music [B, N, T, F] of N windows, each half a window after the last."""
    n_codes, temperature = policy.module.config.n_moments, policy.settings.temperature
    if n_codes % 2:
        raise UserError(f"windows of {n_codes} codes cannot overlap by half: take an even number")
    parts: list[torch.Tensor] = []
    for window in music.unbind(dim=1):
        given = parts[-1][:, -(n_codes // 2) :] if parts else None
        codes = draw(policy.module.gpt, policy.module.heard(window), generator, temperature, given).codes
        parts.append(codes if given is None else codes[:, given.shape[1] :])
    return torch.cat(parts, dim=1)


@torch.no_grad()
def long_dances(policy: BailandoPolicy, music: torch.Tensor, generator: torch.Generator) -> DanceBatch:
    """Return dances [B, T (N + 1) / 2] to music [B, N, T, F] of N windows, each half a window after the last."""
    rotmat, translation = motion_of(policy.module.vqvae.decode(long_codes(policy, music, generator)))
    return DanceBatch(roma.rotmat_to_rotvec(rotmat), translation)
