"""From rewards to credit: what a dance, at a frame, has over the others to the same music.

Dances to one prompt are a group, as in group-relative policy optimisation (Shao et al., DeepSeekMath, 2024), and
penetration and falls happen in a moment, so that dances are compared frame by frame. Two departures from it, both
measured (docs/decisions.md): differences are over the whole batch's deviation, since a group's own magnifies the
noise of groups that are all alike, and what a reward owes to the energy of a dance is taken out, since calm dances
penetrate, slide and fall less, and to dance less is the easy way up.
"""

import torch

CLIP = 5.0
_EPSILON = 1e-8


def group_relative(values: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
    """Return values [N] or [N, T] less their group's mean (of each frame by itself), groups [N] being numbers."""
    numbers, member = groups.unique(return_inverse=True)
    # By a product with the membership: adding up by index has no fixed order on several threads or a GPU.
    belongs = torch.nn.functional.one_hot(member, len(numbers)).to(values.dtype)
    means = (belongs.T @ values) / belongs.sum(dim=0).view(-1, *[1] * (values.ndim - 1))
    return values - belongs @ means


def energy_neutral(advantages: torch.Tensor, energy: torch.Tensor) -> torch.Tensor:
    """Return advantages [N] or [N, T] less their regression on the dances' energy [N], both relative to their groups.

    What is left has no covariance with energy over the batch.
    """
    slope = (frame_mean(advantages) * energy).sum() / energy.square().sum().clamp(min=_EPSILON)
    return advantages - slope * energy.view(-1, *[1] * (advantages.ndim - 1))


def normalised(advantages: torch.Tensor) -> torch.Tensor:
    """Return advantages in units of the whole batch's root mean square; without any spread they are all zero."""
    deviation = advantages.square().mean().sqrt()
    return advantages / deviation if deviation > _EPSILON else torch.zeros_like(advantages)


def combined(parts: dict[str, torch.Tensor], weights: dict[str, float], n_frames: int) -> torch.Tensor:
    """Return the weighted sum [N, T] of advantages [N] or [N, T] by name, clipped to +-5."""
    total = sum(weights[name] * (part if part.ndim == 2 else part[:, None]) for name, part in parts.items())
    return total.expand(-1, n_frames).clamp(-CLIP, CLIP)


def correlation(first: torch.Tensor, second: torch.Tensor) -> float:
    """Return the correlation of numbers [N] whose means are zero already; 0 where one has no spread."""
    scale = (first.square().sum() * second.square().sum()).sqrt()
    return float((first * second).sum() / scale) if scale > _EPSILON else 0.0


def share_without_spread(values: torch.Tensor, groups: torch.Tensor) -> float:
    """Return the share of groups whose dances all have the same value of [N], and so teach nothing."""
    spread = group_relative(values, groups).abs()
    numbers = groups.unique()
    still = [bool((spread[groups == number] <= 1e-6 * (1.0 + values.abs().max())).all()) for number in numbers]
    return sum(still) / len(numbers)


def frame_mean(values: torch.Tensor) -> torch.Tensor:
    """Return one number a dance [N] of [N] or [N, T]."""
    return values.mean(dim=1) if values.ndim == 2 else values
