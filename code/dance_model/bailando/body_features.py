"""Bodies as the VQ-VAE sees them, whichever way they face and wherever they stand, and back.

joints [B, T, 24, 6]: rows of each rotation's matrix, relative to the parent; the pelvis' relative to the heading.
root [B, T, 4]: speed forward and to the left, m/s; height of the pelvis, m; turn of the heading, rad/s. Speeds and turn
are from a frame to the next one, the last frame's repeated. The heading is the yaw of the pelvis' +z axis, which is the
body's front.

Bailando++ (TPAMI 2023) has the root's velocity along the world's axes, and the pelvis' rotation relative to the world;
codes would then have to tell in which direction a dancer faces. It adds up vertical speeds too: here the height is
itself decoded, since floors forgive no drift.
"""

import math

import torch

from dance_model.bailando.vqvae import Body
from skeleton2stage.motion.motion import FPS
from skeleton2stage.motion.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from skeleton2stage.motion.skeleton import N_JOINTS

START_YAW_RAD = -math.pi / 2  # dances begin facing along -y, as those of AIST++ do, which face the camera
HEIGHT, TURN = 2, 3


def body_of(rot6d: torch.Tensor, translation: torch.Tensor) -> Body:
    """Return bodies of local rotations [B, T, 24, 6] or [B, T, 144] and the pelvis' place [B, T, 3] m, z up."""
    joints = rot6d if rot6d.ndim == 4 else rot6d.unflatten(-1, (N_JOINTS, 6))
    pelvis = rot6d_to_rotmat(joints[:, :, 0])
    yaw = torch.atan2(pelvis[..., 1, 2], pelvis[..., 0, 2])
    tilt = rotmat_to_rot6d(about_z(-yaw) @ pelvis)
    speed = _forward_difference(translation[..., :2]) * FPS
    turn = torch.remainder(_forward_difference(yaw[..., None]) + math.pi, 2 * math.pi) - math.pi
    along = (about_z(-yaw)[..., :2, :2] @ speed[..., None]).squeeze(-1)
    root = torch.cat((along, translation[..., 2:], turn * FPS), dim=-1)
    return Body(torch.cat((tilt[:, :, None], joints[:, :, 1:]), dim=2), root)


def motion_of(body: Body) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rotation matrices [B, T, 24, 3, 3] and the pelvis' place [B, T, 3] m: dances start over the origin."""
    yaw, place = path_of(body.root)
    rotmat = rot6d_to_rotmat(body.joints)
    pelvis = about_z(yaw + START_YAW_RAD) @ rotmat[:, :, 0]
    place = (_turn_2d(START_YAW_RAD, place) @ place[..., None]).squeeze(-1)
    return torch.cat((pelvis[:, :, None], rotmat[:, :, 1:]), dim=2), torch.cat((place, body.root[..., 2:3]), dim=-1)


def path_of(root: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return heading [B, T] rad and place [B, T, 2] m of roots [B, T, 4], from 0 and the origin in the first frame."""
    yaw = _summed(root[..., TURN:] / FPS)[..., 0]
    speed = (about_z(yaw)[..., :2, :2] @ root[..., :2, None]).squeeze(-1)
    return yaw, _summed(speed / FPS)


def about_z(angle_rad: torch.Tensor) -> torch.Tensor:
    """Return rotation matrices [..., 3, 3] about z by angles [...]."""
    cos, sin, zero, one = angle_rad.cos(), angle_rad.sin(), torch.zeros_like(angle_rad), torch.ones_like(angle_rad)
    rows = ((cos, -sin, zero), (sin, cos, zero), (zero, zero, one))
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _turn_2d(angle_rad: float, like: torch.Tensor) -> torch.Tensor:
    return about_z(torch.tensor(angle_rad, dtype=like.dtype, device=like.device))[:2, :2]


def _forward_difference(values: torch.Tensor) -> torch.Tensor:
    """Return differences of frames [B, T, C] to the next ones, the last repeated."""
    steps = values.diff(dim=1)
    return torch.cat((steps, steps[:, -1:]), dim=1)


def _summed(steps: torch.Tensor) -> torch.Tensor:
    """Return what steps [B, T, C] from frame to frame lead to, from zero."""
    return torch.nn.functional.pad(steps[:, :-1].cumsum(dim=1), (0, 0, 1, 0))
