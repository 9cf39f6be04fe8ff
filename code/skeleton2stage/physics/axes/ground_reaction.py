"""What the floor can give of the force that a motion needs: pushes within friction's cone, at points that touch.

In every frame the forces f_p at P points minimise

    |sum f_p - F|^2 + |sum r_p x f_p - M|^2 / L^2 + eps sum |f_p|^2 / w_p^2,   f_p in the cone |f_xy| <= mu f_z,

F and M being force and moment that the body's own mechanics need from outside, the latter about the middle of what
carries, r_p the points from there, and w_p how readily a point carries. Forces are in body weights inside.

With x = f / w and A x the six numbers that x pushes and turns by, b those needed, this is |A x - b|^2 + eps |x|^2 over
cones. Its dual has six unknowns y, which at the minimum are what is missing, b - A x: it is the least of
|y|^2 / 2 - b y + |z|^2 / (2 eps), z being A^T y projected into the cones, and x = z / eps. The gradient, y - b + A x,
has a generalised Jacobian, so Newton's method with halved steps (semismooth; Qi and Sun, 1993) finds it to rounding in
some ten steps, all frames at once, those that are found left out.
"""

from dataclasses import dataclass

import torch

from skeleton2stage.physics.humanoid.humanoid import FLOOR_FRICTION

MOMENT_ARM_M = 0.3  # L: a moment counts as the force that makes it at this distance
RIDGE = 1e-4
ITERATIONS = 40  # the slowest of 1,800 frames of mocap took 19
FOUND = 1e-3  # body weights that the gradient may still have
_HALVINGS, _LEAST_DECREASE = 8, 1e-4


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
    missing = wanted.clone()
    left = torch.arange(len(wanted), device=wanted.device)
    for _ in range(iterations):
        here, goal, now = to_wrench[left], wanted[left], missing[left]
        pull, push = _pushes(here, now)
        slope = now - goal + torch.bmm(here, push.flatten(1)[..., None]).squeeze(-1) / RIDGE
        away = slope.norm(dim=-1) > FOUND
        left, here, goal, now, pull, push, slope = (
            value[away] for value in (left, here, goal, now, pull, push, slope)
        )
        if not len(left):
            break
        step = -torch.linalg.solve(_curvature(here, pull).double(), slope.double()).to(slope)
        missing[left] = _lower(here, goal, now, step, (_height(now, goal, push), (slope * step).sum(dim=-1)))
    return _pushes(to_wrench, missing)[1].flatten(1) / RIDGE


def _pushes(to_wrench: torch.Tensor, missing: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return A^T y [F, P, 3] and the same in the cones, for y [F, 6]."""
    pull = torch.bmm(missing[:, None], to_wrench).squeeze(1).unflatten(-1, (-1, 3))
    return pull, into_cone(pull, FLOOR_FRICTION)


def _height(missing: torch.Tensor, wanted: torch.Tensor, push: torch.Tensor) -> torch.Tensor:
    """Return what the dual makes least, [F]."""
    return (missing * (0.5 * missing - wanted)).sum(dim=-1) + push.square().sum(dim=(1, 2)) / (2.0 * RIDGE)


def _lower(
    to_wrench: torch.Tensor, wanted: torch.Tensor, now: torch.Tensor, step: torch.Tensor,
    begun: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Return now [F, 6] moved by as much of a step as makes the dual lower; begun: its height [F] and slope [F]."""
    height, slope = begun
    share = torch.ones_like(height)
    for _ in range(_HALVINGS):
        new = now + share[:, None] * step
        reached = _height(new, wanted, _pushes(to_wrench, new)[1])
        # Heights are rounded too.
        high = reached > height + _LEAST_DECREASE * share * slope + 1e-6 * height.abs()
        if not high.any():
            break
        share = torch.where(high, 0.5 * share, share)
    return now + share[:, None] * step


def _curvature(to_wrench: torch.Tensor, pull: torch.Tensor) -> torch.Tensor:
    """Return the dual's generalised second derivative [F, 6, 6]: 1 + A J A^T / eps, J = L L^T the cones' Jacobian."""
    columns = to_wrench.unflatten(2, (-1, 3)).transpose(1, 2) @ _cone_root(pull, FLOOR_FRICTION)
    columns = columns.transpose(1, 2).flatten(2)
    return torch.eye(6, device=pull.device) + torch.bmm(columns, columns.transpose(1, 2)) / RIDGE


def _cone_root(forces: torch.Tensor, friction: float) -> torch.Tensor:
    """Return L [..., 3, 3] of the Jacobian L L^T of `into_cone`: the identity inside, nothing behind, and between them
    along the cone's edge, and around it as much narrower as the projected force is.
    """
    flat, up = forces[..., :2].norm(dim=-1), forces[..., 2]
    x, y = (forces[..., :2] / flat.clamp(min=1e-12)[..., None]).unbind(-1)
    narrower = (friction * (up + friction * flat) / (1.0 + friction**2) / flat.clamp(min=1e-12)).clamp(0.0, 1.0).sqrt()
    nothing, edge = torch.zeros_like(up), torch.full_like(up, (1.0 + friction**2) ** -0.5)
    along = torch.stack((friction * edge * x, friction * edge * y, edge), dim=-1)
    around = torch.stack((-narrower * y, narrower * x, nothing), dim=-1)
    root = torch.stack((along, around, torch.zeros_like(along)), dim=-1)
    inside, behind = flat <= friction * up, friction * flat <= -up
    root = torch.where(inside[..., None, None], torch.eye(3, device=forces.device), root)
    return torch.where(behind[..., None, None], 0.0, root)


def into_cone(forces: torch.Tensor, friction: float) -> torch.Tensor:
    """Return the nearest forces [..., 3] in friction's cone: horizontally at most friction times the vertical."""
    flat, up = forces[..., :2].norm(dim=-1), forces[..., 2]
    height = (up + friction * flat) / (1.0 + friction**2)
    inside, behind = flat <= friction * up, friction * flat <= -up
    up = torch.where(inside, up, torch.where(behind, 0.0, height))
    new_flat = torch.where(inside, flat, torch.where(behind, 0.0, friction * height))
    return torch.cat((forces[..., :2] * (new_flat / flat.clamp(min=1e-12))[..., None], up[..., None]), dim=-1)
