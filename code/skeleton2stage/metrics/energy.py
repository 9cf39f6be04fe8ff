"""How much a dance moves: the energy that the anti-freezing reward keeps up.

The kinetic features of Onuma et al. ("FMDistance", 2008) as fairmotion and AIST++ compute them, over a
window of frames around each frame; Skeleton2Stage (arXiv 2602.13778) averages two of them.
"""

import torch

from skeleton2stage.metrics.measured_clip import FPS, check_joints

HALF_WINDOW = 2


def motion_energy(joints_w: torch.Tensor) -> torch.Tensor:
    """Return each dance's energy [...] from joints [..., T, 24, 3] m at 30 fps, z up, T >= 3.

    Half the mean over joints of average kinetic energy, (m/s)^2 for unit mass, plus average energy
    expenditure, m/s^2. The root's height is left out, so that bobbing or floating earns nothing; where
    the dance takes place makes no difference.
    """
    check_joints(joints_w, min_frames=3)
    positions = joints_w.clone()
    positions[..., 2] -= joints_w[..., :1, 2]
    return 0.5 * (kinetic_energy(positions) + energy_expenditure(positions)).mean(dim=-1)


def kinetic_energy(positions: torch.Tensor, fps: float = FPS) -> torch.Tensor:
    """Return each joint's mean squared window velocity [..., J] (m/s)^2, of [..., T, J, D] m along any D axes.

    The window of frame i holds the steps that end at frames i-2 to i+2, as far as they exist; their mean
    is the way from its first to its last frame over the time between them.
    """
    n_frames = positions.shape[-3]
    frame = torch.arange(1, n_frames, device=positions.device)
    first = (frame - HALF_WINDOW - 1).clamp(min=0)
    last = (frame + HALF_WINDOW).clamp(max=n_frames - 1)
    way = _difference(positions, first, last)
    return (way * _per_second(last - first, way, fps)).square().sum(dim=-1).mean(dim=-2)


def energy_expenditure(positions: torch.Tensor) -> torch.Tensor:
    """Return each joint's mean window acceleration [..., J] m/s^2, of positions [..., T, J, 3] m.

    The window of frame i holds the second differences at frames i-2 to i+2, as far as they exist; their
    mean is the change from its first step to its last over the time between them.
    """
    n_frames = positions.shape[-3]
    velocity = (positions[..., 1:, :, :] - positions[..., :-1, :, :]) * FPS
    frame = torch.arange(1, n_frames, device=positions.device)
    # Step k leads from frame k to k+1: the second difference at frame f is between steps f-1 and f.
    first = (frame - HALF_WINDOW).clamp(min=1) - 1
    last = (frame + HALF_WINDOW).clamp(max=n_frames - 2)
    change = _difference(velocity, first, last)
    return (change * _per_second(last - first, change, FPS)).norm(dim=-1).mean(dim=-2)


def _difference(values: torch.Tensor, first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """Return values [..., T, J, 3] at `last` frames minus those at `first` ones, [..., len(first), J, 3]."""
    return values.index_select(-3, last) - values.index_select(-3, first)


def _per_second(frames: torch.Tensor, like: torch.Tensor, fps: float) -> torch.Tensor:
    """Return the rate 1 / (frames / fps), [n, 1, 1] in the type of `like`."""
    return (fps / frames).to(like.dtype)[:, None, None]
