"""Per-feature min-max scaling of motion vectors to [-1, 1], as EDGE's normaliser does it."""

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class MinMaxScaler:
    """x_scaled = x * scale + minimum, both [D]; constant features keep scale 2 / 1 as scikit-learn's do.

    bound: scaled values beyond it, on either side, are clipped on the way back; EDGE's is 1.
    """

    scale: torch.Tensor
    minimum: torch.Tensor
    bound: float = 1.0

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
        return replace(self, scale=self.scale.to(device), minimum=self.minimum.to(device))

    def widened(self, features: slice, bound: float) -> "MinMaxScaler":
        """Return the scaler that takes these features' range to [-bound, bound] where it was [-1, 1]."""
        factors = torch.ones_like(self.scale)
        factors[features] = bound
        return MinMaxScaler(self.scale * factors, self.minimum * factors, max(self.bound, bound))

    def normalise(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return scaled vectors [..., D]."""
        return vectors * self.scale + self.minimum

    def unnormalise(self, scaled: torch.Tensor) -> torch.Tensor:
        """Return vectors [..., D] of scaled ones, clipped to [-bound, bound] first."""
        return (scaled.clamp(-self.bound, self.bound) - self.minimum) / self.scale
