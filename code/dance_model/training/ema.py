"""An exponential moving average of a model's weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class ExponentialMovingAverage:
    """average <- d average + (1 - d) weights after every step, buffers left out.

    d is min(decay, (1 + n) / (10 + n)) at the n-th update, so that a short run does not end with its
    initial weights in the average; with `warm_up` False it is `decay` from the start, as EDGE has it.
    """

    def __init__(self, model: nn.Module, decay: float, warm_up: bool = True) -> None:
        self.decay, self.warm_up, self.n_updates = decay, warm_up, 0
        self._names = [name for name, _ in model.named_parameters()]
        self._average = [parameter.detach().clone() for parameter in model.parameters()]

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take the model's present weights into the average."""
        n, self.n_updates = self.n_updates, self.n_updates + 1
        decay = min(self.decay, (1 + n) / (10 + n)) if self.warm_up else self.decay
        torch._foreach_lerp_(self._average, list(model.parameters()), 1 - decay)

    @torch.no_grad()
    def copy_to(self, model: nn.Module) -> None:
        """Set the model's weights to the average."""
        torch._foreach_copy_(list(model.parameters()), self._average)

    @contextmanager
    def applied_to(self, model: nn.Module) -> Iterator[nn.Module]:
        """Lend the model with the averaged weights; its own are put back on leaving."""
        own = [parameter.detach().clone() for parameter in model.parameters()]
        self.copy_to(model)
        try:
            yield model
        finally:
            with torch.no_grad():
                torch._foreach_copy_(list(model.parameters()), own)

    def state_dict(self) -> dict:
        """Return what `load_state_dict` needs to go on."""
        return {"n_updates": self.n_updates, "average": dict(zip(self._names, self._average, strict=True))}

    @torch.no_grad()
    def load_state_dict(self, state: dict) -> None:
        """Go on from a saved state; its names and shapes must be the model's."""
        self.n_updates = state["n_updates"]
        torch._foreach_copy_(self._average, [state["average"][name] for name in self._names])
