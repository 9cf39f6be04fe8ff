"""Dynamic axes: joints stronger than a person's, forces that no floor gives, work that no body does."""

import torch

from skeleton2stage.physics.axes.dance_frames import persisting
from skeleton2stage.physics.axes.dynamics import Dynamics
from skeleton2stage.physics.axes.ground_reaction import into_cone
from skeleton2stage.physics.axes.person_limits import strengths_nm
from skeleton2stage.physics.axes.reading import Reading, graded, of_whole_body
from skeleton2stage.physics.humanoid.humanoid import FLOOR_FRICTION, TOTAL_MASS_KG

_WORST_TORQUE = 2.5  # times a joint's strength
_MOST_PUSH = 5.0  # body weights: a triple jump's landing has more, no dance does
_ALLOWED_UNMET, _WORST_UNMET = 15.0, 100.0  # % of body weight
_ALLOWED_RESIDUAL, _WORST_RESIDUAL = 40.0, 150.0
_ALLOWED_POWER, _WORST_POWER = 25.0, 90.0  # W/kg; jumpers reach about 25 for a moment


def torque(forces: Dynamics) -> Reading:
    """Return the joints' torques, N·m, against strength: the fault grows from a joint's strength to 2.5 times it."""
    value = torch.nn.functional.pad(forces.torque.norm(dim=-1), (1, 0))
    strength = torch.as_tensor(strengths_nm(), dtype=value.dtype, device=value.device)
    return Reading(value, graded(value / strength, 1.0, _WORST_TORQUE), "N m")


def ground_force(forces: Dynamics) -> Reading:
    """Return what of the force that the motion needs no floor gives there, % of body weight, moments apart.

    All of it where nothing touches; else what is outside friction's cone (pulling down, or sideways by more than
    friction holds), and what exceeds five body weights. So much of it for a sixth of a second: see `persisting`.
    """
    needed = forces.needed_force_w / forces.weight_n
    outside = (needed - into_cone(needed, FLOOR_FRICTION)).norm(dim=-1)
    size = needed.norm(dim=-1)
    unmet = torch.lerp(size, torch.maximum(outside, (size - _MOST_PUSH).clamp(min=0.0)), forces.touched)
    value = of_whole_body(persisting(100.0 * unmet))
    return Reading(value, graded(value, _ALLOWED_UNMET, _WORST_UNMET), "% weight")


def residual(forces: Dynamics) -> Reading:
    """Return what an invisible hand would have to give, % of body weight: force and moment that the floor cannot, and
    so much of it for a sixth of a second: see `persisting`.
    """
    value = of_whole_body(persisting(100.0 * forces.residual_n / forces.weight_n))
    return Reading(value, graded(value, _ALLOWED_RESIDUAL, _WORST_RESIDUAL), "% weight")


def power(forces: Dynamics) -> Reading:
    """Return the power with which joints drive, W/kg: each joint's at its part, that of all together at the pelvis,
    whose fault alone is graded.
    """
    by_joint = forces.power_w.clamp(min=0.0) / TOTAL_MASS_KG
    value = torch.cat((by_joint.sum(dim=-1, keepdim=True), by_joint), dim=-1)
    share = torch.zeros_like(value)
    share[..., 0] = graded(value[..., 0], _ALLOWED_POWER, _WORST_POWER)
    return Reading(value, share, "W/kg")
