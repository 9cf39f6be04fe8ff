"""Where episodes start: anywhere in the clips, more often where the policy fails."""

from dataclasses import dataclass

import torch

from skeleton2stage.physics.imitation.reference_motions import ReferenceMotions
from skeleton2stage.settings import setting

_MEMORY = 0.98  # share of the counts that an iteration keeps: about fifty iterations are remembered


@dataclass(frozen=True)
class SamplingConfig:
    """Where episodes start."""

    bin_frames: int = setting(
        "frames of a stretch of a clip that has a failure rate of its own", default=30, minimum=1
    )
    hard_share: float = setting(
        "share of episodes drawn in proportion to failure rates, the others uniformly",
        default=0.5, minimum=0, maximum=1,
    )


class HardClipSampler:
    """Draws starts of episodes, and learns from failures where the clips are hard.

    Clips are cut into stretches of `bin_frames`. A stretch's failure rate is that of control steps within it
    and, as a fall is prepared before it is seen, half of the following stretch's where that is larger.
    """

    def __init__(self, references: ReferenceMotions, config: SamplingConfig, seed: int) -> None:
        device = references.start.device
        self.config = config
        self._generator = torch.Generator(device).manual_seed(seed)
        starts, sizes, clips = _stretches(references, config.bin_frames)
        self._start, self._size, self._clip = starts, sizes, clips
        self._clip_start = references.start
        # Frames of a clip's end belong to its last stretch, although no episode starts in a clip's last frame.
        frames = torch.arange(int(references.length.sum()), device=device)
        self._stretch_of_frame = torch.searchsorted(starts, frames, right=True) - 1
        self._visits = torch.zeros(len(starts), device=device)
        self._failures = torch.zeros(len(starts), device=device)

    def seed(self, seed: int) -> None:
        """Let the draws that follow depend on a seed alone."""
        self._generator.manual_seed(seed)

    def draw(self, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return clips [n] and frames [n] counted from each clip's first."""
        stretch = torch.multinomial(self.probabilities(), n, replacement=True, generator=self._generator)
        within = torch.rand(n, generator=self._generator, device=stretch.device)
        clips = self._clip[stretch]
        first = self._start[stretch] - self._clip_start[clips]
        return clips, first + (within * self._size[stretch]).long()

    def record(self, frames: torch.Tensor, failed: torch.Tensor) -> None:
        """Count a control step of every world: the reference frame [W] it was at, and whether it failed [W]."""
        stretch = self._stretch_of_frame[frames]
        self._visits.index_add_(0, stretch, torch.ones_like(failed, dtype=self._visits.dtype))
        self._failures.index_add_(0, stretch, failed.to(self._failures.dtype))

    def forget(self) -> None:
        """Let the counts fade, once an iteration, so that they follow the policy."""
        self._visits *= _MEMORY
        self._failures *= _MEMORY

    def failure_rates(self) -> torch.Tensor:
        """Return each stretch's failures a control step, [stretches]; 0 where it was never visited."""
        own = self._failures / self._visits.clamp(min=1.0)
        following = torch.cat((own[1:], own.new_zeros(1)))
        same_clip = torch.cat((self._clip[1:] == self._clip[:-1], self._clip.new_zeros(1, dtype=torch.bool)))
        return torch.maximum(own, 0.5 * following * same_clip)

    def probabilities(self) -> torch.Tensor:
        """Return the probability of starting in each stretch, [stretches]."""
        uniform = self._size / self._size.sum()
        hard = self.failure_rates() * self._size
        total = hard.sum()
        hard = torch.where(total > 0, hard / total.clamp(min=1e-12), uniform)
        return (1.0 - self.config.hard_share) * uniform + self.config.hard_share * hard

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return what it has learned; its draws follow from seeds."""
        return {"visits": self._visits, "failures": self._failures}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from a saved state; raise ValueError where it is of other clips."""
        if state["visits"].shape != self._visits.shape:
            raise ValueError(
                f"the saved state is of {len(state['visits'])} stretches of clips, there are {len(self._visits)} now"
            )
        self._visits.copy_(state["visits"])
        self._failures.copy_(state["failures"])


def _stretches(references: ReferenceMotions, bin_frames: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return first frame, number of frames to start in, and clip of every stretch, [stretches] each."""
    starts, sizes, clips = [], [], []
    for clip, (start, length) in enumerate(zip(references.start.tolist(), references.length.tolist(), strict=True)):
        for first in range(0, length - 1, bin_frames):  # an episode needs a next frame to reach
            starts.append(start + first)
            sizes.append(min(bin_frames, length - 1 - first))
            clips.append(clip)
    device = references.start.device
    as_tensor = (torch.tensor(values, device=device) for values in (starts, sizes, clips))
    start, size, clip_index = as_tensor
    return start, size.float(), clip_index
