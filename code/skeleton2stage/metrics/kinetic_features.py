"""Kinetic features of a dance, 72 numbers: horizontal and vertical energy and expenditure of each joint.

AIST++ (ICCV 2021), whose extractor comes from fairmotion and Onuma et al. ("FMDistance", 2008). The field runs
it as it is published: at 60 frames a second and y up, whatever the joints, with a bracket out of place.
"""

import torch

from skeleton2stage.metrics.energy import HALF_WINDOW, energy_expenditure, kinetic_energy
from skeleton2stage.metrics.measured_clip import check_joints

PUBLISHED_FPS = 60.0
Y, Z = 1, 2


def kinetic_features(joints_w: torch.Tensor, fps: float = PUBLISHED_FPS, up: int = Y) -> torch.Tensor:
    """Return the field's features [..., 72] float64 of joints [..., T, 24, 3] m, T >= 3.

    The defaults are those that published numbers use on joints that are z up and at 30 frames a second. Joint by
    joint: horizontal energy, vertical energy (m/s)^2, expenditure, which the bracket leaves without a unit and
    dependent on where the dance takes place.
    """
    return _features(joints_w, fps, up, _published_expenditure(joints_w.double(), fps))


def kinetic_features_fixed(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the features [..., 72] float64 as they were meant, of joints [..., T, 24, 3] m, z up, 30 fps.

    Expenditure is the mean window acceleration, m/s^2: none of the features depends on the place.
    """
    return _features(joints_w, 30.0, Z, energy_expenditure(joints_w.double()))


def _features(joints_w: torch.Tensor, fps: float, up: int, expenditure: torch.Tensor) -> torch.Tensor:
    check_joints(joints_w, min_frames=3)
    positions = joints_w.double()
    horizontal = kinetic_energy(positions[..., [axis for axis in range(3) if axis != up]], fps)
    vertical = kinetic_energy(positions[..., [up]], fps)
    return torch.stack((horizontal, vertical, expenditure), dim=-1).flatten(-2)


def _published_expenditure(positions: torch.Tensor, fps: float) -> torch.Tensor:
    """Return the published expenditure [..., J] of positions [..., T, J, 3] m.

    Its acceleration at frame f is (v2 - v1) fps with v2 = (p[f+1] - p[f]) fps, but v1 = p[f] - p[f-1] fps. The
    window of frame i holds those at frames i-2 to i+2, as far as they exist.
    """
    before, now, after = positions[..., :-2, :, :], positions[..., 1:-1, :, :], positions[..., 2:, :, :]
    acceleration = ((after - now) * fps - (now - before * fps)) * fps
    frame = torch.arange(1, positions.shape[-3], device=positions.device)
    first = (frame - HALF_WINDOW).clamp(min=1) - 1
    end = (frame + HALF_WINDOW).clamp(max=positions.shape[-3] - 2)
    sums = torch.nn.functional.pad(acceleration.cumsum(dim=-3), (0, 0, 0, 0, 1, 0))
    means = (sums.index_select(-3, end) - sums.index_select(-3, first)) / (end - first)[:, None, None]
    return means.norm(dim=-1).mean(dim=-2)
