"""The residual wrench's curriculum: strong while the policy learns to stand, weaker as it learns to track."""

from dataclasses import dataclass

from skeleton2stage.errors import UserError
from skeleton2stage.settings import check_own_settings, setting

# Below this scale the wrench is under 1 N or N·m a unit of action, and geometric steps would never end at none.
NEGLIGIBLE = 0.02


@dataclass(frozen=True)
class WrenchConfig:
    """initial and final: scales of the residual wrench (1 is 31.85 N and N·m a unit of action).
    factor: what an iteration that tracks well multiplies the scale by.
    max_failures: failures a control step, and max_error_mm: mean body error, up to which it tracks well.
    """

    initial: float = setting(minimum=0)
    final: float = setting(minimum=0)
    factor: float = setting(above=0, maximum=1)
    max_failures: float = setting(minimum=0)
    max_error_mm: float = setting(minimum=0)

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
