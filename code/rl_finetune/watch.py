"""A word of warning when a reward rises at the cost of something that was to be held."""

import math

import torch

from rl_finetune.held import HeldQuantities

STANDARD_ERRORS = 2.0


class Watch:
    """Compares each epoch's rewards with the first one's, and says once when a held quantity leaves its band."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[float, float]] = {}
        self._warned: set[str] = set()

    def look(self, rewards: dict[str, torch.Tensor], held: HeldQuantities) -> str | None:
        """Return a warning, or None, for mean rewards [N] by name of an epoch's dances.

        A reward has risen, and a quantity has left its band, where it did by more than two standard errors.
        """
        means = {name: _mean_and_error(values) for name, values in rewards.items()}
        first = self._first = means | self._first  # each reward's first epoch is what it is compared with
        risen = [
            f"{name} has risen from {first[name][0]:.3g} to {mean:.3g}" for name, (mean, error) in means.items()
            if mean - first[name][0] > STANDARD_ERRORS * math.hypot(error, first[name][1])
        ]
        n = len(next(iter(rewards.values()), ()))
        left = held.broken(STANDARD_ERRORS / math.sqrt(max(n, 1)))
        new = set(left) - self._warned
        self._warned = set(left)
        if not risen or not new:
            return None
        lost = " and ".join(f"{name} is at {left[name][0]:.2f} of the base model's (limit {left[name][1]:g})"
                            for name in sorted(new))
        return f"{', '.join(risen)} while {lost}: lower that reward's weight or the learning rate if it stays so"

    def state_dict(self) -> dict:
        """Return what was seen."""
        return {"first": self._first, "warned": sorted(self._warned)}

    def load_state_dict(self, state: dict) -> None:
        """Go on from it."""
        self._first, self._warned = dict(state["first"]), set(state["warned"])


def _mean_and_error(values: torch.Tensor) -> tuple[float, float]:
    return float(values.mean()), float(values.std(correction=0)) / math.sqrt(len(values))
