"""Prompts: the 5-second windows of music that fine-tuning dances to."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class PromptSet:
    """Music features [P, T, F] and a name for each, such as `song@12.5s`."""

    features: torch.Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def first(self, n: int) -> "PromptSet":
        """Return the first n prompts, or all where n is 0."""
        return PromptSet(self.features[:n], self.names[:n]) if n else self


def draw_prompts(n_prompts: int, n_drawn: int, epoch: int, seed: int) -> torch.Tensor:
    """Return the prompts of an epoch, [n_drawn] indices: a fresh shuffle is dealt out before the next is made.

    So every prompt comes up equally often, and consecutive epochs cover all of them.
    """
    dealt = []
    position = epoch * n_drawn
    while len(dealt) < n_drawn:
        deck, card = divmod(position, n_prompts)
        shuffle = torch.randperm(n_prompts, generator=torch.Generator().manual_seed(seed * 1_000_003 + deck))
        take = min(n_prompts - card, n_drawn - len(dealt))
        dealt += shuffle[card : card + take].tolist()
        position += take
    return torch.tensor(dealt)
