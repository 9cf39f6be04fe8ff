"""Dances to reward."""

import pytest
import torch

from rl_finetune.rewards.reward import Dances


@pytest.fixture()
def lively():
    """Return three dances of 40 frames, upright, that turn, travel and swing, to music of a beat every 11 frames."""
    generator = torch.Generator().manual_seed(0)
    poses = 0.05 * torch.randn(3, 40, 24, 3, generator=generator).cumsum(dim=1)
    poses[:, :, 0, 0] += torch.pi / 2
    translation = 0.02 * torch.randn(3, 40, 3, generator=generator).cumsum(dim=1)
    translation[..., 2] += 0.95
    music = torch.zeros(3, 40, 35)
    music[:, 5::11, 34] = 1.0
    return Dances(poses, translation, torch.zeros(3, 40, 4), music)
