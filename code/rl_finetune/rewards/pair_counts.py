"""Counting penetrations of dances once for all rewards that go by them."""

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch

from skeleton2stage.metrics.penetration import PenetrationCounter

if TYPE_CHECKING:
    from rl_finetune.rewards.reward import Dances

EVERY = 5  # frames from one count to the next: a limb takes longer than that to pass through another


class PenetrationCounts:
    """The pairs of each batch of dances, counted once however many rewards ask."""

    def __init__(self, counter: PenetrationCounter) -> None:
        self._counter = counter
        self._known: WeakKeyDictionary[Dances, torch.Tensor] = WeakKeyDictionary()

    def __call__(self, dances: "Dances") -> torch.Tensor:
        """Return the pairs in every fifth frame and the last, [N, K, 2] int64: of neighbouring parts, of all others."""
        if dances not in self._known:
            n, n_frames = dances.poses.shape[:2]
            looks = look_frames(n_frames)
            hits = self._counter.hits(dances.poses[:, looks].flatten(0, 1))
            self._known[dances] = (hits.sum(dim=2, dtype=torch.int64) // 2).unflatten(0, (n, len(looks)))
        return self._known[dances]


def look_frames(n_frames: int, every: int = EVERY) -> torch.Tensor:
    """Return which of n frames are counted, in order: every fifth, and the last."""
    frames = torch.arange(0, n_frames, every)
    return frames if frames[-1] == n_frames - 1 else torch.cat((frames, torch.tensor([n_frames - 1])))
