"""Quaternions as the physics uses them, wxyz.

`roma` is xyzw and has no heading; these are its few operations in the simulators' order, written on
components because they run on every body of every world in every step.
"""

import torch


def quat_multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the Hamilton product a b of quaternions [..., 4] wxyz."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        (
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ),
        dim=-1,
    )


def quat_conjugate(quat_wxyz: torch.Tensor) -> torch.Tensor:
    """Return the inverse of unit quaternions [..., 4] wxyz."""
    return torch.cat((quat_wxyz[..., :1], -quat_wxyz[..., 1:]), dim=-1)


def quat_rotate(quat_wxyz: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """Return vectors [..., 3] turned by quaternions [..., 4] wxyz (shapes broadcast)."""
    w = quat_wxyz[..., :1]
    v, vector = torch.broadcast_tensors(quat_wxyz[..., 1:], vector)  # linalg.cross broadcasts equal dimensions only
    twice = 2.0 * torch.linalg.cross(v, vector)
    return vector + w * twice + torch.linalg.cross(v, twice)


def quat_to_rotvec(quat_wxyz: torch.Tensor) -> torch.Tensor:
    """Return rotation vectors [..., 3] rad, angles in [0, pi], of unit quaternions [..., 4] wxyz."""
    quat = torch.where(quat_wxyz[..., :1] < 0, -quat_wxyz, quat_wxyz)
    norm = quat[..., 1:].norm(dim=-1, keepdim=True)
    angle = 2.0 * torch.atan2(norm, quat[..., :1])
    # sin(a/2) ~ a/2 where the angle is too small to divide by
    return quat[..., 1:] * torch.where(norm > 1e-7, angle / norm.clamp(min=1e-7), torch.full_like(norm, 2.0))


def rotvec_to_quat(rotvec: torch.Tensor) -> torch.Tensor:
    """Return unit quaternions [..., 4] wxyz of rotation vectors [..., 3] rad."""
    half = 0.5 * rotvec.norm(dim=-1, keepdim=True)
    # torch.sinc is sin(pi x) / (pi x)
    return torch.cat((torch.cos(half), 0.5 * torch.sinc(half / torch.pi) * rotvec), dim=-1)


def quat_to_rotmat(quat_wxyz: torch.Tensor) -> torch.Tensor:
    """Return rotation matrices [..., 3, 3] of unit quaternions [..., 4] wxyz."""
    w, x, y, z = quat_wxyz.unbind(-1)
    rows = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def quat_to_rot6d(quat_wxyz: torch.Tensor) -> torch.Tensor:
    """Return the first two rows of the matrices of quaternions [..., 4] wxyz, [..., 6]."""
    w, x, y, z = quat_wxyz.unbind(-1)
    rows = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    )
    return torch.stack(rows, dim=-1)


def heading_quat(pelvis_quat_w: torch.Tensor) -> torch.Tensor:
    """Return the yaw about world z of the pelvis' forward axis, as quaternions [..., 4] wxyz.

    SMPL's pelvis is y up and looks along its own +z; the heading frame's x axis is where it looks.
    """
    forward = torch.zeros_like(pelvis_quat_w[..., :3])
    forward[..., 2] = 1.0
    forward_w = quat_rotate(pelvis_quat_w, forward)
    half = 0.5 * torch.atan2(forward_w[..., 1], forward_w[..., 0])
    zero = torch.zeros_like(half)
    return torch.stack((torch.cos(half), zero, zero, torch.sin(half)), dim=-1)
