"""Prompts: the 5-second windows of music that fine-tuning dances to."""

from dataclasses import dataclass
from pathlib import Path

import torch

from dance_model.dance_music import STRIDE_FRAMES, music_sources
from dance_model.dance_policy import DancePolicy
from dance_model.sampling.dances import check_fits
from skeleton2stage.motion.motion import FPS

MAX_SECONDS = 600.0


@dataclass(frozen=True)
class PromptSet:
    """Music features [P, T, F] and a name for each, such as `song@12.5s`."""

    features: torch.Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def spread(self, n: int) -> "PromptSet":
        """Return n prompts evenly spread over all, or all where n is 0 or they are no more."""
        if not 0 < n < len(self):
            return self
        chosen = torch.linspace(0, len(self) - 1, n).round().long()
        return PromptSet(self.features[chosen], tuple(self.names[i] for i in chosen.tolist()))


def load_prompts(source: Path, policy: DancePolicy) -> PromptSet:
    """Return every 5 s window, 2.5 s apart, of the music in a place (see `music_sources`).

    Raises UserError for music that cannot be used or whose features are not those of the model.
    """
    features, names = [], []
    for music in music_sources(source, MAX_SECONDS):
        piece = music.read(policy.music)
        check_fits(piece, policy)
        features.append(piece.windows)
        names += [f"{piece.name}@{i * STRIDE_FRAMES / FPS:g}s" for i in range(len(piece.windows))]
    return PromptSet(torch.cat(features), tuple(names))


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
