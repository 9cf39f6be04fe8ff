"""Standardised music features for training, folded into the denoiser's first layer for use.

Raw features differ a hundredfold in scale (MFCCs run to -600, beats are 0 or 1). The stored model takes
raw features, as EDGE's does.
"""

from dataclasses import dataclass

import torch

from dance_model.diffusion.denoiser import Denoiser

_SMALLEST_DEVIATION = 1e-3  # a feature that hardly varies is centred, not blown up


@dataclass(frozen=True)
class MusicScaler:
    """(music - mean) / deviation, both [W]."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def fit(cls, music: torch.Tensor) -> "MusicScaler":
        """Return the scaler that standardises features [..., W]."""
        flat = music.flatten(0, -2)
        return cls(flat.mean(dim=0), flat.std(dim=0).clamp(min=_SMALLEST_DEVIATION))

    @classmethod
    def identity(cls, width: int, device: torch.device | str = "cpu") -> "MusicScaler":
        """Return the scaler that changes nothing."""
        return cls(torch.zeros(width, device=device), torch.ones(width, device=device))

    def __call__(self, music: torch.Tensor) -> torch.Tensor:
        """Return standardised features [..., W]."""
        return (music - self.mean) / self.deviation

    @torch.no_grad()
    def fold_into(self, denoiser: Denoiser) -> None:
        """Change a denoiser of standardised music, in place, into one of raw music with equal outputs."""
        projection = denoiser.cond_projection
        projection.weight /= self.deviation
        projection.bias -= projection.weight @ self.mean

    @torch.no_grad()
    def unfold_from(self, denoiser: Denoiser) -> None:
        """Undo `fold_into`: change a denoiser of raw music, in place, into one of standardised music."""
        projection = denoiser.cond_projection
        projection.bias += projection.weight @ self.mean
        projection.weight *= self.deviation
