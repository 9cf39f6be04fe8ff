"""Physical foot contact (EDGE, CVPR 2023, section 4.1): does the body accelerate while no foot is still."""

import torch

from skeleton2stage.metrics.measured_clip import check_joints

REPORTED_SCALE = 1e4
_LEFT_FOOT = [7, 10]  # ankle, toes
_RIGHT_FOOT = [8, 11]


def foot_contact_terms(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the raw score of each inner frame, [..., T-2] m^2, of joints [..., T, 24, 3] m, z up, T >= 3.

    (Root acceleration, its downward part left out, relative to the clip's largest) x (slower of left ankle and
    toes) x (the same of the right), horizontal metres a frame. A clip whose root never accelerates violates nothing.
    """
    check_joints(joints_w, min_frames=3)
    root = joints_w[..., 0, :]
    acceleration = root[..., 2:, :] - 2.0 * root[..., 1:-1, :] + root[..., :-2, :]
    # Gravity does the downward part: only pushing up or sideways needs a foot.
    pushed = torch.cat((acceleration[..., :2], acceleration[..., 2:].clamp(min=0.0)), dim=-1).norm(dim=-1)
    largest = pushed.amax(dim=-1, keepdim=True)
    share = pushed / torch.where(largest > 0, largest, torch.ones_like(largest))
    return share * _slower_of(joints_w, _LEFT_FOOT) * _slower_of(joints_w, _RIGHT_FOOT)


def foot_contact_violation(joints_w: torch.Tensor) -> torch.Tensor:
    """Return the raw score [...] m^2 of joints [..., T, 24, 3] m: the mean of its frames' terms."""
    return foot_contact_terms(joints_w).mean(dim=-1)


def pfc(joints_w: torch.Tensor) -> torch.Tensor:
    """Return physical foot contact [...], the raw score x 10^4, of joints [..., T, 24, 3] m."""
    return REPORTED_SCALE * foot_contact_violation(joints_w)


def pfc_frames(joints_w: torch.Tensor) -> torch.Tensor:
    """Return physical foot contact of every frame, [..., T], of joints [..., T, 24, 3] m; its mean is `pfc`.

    The first frame and the last have no acceleration: they count as the clip's mean, which leaves it as it is.
    """
    terms = REPORTED_SCALE * foot_contact_terms(joints_w)
    edge = terms.mean(dim=-1, keepdim=True)
    return torch.cat((edge, terms, edge), dim=-1)


def _slower_of(joints_w: torch.Tensor, foot: list[int]) -> torch.Tensor:
    """Return the horizontal step of the foot's slower joint from frame to frame, [..., T-2] m."""
    feet = joints_w[..., 1:, foot, :2]
    return (feet[..., 1:, :, :] - feet[..., :-1, :, :]).norm(dim=-1).amin(dim=-1)
