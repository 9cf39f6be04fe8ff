"""Kinematic axes: joints bent, turned or jerked as no person's are, and the body standing in itself."""

import torch

from skeleton2stage.body.spheres import BodySpheres, close_pairs, frames_at_once
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.axes.dance_frames import DanceFrames
from skeleton2stage.physics.axes.person_limits import jerks_mps3, ranges_rad, speeds_radps, twist_axes
from skeleton2stage.physics.axes.reading import Reading, graded
from skeleton2stage.physics.quaternions import quat_conjugate, quat_multiply, quat_to_rotmat, quat_to_rotvec
from skeleton2stage.physics.repeatable_sums import summed_by_index

_ALLOWED_BEYOND_DEG, _WORST_BEYOND_DEG = 3.0, 45.0
_WORST_SPEED = _WORST_JERK = 3.0  # times what a person does
_ALLOWED_DEPTH_CM, _WORST_DEPTH_CM = 2.0, 8.0
_ALLOWED_AREA_CM2, _WORST_AREA_CM2 = 30.0, 200.0
_AREA_UNIT_M2 = 1e-10


def joint_limits(frames: DanceFrames) -> Reading:
    """Return by how many degrees joints are beyond a person's range: the largest over swing and twist about x, y, z.

    Rotations are taken apart as q = swing · twist, the twist about the part's bone.
    """
    angles = swing_twist(frames.quat_local)
    low, high = torch.as_tensor(ranges_rad(), dtype=angles.dtype, device=angles.device)
    beyond = torch.rad2deg(torch.maximum(low - angles, angles - high).amax(dim=-1)).clamp(min=0.0)
    return Reading(beyond, graded(beyond, _ALLOWED_BEYOND_DEG, _WORST_BEYOND_DEG), "deg")


def swing_twist(quat_local: torch.Tensor) -> torch.Tensor:
    """Return the components [..., 24, 3] rad about x, y, z of rotations [..., 24, 4]: the twist about each part's bone,
    and about the two other axes the swing.
    """
    axis = torch.as_tensor(twist_axes(), device=quat_local.device)
    along = torch.nn.functional.one_hot(axis, 3).to(quat_local.dtype)
    quat = torch.where(quat_local[..., :1] < 0, -quat_local, quat_local)
    twist = torch.cat((quat[..., :1], quat[..., 1:] * along), dim=-1)
    length = twist.norm(dim=-1, keepdim=True)
    none = torch.zeros_like(twist)
    none[..., 0] = 1.0
    twist = torch.where(length > 1e-6, twist / length.clamp(min=1e-6), none)
    swing = quat_to_rotvec(quat_multiply(quat, quat_conjugate(twist)))
    return swing * (1.0 - along) + quat_to_rotvec(twist) * along


def joint_speed(frames: DanceFrames) -> Reading:
    """Return how fast joints turn, rad/s against their parents, the faster of the steps to a frame and from it."""
    speed = frames.step_vel_local.norm(dim=-1)
    before, after = torch.cat((speed[:, :1], speed), dim=1), torch.cat((speed, speed[:, -1:]), dim=1)
    value = torch.maximum(before, after)
    limit = torch.as_tensor(speeds_radps(), dtype=value.dtype, device=value.device)
    return Reading(value, graded(value / limit, 1.0, _WORST_SPEED), "rad/s")


def jerk(frames: DanceFrames) -> Reading:
    """Return the jerk of joints in the world, m/s^3: third differences of positions, not smoothed, so that trembling
    and leaps in place show; over the frames a difference spans, the mean of the two that are next to a frame.
    """
    third = frames.pos_w.diff(n=3, dim=1).norm(dim=-1) * FPS**3
    between = torch.nn.functional.pad(third.transpose(1, 2), (2, 2), mode="replicate").transpose(1, 2)
    value = 0.5 * (between[:, 1:] + between[:, :-1])
    limit = torch.as_tensor(jerks_mps3(), dtype=value.dtype, device=value.device)
    return Reading(value, graded(value / limit, 1.0, _WORST_JERK), "m/s3")


def self_penetration(frames: DanceFrames, spheres: BodySpheres) -> tuple[Reading, Reading]:
    """Return how deep parts stand in each other, cm, and through how large an area, cm^2, by spheres in the body.

    Depth is that of a part's deepest pair of spheres; area is the sum of the discs in which its pairs intersect. Parts
    next to each other do not count, nor do folds such as armpits (`body.spheres`).
    """
    shape = frames.pos_w.shape[:3]
    depth_m, area_m2 = frames.pos_w.new_zeros(2, *shape).flatten(1, 2)
    rotmat_w = quat_to_rotmat(frames.quat_w).flatten(0, 1)
    arms_w = (frames.pos_w - frames.pos_w[:, :, :1]).flatten(0, 1)
    size = 16 * frames_at_once(arms_w.device)
    for start in range(0, len(arms_w), size):
        chunk = slice(start, start + size)
        _add_penetration(spheres, spheres.placed(rotmat_w[chunk], arms_w[chunk]), depth_m[chunk], area_m2[chunk])
    depth, area = 100.0 * depth_m.view(shape), 1e4 * area_m2.view(shape)
    depth_reading = Reading(depth, graded(depth, _ALLOWED_DEPTH_CM, _WORST_DEPTH_CM), "cm")
    return depth_reading, Reading(area, graded(area, _ALLOWED_AREA_CM2, _WORST_AREA_CM2), "cm2")


def _add_penetration(
    spheres: BodySpheres, centers: torch.Tensor, depth_m: torch.Tensor, area_m2: torch.Tensor
) -> None:
    """Write the deepest overlap and add the discs of centres [F, S, 3] to depth and area of parts, [F, 24] each."""
    frame, pair = close_pairs(spheres, centers, 0.0)
    first, second = spheres.pairs[pair].unbind(1)
    a, b = spheres.radii[first], spheres.radii[second]
    distance = (centers[frame, first] - centers[frame, second]).norm(dim=-1).clamp(min=1e-6)
    overlap = (a + b - distance).clamp(min=0.0)
    # Of two spheres' intersection: its circle, or the smaller sphere's own where that is inside the other.
    along = ((distance.square() + a.square() - b.square()) / (2.0 * distance)).clamp(-a, a)
    disc = torch.pi * torch.where(distance > (a - b).abs(), a.square() - along.square(), torch.minimum(a, b).square())
    for side in (first, second):
        cell = frame * skeleton.N_JOINTS + spheres.joints[side]
        depth_m.view(-1).scatter_reduce_(0, cell, overlap, "amax")
        discs_m2 = disc.clamp(min=0.0) * (overlap > 0)
        area_m2 += summed_by_index(discs_m2, cell, area_m2.numel(), _AREA_UNIT_M2).view_as(area_m2)
