"""Feet that slide on the floor: how often, as the field's script counts it, and how fast, smoothly, frame by frame."""

import torch

from skeleton2stage.metrics.measured_clip import FPS, check_joints

ANKLE_UNDER_M = 0.08
TOE_UNDER_M = 0.05
SLIDING_M = 0.01  # a frame
SAME_LEVEL_M = 0.02
FLOOR_QUANTILE = 0.25
SOFTNESS_M = 0.01
MIN_GROUNDED_SHARE = 0.05
_LEFT_FOOT = (7, 10)  # ankle, toe
_RIGHT_FOOT = (8, 11)


def foot_skating(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the share of grounded frames in which a foot slides, [...], of joints [..., T, 24, 3] m, z up.

    The mean over both feet of sliding / grounded frames; a foot that never touches the floor is left out, and
    NaN stands where neither does. Skeleton2Stage's script, by which a sliding foot is one whose ankle or toe
    has |mean of its steps along x and z| over 0.01 m, mixes in the vertical and ignores y.
    """
    left, right = (sliding_counts(joints_w, foot) for foot in (_LEFT_FOOT, _RIGHT_FOOT))
    ratios = torch.stack([slides / grounded for slides, grounded in (left, right)])
    return ratios.nanmean(dim=0)


def sliding_counts(joints_w: torch.Tensor, foot: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how many frames a foot (ankle, toe) slides in, and is grounded in, [...] each."""
    check_joints(joints_w, min_frames=2)
    ankle, toe = joints_w[..., foot[0], :], joints_w[..., foot[1], :]
    floor = _floor(joints_w)[..., None]
    grounded = (ankle[..., 2] - floor <= ANKLE_UNDER_M) & (toe[..., 2] - floor <= TOE_UNDER_M)
    # The last frame has no step: it can be grounded and cannot slide.
    sliding = grounded[..., :-1] & (_slides(ankle) | _slides(toe))
    return sliding.sum(dim=-1), grounded.sum(dim=-1)


def _floor(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the floor's height [...] m from the toes of frame 0: their mean where level, else the lower."""
    toes = joints_w[..., 0, [_LEFT_FOOT[1], _RIGHT_FOOT[1]], 2]
    level = (toes[..., 0] - toes[..., 1]).abs() < SAME_LEVEL_M
    return torch.where(level, toes.mean(dim=-1), toes.amin(dim=-1))


def _slides(position: torch.Tensor) -> torch.Tensor:
    """Return whether a joint [..., T, 3] slides to the next frame, [..., T-1]."""
    step = position[..., 1:, :] - position[..., :-1, :]
    return (0.5 * (step[..., 0] + step[..., 2])).abs() > SLIDING_M


def sliding_speed(joints_w: torch.Tensor) -> torch.Tensor:
    """Return how fast grounded feet slide in every frame, [..., T] m/s, at least 0, of [..., T, 24, 3] m, z up.

    The smooth companion of `foot_skating`, to learn from: the mean over steps is the mean horizontal speed of
    ankles and toes, each foot weighted by how grounded it is at both ends of a step, so that a foot which leaves
    the floor does not slide. Being grounded less is no way out, since weights are relative to the clip's mean
    weight (taken as 0.05 at least). The last frame repeats the one before it, having no step.
    """
    check_joints(joints_w, min_frames=2)
    feet = joints_w[..., (*_LEFT_FOOT, *_RIGHT_FOOT), :].unflatten(-2, (2, 2))
    speed = FPS * (feet[..., 1:, :, :, :2] - feet[..., :-1, :, :, :2]).norm(dim=-1).mean(dim=-1)
    grounded = _groundedness(joints_w, feet[..., 2])
    grounded = grounded[..., 1:, :] * grounded[..., :-1, :]
    share = grounded.mean(dim=(-1, -2), keepdim=True).clamp(min=MIN_GROUNDED_SHARE)
    sliding = (grounded * speed / share).mean(dim=-1)
    return torch.cat((sliding, sliding[..., -1:]), dim=-1)


def _groundedness(joints_w: torch.Tensor, heights: torch.Tensor) -> torch.Tensor:
    """Return how grounded each foot is, [..., T, 2] in (0, 1), of ankles' and toes' heights [..., T, 2, 2] m.

    The metric's own two limits, each softened to a centimetre. The floor is the lower quartile of the lowest
    joint's height: one frame, as the metric's floor, could be moved by a dance that is rewarded for it.
    """
    floor = joints_w[..., 2].amin(dim=-1).quantile(FLOOR_QUANTILE, dim=-1)[..., None, None, None]
    limits = heights.new_tensor((ANKLE_UNDER_M, TOE_UNDER_M))
    return torch.sigmoid((limits - (heights - floor)) / SOFTNESS_M).prod(dim=-1)
