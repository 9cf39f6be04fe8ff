"""Contact axes: feet that slide, a body in the floor or over it, and support where no foot is."""

import torch

from skeleton2stage.motion.motion import FPS
from skeleton2stage.motion.skeleton import joint_index
from skeleton2stage.physics.axes.dance_frames import DanceFrames, highest_around, persisting
from skeleton2stage.physics.axes.dynamics import Dynamics
from skeleton2stage.physics.axes.floor_points import SOLE_POINTS, FloorPoints, lowest_point
from skeleton2stage.physics.axes.reading import Reading, graded, of_whole_body
from skeleton2stage.physics.humanoid.humanoid import Humanoid

ALLOWED_SLIDE_CMPS, _WORST_SLIDE_CMPS = 30.0, 150.0
_ALLOWED_SINK_CM, _WORST_SINK_CM = 2.5, 10.0
_ALLOWED_FLOAT_CM, _WORST_FLOAT_CM = 3.5, 12.0
_ALLOWED_OUTSIDE_CM, _WORST_OUTSIDE_CM = 10.0, 40.0
# Under this share of body weight next to nothing has to be supported, and where is anybody's guess.
_LEAST_LOAD = 0.3
_TOUCHES = 0.5
_DIRECTIONS = 16
_FEET = (joint_index("left_ankle"), joint_index("right_ankle"))
_TOES = (joint_index("left_foot"), joint_index("right_foot"))


def slide(points: FloorPoints, forces: Dynamics) -> Reading:
    """Return how fast feet slide on the floor, cm/s, at each foot's ankle: the horizontal speed of the slowest of its
    sole's points that touch at both ends of a step, so that turning on a point is free. The slower of the steps to a
    frame and from it: a foot that lands or leaves is fast on one side alone. Where the foot has to carry 0.3 of body
    weight: one that brushes the floor does not slide.
    """
    soles = points.pos_w[:, :, : points.n_sole].unflatten(2, (2, 2 * SOLE_POINTS))
    touch = points.touching[:, :, : points.n_sole].unflatten(2, (2, 2 * SOLE_POINTS)) >= _TOUCHES
    both = touch[:, 1:] & touch[:, :-1]
    speed = 100.0 * FPS * soles[..., :2].diff(dim=1).norm(dim=-1)
    slowest = torch.where(both, speed, torch.inf).amin(dim=-1)
    slowest = torch.where(both.any(dim=-1), slowest, 0.0)
    value = speed.new_zeros(*soles.shape[:2], 24)
    value[:, 1:, _FEET] = slowest
    value[:, :-1, _FEET] = torch.cat((slowest[:, :1], torch.minimum(slowest[:, :-1], slowest[:, 1:])), dim=1)
    value = torch.where(foot_load(forces) > _LEAST_LOAD * forces.weight_n, value, 0.0)
    return Reading(value, graded(value, ALLOWED_SLIDE_CMPS, _WORST_SLIDE_CMPS), "cm/s")


def foot_load(forces: Dynamics) -> torch.Tensor:
    """Return the floor's push up on each foot, sole and toes, at its ankle, [N, T, 24] N."""
    load = torch.zeros_like(forces.load_n)
    load[..., _FEET] = forces.load_n[..., _FEET] + forces.load_n[..., _TOES]
    return load


def part_heights(frames: DanceFrames, humanoid: Humanoid) -> torch.Tensor:
    """Return the height of every part's lowest vertex over the floor, [N, T, 24] m."""
    parts = range(frames.pos_w.shape[2])
    return torch.stack([lowest_point(frames, humanoid, part)[..., 2] for part in parts], dim=-1)


def sink(heights: torch.Tensor) -> Reading:
    """Return how deep parts are in the floor, cm, for heights [N, T, 24] m of their lowest vertices."""
    value = (-100.0 * heights).clamp(min=0.0)
    return Reading(value, graded(value, _ALLOWED_SINK_CM, _WORST_SINK_CM), "cm")


def floating(heights: torch.Tensor, forces: Dynamics) -> Reading:
    """Return how high the body's lowest part is over the floor where the motion needs the floor, cm: the height times
    the share of body weight that must be carried, at most one. A flight that falls as bodies do carries nothing.
    """
    # The lowest of the frames that forces are smoothed over: the ends of a flight carry what its neighbours do.
    lowest = -highest_around(-100.0 * heights.amin(dim=-1)).clamp(max=0.0)
    load = (forces.needed_force_w[..., 2] / forces.weight_n).clamp(0.0, 1.0)
    value = of_whole_body(lowest * load)
    return Reading(value, graded(value, _ALLOWED_FLOAT_CM, _WORST_FLOAT_CM), "cm")


def support(points: FloorPoints, forces: Dynamics) -> Reading:
    """Return how far the centre of pressure that the motion needs is outside what touches the floor, cm.

    The centre of pressure is where on the floor the needed force has no horizontal moment; what touches is the convex
    hull of the points that do, over 16 directions. Zero where nothing touches, which floating tells, or where less than
    0.3 of body weight is carried. How far it stays there for a sixth of a second: see `persisting`.
    """
    up = forces.needed_force_w[..., 2]
    angle = torch.arange(_DIRECTIONS, device=up.device) * (2.0 * torch.pi / _DIRECTIONS)
    directions = torch.stack((torch.cos(angle), torch.sin(angle)))
    touch = points.touching >= _TOUCHES
    reach = torch.where(touch[..., None], points.pos_w[..., :2] @ directions, -torch.inf).amax(dim=2)
    outside = (forces.centre_of_pressure_w @ directions - reach).amax(dim=-1).clamp(min=0.0)
    counts = touch.any(dim=-1) & (up > _LEAST_LOAD * forces.weight_n)
    value = of_whole_body(persisting(torch.where(counts, 100.0 * outside, 0.0).clamp(max=100.0)))
    return Reading(value, graded(value, _ALLOWED_OUTSIDE_CM, _WORST_OUTSIDE_CM), "cm")
