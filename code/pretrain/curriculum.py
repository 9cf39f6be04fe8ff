"""The residual wrench's curriculum: strong while the policy learns to stand, weaker as it learns to track."""

from dataclasses import dataclass

from skeleton2stage.errors import UserError
from skeleton2stage.settings import check_own_settings, setting

# Below this scale the wrench is under 1 N or N·m a unit of action, and geometric steps would never end at none.
NEGLIGIBLE = 0.02


@dataclass(frozen=True)
class WrenchConfig:
    """How the residual wrench on the pelvis weakens as tracking improves."""

    initial: float = setting(
        "scale at the start (1: 31.85 N or N·m a unit of action); with final 0 as well there is no wrench",
        default=1.0, minimum=0,
    )
    final: float = setting("lowest scale", default=1.0, minimum=0)
    factor: float = setting(
        "what an iteration that tracks well multiplies the scale by", default=0.99, above=0, maximum=1
    )
    max_failures: float = setting(
        "failures a control step up to which an iteration tracks well ...", default=2.0e-3, minimum=0
    )
    max_error_mm: float = setting("... and mean body error", default=100.0, minimum=0)

    def __post_init__(self) -> None:
        check_own_settings(self)
        if not 0 <= self.final <= self.initial:
            raise UserError(f"wrench.final ({self.final}) must lie between 0 and wrench.initial ({self.initial})")


def next_scale(scale: float, failures: float, error_mm: float, config: WrenchConfig) -> float:
    """Return the wrench's scale for the next iteration, after one with these failures a step and this error."""
    if failures <= config.max_failures and error_mm <= config.max_error_mm:
        lowered = scale * config.factor
        return config.final if lowered < NEGLIGIBLE else max(config.final, lowered)
    return scale
