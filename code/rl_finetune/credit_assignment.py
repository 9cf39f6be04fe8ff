"""Whose fault, whose merit: from an epoch's rewards to the advantage of every frame of every dance."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch

from rl_finetune.advantages import AdvantageNormaliser
from rl_finetune.group_advantages import (
    combined,
    correlation,
    energy_neutral,
    frame_mean,
    group_relative,
    normalised,
    share_without_spread,
)
from rl_finetune.held import HeldQuantities
from rl_finetune.rewards.reward import Dances
from skeleton2stage.metrics.motion_magnitude import mot_mag

BY_FRAME, BY_DANCE = "frame", "dance"
Gather = Callable[[torch.Tensor], torch.Tensor]
ENERGY = "mot_mag"


class Crediting(ABC):
    """A way to give credit. Its results are of the dances of all processes, alike in each."""

    @abstractmethod
    def __call__(
        self, prompts: torch.Tensor, dances: Dances, rewards: dict[str, torch.Tensor], gather: Gather
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Return advantages [N, T] and figures for the log.

        prompts [n], dances and rewards ([n] or [n, T] by name) are this process's; `gather` returns everybody's.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return what is remembered from epoch to epoch."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""


class PromptCrediting(Crediting):
    """As published: rewards normalised by what the same prompt got lately, weighted and summed."""

    def __init__(self, weights: dict[str, float]) -> None:
        self._normalise = AdvantageNormaliser(weights)

    def __call__(
        self, prompts: torch.Tensor, dances: Dances, rewards: dict[str, torch.Tensor], gather: Gather
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the published advantages; there are no figures."""
        everybody = {name: gather(value) for name, value in rewards.items()}
        return self._normalise(gather(prompts), everybody, dances.translation.shape[1]), {}

    def state_dict(self) -> dict[str, Any]:
        """Return every reward's record."""
        return self._normalise.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the records."""
        self._normalise.load_state_dict(state)


class GroupCrediting(Crediting):
    """Relative to the group at each frame, without what is owed to energy, and with credit for held quantities."""

    def __init__(self, weights: dict[str, float], held: HeldQuantities, unit: str, neutral: bool) -> None:
        """Give credit by `unit`, frame or dance; `neutral` says whether to take out what is owed to energy."""
        self._weights, self.held, self._unit, self._neutral = weights, held, unit, neutral

    def __call__(
        self, prompts: torch.Tensor, dances: Dances, rewards: dict[str, torch.Tensor], gather: Gather
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the advantages; figures are held quantities, correlations with energy, groups without spread."""
        groups = gather(prompts)
        energy = group_relative(gather(mot_mag(dances.poses)).clamp(min=1e-6).log(), groups)
        own = self.held.measure(dances)
        values = {name: gather(value) for name, value in own.items()}
        weights = self._weights | {f"held {n}": w for n, w in self.held.control(groups, values).items()}
        credit = {f"held {n}": gather(c) for n, c in self.held.credit(dances, own).items()}
        credit |= {name: gather(value) for name, value in rewards.items()}
        figures = self.held.figures()
        parts = {}
        for name, value in credit.items():
            part = group_relative(value, groups)
            if name in rewards:
                figures[f"energy_correlation/{name}"] = correlation(frame_mean(part), energy)
                figures[f"without_spread/{name}"] = share_without_spread(frame_mean(value), groups)
            parts[name] = self._part(part, energy, is_energy=name == f"held {ENERGY}")
        return combined(parts, weights, dances.translation.shape[1]), figures

    def _part(self, part: torch.Tensor, energy: torch.Tensor, is_energy: bool) -> torch.Tensor:
        part = frame_mean(part) if self._unit == BY_DANCE else part
        return normalised(energy_neutral(part, energy) if self._neutral and not is_energy else part)

    def state_dict(self) -> dict[str, Any]:
        """Return the held quantities' state."""
        return self.held.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore it."""
        self.held.load_state_dict(state)
