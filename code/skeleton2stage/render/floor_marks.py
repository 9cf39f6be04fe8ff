"""Spots on the floor that the stage draws."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Disc:
    """A spot on the floor: where its middle is (m), its radius (m), and its colour with opacity, 0 to 1."""

    x_m: float
    y_m: float
    radius_m: float
    rgba: tuple[float, float, float, float]

    def box(self) -> tuple[float, float, float, float]:
        """Return the square around it: least x and y, largest x and y, m."""
        return (self.x_m - self.radius_m, self.y_m - self.radius_m, self.x_m + self.radius_m, self.y_m + self.radius_m)
