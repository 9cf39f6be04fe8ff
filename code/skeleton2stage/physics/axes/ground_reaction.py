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
    to_wrench = _to_wrench(levers, grip)
    wanted = torch.cat((wanted_force, wanted_moment), dim=-1)
    scaled = _solve(to_wrench, wanted, iterations)
    missing = wanted - torch.einsum("fwx,fx->fw", to_wrench, scaled)
    forces_w = unit_n * grip[..., None] * scaled.unflatten(-1, (-1, 3))
    return GroundReaction(forces_w, unit_n * missing[:, :3], unit_n * MOMENT_ARM_M * missing[:, 3:])


def _to_wrench(levers: torch.Tensor, grip: torch.Tensor) -> torch.Tensor:
    """Return A [F, 6, 3 P], which takes forces over w_p to the force and the moment over L that they make."""
    x, y, z = levers.unbind(-1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    push = torch.stack((one, zero, zero, zero, one, zero, zero, zero, one), dim=-1)
    turn = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1)
    rows = torch.cat((push, turn), dim=-1).unflatten(-1, (6, 3))
    return (grip[..., None, None] * rows).transpose(1, 2).flatten(2)


def _solve(to_wrench: torch.Tensor, wanted: torch.Tensor, iterations: int) -> torch.Tensor:
    """Return forces over w_p, [F, 3 P] in body weights; see the module."""
    # The Frobenius norm of A A^T bounds the curvature, which has the largest eigenvalue of A^T A.
    curvature = (to_wrench @ to_wrench.transpose(1, 2)).flatten(1).norm(dim=-1, keepdim=True)
    step = 1.0 / (curvature.clamp(min=1e-6) + RIDGE)
    now = torch.zeros_like(to_wrench[:, 0])
    ahead, pace = now, torch.ones_like(step)
    for _ in range(iterations):
        off = torch.bmm(to_wrench, ahead[..., None]) - wanted[..., None]
        slope = torch.bmm(off.transpose(1, 2), to_wrench).squeeze(1) + RIDGE * ahead
        new = into_cone((ahead - step * slope).unflatten(-1, (-1, 3)), FLOOR_FRICTION).flatten(1)
        uphill = (slope * (new - now)).sum(dim=1, keepdim=True) > 0
        pace = torch.where(uphill, 1.0, pace)
        next_pace = 0.5 * (1.0 + torch.sqrt(1.0 + 4.0 * pace.square()))
        ahead = torch.lerp(now, new, 1.0 + (pace - 1.0) / next_pace)
        now, pace = new, next_pace
    return now


def into_cone(forces: torch.Tensor, friction: float) -> torch.Tensor:
    """Return the nearest forces [..., 3] in friction's cone: horizontally at most friction times the vertical."""
    flat, up = forces[..., :2].norm(dim=-1), forces[..., 2]
    height = (up + friction * flat) / (1.0 + friction**2)
    inside, behind = flat <= friction * up, friction * flat <= -up
    up = torch.where(inside, up, torch.where(behind, 0.0, height))
    new_flat = torch.where(inside, flat, torch.where(behind, 0.0, friction * height))
    return torch.cat((forces[..., :2] * (new_flat / flat.clamp(min=1e-12))[..., None], up[..., None]), dim=-1)
