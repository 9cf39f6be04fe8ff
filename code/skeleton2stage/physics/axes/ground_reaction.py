"""What the floor can give of the force that a motion needs: pushes within friction's cone, at points that touch.

In every frame the forces f_p at P points minimise

    |sum f_p - F|^2 + |sum r_p x f_p - M|^2 / L^2 + eps sum |f_p|^2 / w_p^2,   f_p in the cone |f_xy| <= mu f_z,

F and M being force and moment that the body's own mechanics need from outside, the latter about the middle of what
carries, r_p the points from there, and w_p how readily a point carries. All
frames are solved at once, by projected gradients with Nesterov's momentum and restarts (FISTA; O'Donoghue and Candes,
2015). Forces are in body weights inside.
"""

from dataclasses import dataclass

import torch

from skeleton2stage.physics.humanoid.humanoid import FLOOR_FRICTION

MOMENT_ARM_M = 0.3  # L: a moment counts as the force that makes it at this distance
RIDGE = 1e-4
ITERATIONS = 80


@dataclass(frozen=True)
class GroundReaction:
    """Forces of the floor in F frames: forces_w [F, P, 3] N at the points, and what is missing of the force,
    missing_force_w [F, 3] N, and of the moment, missing_moment_w [F, 3] N·m.
    """

    forces_w: torch.Tensor
    missing_force_w: torch.Tensor
    missing_moment_w: torch.Tensor

    @property
    def residual_n(self) -> torch.Tensor:
        """Size of what is missing, [F] N, a moment counting as the force that makes it at `MOMENT_ARM_M`."""
        moment = self.missing_moment_w.norm(dim=-1) / MOMENT_ARM_M
        return torch.hypot(self.missing_force_w.norm(dim=-1), moment)


def ground_reaction(
    arms_w: torch.Tensor, grip: torch.Tensor, force_w: torch.Tensor, moment_w: torch.Tensor,
    iterations: int = ITERATIONS,
) -> GroundReaction:
    """Return what the floor gives of force_w [F, 3] N and moment_w [F, 3] N·m about the pelvis.

    arms_w [F, P, 3] m from pelvis to points, grip [F, P] in [0, 1].
    """
    unit_n = force_w.norm(dim=-1, keepdim=True).mean().clamp(min=1.0)
    centre_w = (grip[..., None] * arms_w).sum(dim=1) / grip.sum(dim=1, keepdim=True).clamp(min=1e-3)
    # About the middle of what touches, where force and moment hardly mix: far fewer iterations.
    levers = (arms_w - centre_w[:, None]) / MOMENT_ARM_M
    wanted_force = force_w / unit_n
    wanted_moment = (moment_w - torch.linalg.cross(centre_w, force_w)) / (unit_n * MOMENT_ARM_M)
    scaled = _solve(levers, grip, wanted_force, wanted_moment, iterations)
    given = grip[..., None] * scaled
    missing_force = wanted_force - given.sum(dim=1)
    missing_moment = wanted_moment - torch.linalg.cross(levers, given).sum(dim=1)
    return GroundReaction(unit_n * given, unit_n * missing_force, unit_n * MOMENT_ARM_M * missing_moment)


def _solve(
    levers: torch.Tensor, grip: torch.Tensor, force: torch.Tensor, moment: torch.Tensor, iterations: int
) -> torch.Tensor:
    """Return forces over w_p, [F, P, 3] in body weights; see the module."""
    weight = grip[..., None]
    step = 1.0 / _curvature(levers, grip)
    now = torch.zeros_like(levers)
    ahead, pace = now, torch.ones_like(step)
    for _ in range(iterations):
        given = weight * ahead
        missing_force = given.sum(dim=1) - force
        missing_moment = torch.linalg.cross(levers, given).sum(dim=1) - moment
        slope = missing_force[:, None] + torch.linalg.cross(missing_moment[:, None].expand_as(levers), levers)
        slope = weight * slope + RIDGE * ahead
        new = into_cone(ahead - step * slope, FLOOR_FRICTION)
        uphill = (slope * (new - now)).sum(dim=(1, 2), keepdim=True) > 0
        pace = torch.where(uphill, 1.0, pace)
        next_pace = 0.5 * (1.0 + torch.sqrt(1.0 + 4.0 * pace.square()))
        ahead = new + (pace - 1.0) / next_pace * (new - now)
        now, pace = new, next_pace
    return now


def _curvature(levers: torch.Tensor, grip: torch.Tensor) -> torch.Tensor:
    """Return an upper bound [F, 1, 1] of the objective's curvature: the Frobenius norm of A A^T, plus the ridge.

    A = w (1, [lever]x) takes forces to the wrench; A A^T is [6, 6] and has A^T A's largest eigenvalue.
    """
    weight = grip.square()
    total, mean = weight.sum(dim=1), torch.einsum("fp,fpa->fa", weight, levers)
    outer = torch.einsum("fp,fpa,fpb->fab", weight, levers, levers)
    trace = outer.diagonal(dim1=1, dim2=2).sum(dim=-1)
    turning = trace[:, None, None] * torch.eye(3, device=levers.device) - outer
    squares = 3.0 * total.square() + 4.0 * mean.square().sum(dim=-1) + turning.square().sum(dim=(1, 2))
    return squares.sqrt()[:, None, None].clamp(min=1e-6) + RIDGE


def into_cone(forces: torch.Tensor, friction: float) -> torch.Tensor:
    """Return the nearest forces [..., 3] in friction's cone: horizontally at most friction times the vertical."""
    flat, up = forces[..., :2].norm(dim=-1), forces[..., 2]
    height = (up + friction * flat) / (1.0 + friction**2)
    inside, behind = flat <= friction * up, friction * flat <= -up
    up = torch.where(inside, up, torch.where(behind, 0.0, height))
    new_flat = torch.where(inside, flat, torch.where(behind, 0.0, friction * height))
    return torch.cat((forces[..., :2] * (new_flat / flat.clamp(min=1e-12))[..., None], up[..., None]), dim=-1)
