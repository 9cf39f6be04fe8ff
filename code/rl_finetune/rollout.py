"""What an epoch's sampling gives: dances, how they came about, and what they were danced to."""

from dataclasses import dataclass

import torch

from rl_finetune.dance_model.ddim import Samples


@dataclass(frozen=True)
class Rollout:
    """N dances of one process.

    prompts: [N] their numbers. samples: the dances and their recorded denoising. music: [N, T, F] features.
    """

    prompts: torch.Tensor
    samples: Samples
    music: torch.Tensor

    def __len__(self) -> int:
        return len(self.prompts)
