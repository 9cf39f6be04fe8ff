"""Per-feature min-max scaling of motion vectors to [-1, 1], as EDGE's normaliser does it."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class MinMaxScaler:
    """x_scaled = x * scale + minimum, both [D]; constant features keep scale 2 / 1 as scikit-learn's do."""

    scale: torch.Tensor
    minimum: torch.Tensor

    @classmethod
    def fit(cls, vectors: torch.Tensor) -> "MinMaxScaler":
        """Return the scaler that takes the range of vectors [..., D] to [-1, 1]."""
        flat = vectors.flatten(0, -2)
        low, high = flat.min(dim=0).values, flat.max(dim=0).values
        extent = high - low
        scale = 2.0 / torch.where(extent == 0, torch.ones_like(extent), extent)
        return cls(scale, -1.0 - low * scale)

    def to(self, device: torch.device | str) -> "MinMaxScaler":
        """Return the scaler on another device."""
        return MinMaxScaler(self.scale.to(device), self.minimum.to(device))

    def normalise(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return scaled vectors [..., D]."""
        return vectors * self.scale + self.minimum

    def unnormalise(self, scaled: torch.Tensor) -> torch.Tensor:
        """Return vectors [..., D] of scaled ones, clipped to [-1, 1] first."""
        return (scaled.clamp(-1.0, 1.0) - self.minimum) / self.scale
