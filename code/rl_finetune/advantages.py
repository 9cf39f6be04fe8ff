"""From rewards to advantages: each reward is measured against what the same music got lately."""

from collections import defaultdict, deque
from typing import Any

import torch

HISTORY_DANCES = 32
MIN_HISTORY_DANCES = 16
CLIP = 5.0
_EPSILON = 1e-6


class PromptHistory:
    """The last 32 dances' values of one reward for every prompt (DDPO's per-prompt statistics)."""

    def __init__(self) -> None:
        self._values: dict[int, deque[torch.Tensor]] = defaultdict(lambda: deque(maxlen=HISTORY_DANCES))

    def normalise(self, prompts: torch.Tensor, rewards: torch.Tensor) -> torch.Tensor:
        """Record rewards [N] or [N, T] of prompts [N] and return them normalised, same shape.

        Mean and deviation are those of the prompt's last 32 dances, these included; with fewer than 16
        on record, those of the whole batch.
        """
        for prompt, reward in zip(prompts.tolist(), rewards.cpu(), strict=True):
            self._values[prompt].append(reward)  # on the CPU, wherever rewards are
        batch_moments = rewards.mean(), rewards.std(correction=0)
        normalised = torch.empty_like(rewards)
        for prompt in prompts.unique().tolist():
            mean, deviation = self._moments(prompt, batch_moments)
            chosen = prompts == prompt
            normalised[chosen] = (rewards[chosen] - mean) / (deviation + _EPSILON)
        return normalised

    def _moments(
        self, prompt: int, batch_moments: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        past = self._values[prompt]
        if len(past) < MIN_HISTORY_DANCES:
            return batch_moments
        values = torch.stack(tuple(past)).to(batch_moments[0].device)
        return values.mean(), values.std(correction=0)

    def state_dict(self) -> dict[int, torch.Tensor]:
        """Return the record as plain tensors, oldest first."""
        return {prompt: torch.stack(tuple(values)) for prompt, values in self._values.items()}

    def load_state_dict(self, state: dict[int, torch.Tensor]) -> None:
        """Restore a record."""
        self._values.clear()
        for prompt, values in state.items():
            self._values[prompt].extend(values.cpu())


class AdvantageNormaliser:
    """Advantages of dances from several rewards."""

    def __init__(self, weights: dict[str, float]) -> None:
        self._weights = weights
        self._histories = {name: PromptHistory() for name in weights}

    def __call__(self, prompts: torch.Tensor, rewards: dict[str, torch.Tensor], n_frames: int) -> torch.Tensor:
        """Return advantages [N, T]: rewards ([N] or [N, T]) normalised, weighted, summed, clipped to +-5."""
        total = torch.zeros(len(prompts), n_frames, device=prompts.device)
        for name, weight in self._weights.items():
            normalised = self._histories[name].normalise(prompts, rewards[name])
            total += weight * (normalised if normalised.ndim == 2 else normalised[:, None])
        return total.clamp(-CLIP, CLIP)

    def state_dict(self) -> dict[str, Any]:
        """Return every reward's record."""
        return {name: history.state_dict() for name, history in self._histories.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the records of the rewards in use."""
        for name, history in self._histories.items():
            history.load_state_dict(state.get(name, {}))
