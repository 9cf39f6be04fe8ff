"""Quantities that fine-tuning must not change: measured on the base model, then held there by a controller.

A reward that pays for one thing is paid in others, movement above all. Each held quantity has a limit, a share of
what the base model's dances have to the same music. Where the dances being trained on are beyond it, credit for the
quantity itself is added, with a weight that grows with the gap and with its sum over the epochs: a
proportional-integral controller of the multiplier in constrained policy optimisation (Stooke et al., "Responsive
Safety in Reinforcement Learning by PID Lagrangian Methods", 2020).
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch

from rl_finetune.rewards.reward import Dances, Reward, RewardContext, make_reward
from skeleton2stage.errors import unknown_name
from skeleton2stage.metrics.foot_contact import pfc
from skeleton2stage.metrics.foot_skating import foot_skating
from skeleton2stage.metrics.ground_contact import fgd
from skeleton2stage.metrics.kinetic_beats import batched_bas
from skeleton2stage.metrics.motion_magnitude import mot_mag

# The weight of credit for a quantity: so much for each deviation (of one dance from another) that the mean is off by,
# and so much for the sum of that over the epochs, which is bounded more closely: a mean follows a weight only over
# several epochs, and a large sum would still push when it is where it should be.
PROPORTIONAL, INTEGRAL = 10.0, 0.1
LARGEST_WEIGHT, LARGEST_INTEGRAL = 3.0, 1.0
LEAST_BASE = 1e-6  # a base model that stands still has nothing of some quantities


@dataclass(frozen=True)
class Quantity:
    """Something that can be held.

    measure: its value of each dance, [N], NaN where a dance has none. reward: name of the reward that gives credit for
    it; None where credit is the quantity itself. sign: 1 where it must not fall below its limit, -1 where it must not
    rise above it. both_ways: whether it must not pass its limit in the other direction either.
    """

    measure: Callable[[Dances], torch.Tensor]
    reward: str | None
    sign: int
    both_ways: bool = False


QUANTITIES: MappingProxyType[str, Quantity] = MappingProxyType({
    "mot_mag": Quantity(lambda dances: mot_mag(dances.poses), None, 1, both_ways=True),
    "bas": Quantity(lambda dances: batched_bas(dances.beats, dances.joints_w), "beat", 1),
    "foot_skating": Quantity(lambda dances: foot_skating(dances.joints_w), "skating", -1),
    "fgd": Quantity(lambda dances: fgd(dances.joints_w), "fgcontact", -1),
    "pfc": Quantity(lambda dances: pfc(dances.joints_w), "pfc", -1),
})


def check_held(names: list[str]) -> None:
    """Raise UserError, which lists those that can be, for a name that cannot be held."""
    for name in names:
        if name not in QUANTITIES:
            raise unknown_name("held quantity", name, list(QUANTITIES))


@dataclass
class _Hold:
    """A held quantity, its base values by prompt, and its controller's state."""

    quantity: Quantity
    share: float
    base: torch.Tensor | None = None
    spread: float = 1.0
    total_gap: float = 0.0
    ratio: float = 1.0
    weight: float = 0.0

    def control(self, prompts: torch.Tensor, values: torch.Tensor) -> None:
        """Set ratio and weight by the values [N] of dances to prompts [N], those without a value left out."""
        known = values.isfinite()
        expected = self.base[prompts[known]]
        self.ratio = float(values[known].sum() / expected.sum()) if known.any() else 1.0
        gap = self.quantity.sign * (self.share - self.ratio) / self.spread
        highest = LARGEST_INTEGRAL / INTEGRAL
        lowest = -highest if self.quantity.both_ways else 0.0
        self.total_gap = min(max(self.total_gap + gap, lowest), highest)
        wanted = PROPORTIONAL * gap + INTEGRAL * self.total_gap
        self.weight = min(max(wanted, -LARGEST_WEIGHT if self.quantity.both_ways else 0.0), LARGEST_WEIGHT)

    def is_broken(self, deviations: float) -> bool:
        """Return whether the dances' mean is beyond the limit by more than so many deviations between dances."""
        return self.quantity.sign * (self.share - self.ratio) > deviations * self.spread


class HeldQuantities:
    """The held quantities of a run, by name with their limits as shares of the base model's level."""

    def __init__(self, shares: dict[str, float], context: RewardContext) -> None:
        check_held(list(shares))
        self._holds = {name: _Hold(QUANTITIES[name], share) for name, share in shares.items()}
        self._rewards: dict[str, Reward] = {
            name: make_reward(hold.quantity.reward, context)
            for name, hold in self._holds.items() if hold.quantity.reward is not None
        }

    def __len__(self) -> int:
        return len(self._holds)

    @property
    def is_measured(self) -> bool:
        """Whether the base model's level is known."""
        return all(hold.base is not None for hold in self._holds.values())

    def measure(self, dances: Dances) -> dict[str, torch.Tensor]:
        """Return the value of every held quantity by name, [N] each."""
        return {name: hold.quantity.measure(dances).float() for name, hold in self._holds.items()}

    def set_base(self, prompts: torch.Tensor, values: dict[str, torch.Tensor], n_prompts: int) -> None:
        """Take the base model's dances to prompts [N] of n_prompts, with values [N] by name, as what is to be held.

        A prompt without any value counts as the mean of all.
        """
        for name, hold in self._holds.items():
            known = values[name].isfinite()
            kept, own = values[name][known].double().cpu(), prompts[known].cpu()
            mean = max(float(kept.mean()), LEAST_BASE) if len(kept) else 1.0
            hold.base = torch.tensor(
                [float(kept[own == prompt].mean()) if (own == prompt).any() else mean for prompt in range(n_prompts)]
            ).clamp(min=LEAST_BASE)
            hold.spread = max(float(kept.std(correction=0)) / mean, 1e-3) if len(kept) else 1.0

    def control(self, prompts: torch.Tensor, values: dict[str, torch.Tensor]) -> dict[str, float]:
        """Set the weights by the values [N] of an epoch's dances to prompts [N]; return the weights by name."""
        for name, hold in self._holds.items():
            hold.control(prompts.cpu(), values[name].cpu())
        return {name: hold.weight for name, hold in self._holds.items()}

    def credit(self, dances: Dances, values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return credit for every held quantity, [N] or [N, T], higher where more of it should be."""
        return {
            name: self._rewards[name](dances) if name in self._rewards else values[name].clamp(min=1e-6).log()
            for name in self._holds
        }

    def figures(self) -> dict[str, float]:
        """Return ratio to the base model, limit and weight of every quantity, for the log."""
        figures = {}
        for name, hold in self._holds.items():
            figures |= {
                f"held/{name}": hold.ratio, f"held/{name}_limit": hold.share, f"held/{name}_weight": hold.weight
            }
        return figures

    def broken(self, deviations: float = 0.0) -> dict[str, tuple[float, float]]:
        """Return (ratio, limit) by name of the quantities that are beyond their limits.

        By more than so many deviations of one dance from another, relative to the base model's mean.
        """
        return {name: (hold.ratio, hold.share) for name, hold in self._holds.items() if hold.is_broken(deviations)}

    def state_dict(self) -> dict[str, Any]:
        """Return base values and the controllers' states."""
        return {
            name: {"base": hold.base, "spread": hold.spread, "total_gap": hold.total_gap}
            for name, hold in self._holds.items()
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        for name, hold in self._holds.items():
            own = state[name]
            hold.base, hold.spread, hold.total_gap = own["base"].cpu(), own["spread"], own["total_gap"]
