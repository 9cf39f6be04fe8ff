"""A tiny Bailando model, untrained but not flat, and windows of made-up motion and music."""

import pytest
import torch
from bailando_models import made_policy

from dance_model.training.windows import DanceWindows
from skeleton2stage.motion.motion_layout import EDGE, encode


@pytest.fixture
def policy():
    """Return a policy of its own for each test."""
    return made_policy()


@pytest.fixture
def music():
    """Return music [4, 30, 35]."""
    return torch.randn(4, 30, 35, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def rollout(policy, music):
    """Return four recorded dances."""
    return policy.roll_out(music, torch.Generator().manual_seed(2))


@pytest.fixture(scope="session")
def windows():
    """Return windows of two clips that sway, turn and walk, each of its own music."""
    generator = torch.Generator().manual_seed(0)
    time_s = torch.arange(120) / 30
    frames = []
    for clip in range(2):
        poses = 0.3 * torch.randn(24, 3, generator=generator) * torch.sin(2 * time_s + clip)[:, None, None]
        poses[:, 0] = torch.stack((torch.full_like(time_s, 1.2), 0.1 * time_s, 0.3 * time_s), dim=-1)
        place = torch.stack((0.3 * time_s, 0.1 * torch.sin(time_s), 0.9 + 0.02 * torch.cos(time_s)), dim=-1)
        frames.append(encode(poses, place, EDGE))
    starts = torch.tensor([0, 15, 30, 120, 135, 150])
    music = torch.randn(6, 30, 35, generator=generator)
    return DanceWindows(torch.cat(frames), starts, torch.tensor([0, 0, 0, 1, 1, 1]), music, ("one", "two"))
