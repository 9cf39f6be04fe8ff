"""The field's own rotation form, 6D as two matrix rows, and the way between two; all else is `roma`'s."""

import roma
import torch


def rotmat_to_rot6d(rotmat: torch.Tensor) -> torch.Tensor:
    """Return the first two rows of rotation matrices [..., 3, 3] as [..., 6] (EDGE's convention)."""
    return rotmat[..., :2, :].flatten(-2)


def rot6d_to_rotmat(rot6d: torch.Tensor) -> torch.Tensor:
    """Return rotation matrices [..., 3, 3] from 6D [..., 6] by Gram-Schmidt on the two rows.

    Zhou et al., "On the Continuity of Rotation Representations in Neural Networks", CVPR 2019, eq. 14.
    """
    first, second = rot6d[..., :3], rot6d[..., 3:]
    x = torch.nn.functional.normalize(first, dim=-1)
    y = torch.nn.functional.normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-2)


def axis_angle_to_rot6d(axis_angle: torch.Tensor) -> torch.Tensor:
    """Return 6D [..., 6] of axis-angle vectors [..., 3] rad."""
    return rotmat_to_rot6d(roma.rotvec_to_rotmat(axis_angle))


def rot6d_to_axis_angle(rot6d: torch.Tensor) -> torch.Tensor:
    """Return axis-angle [..., 3] rad, angles in [0, pi], of 6D [..., 6] that need not be orthonormal."""
    return roma.rotmat_to_rotvec(rot6d_to_rotmat(rot6d))


def slerp(first: torch.Tensor, second: torch.Tensor, share: torch.Tensor | float) -> torch.Tensor:
    """Return rotations [..., 3, 3] a share, [..., 1, 1] or one for all, of the shortest way from first to second."""
    turn = roma.rotmat_to_rotvec(first.transpose(-1, -2) @ second)
    along = share.squeeze(-1) if isinstance(share, torch.Tensor) else share
    return first @ roma.rotvec_to_rotmat(along * turn)
