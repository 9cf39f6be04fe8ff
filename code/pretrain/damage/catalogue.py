"""The catalogue: every kind of damage at five strengths, which axes must find it, and the controls.

A damage takes a motion of at least three seconds, a seed and a strength, and returns a changed copy of the same length
whose first frame is the original's: scoring puts the lowest vertex of the first frame on the floor, so a displacement
of all frames would be undone. Onsets are smooth (half a cosine) wherever a jump would be what is noticed instead of
the damage itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from pretrain.damage import crouching_hop, harmless, joint_damage, limb_swing, whole_body
from skeleton2stage.motion.motion import Motion


@dataclass(frozen=True)
class Damage:
    """A kind of damage: what does it, its five strengths from weak to strong, their unit, and the axes of the verdict
    of which at least one must find it.
    """

    apply: Callable[[Motion, int, float], Motion]
    strengths: tuple[float, float, float, float, float]
    unit: str
    axes: tuple[str, ...]


DAMAGES: MappingProxyType[str, Damage] = MappingProxyType({
    "arm_through_torso": Damage(
        limb_swing.arm_through_torso, (4, 7, 10, 13, 16), "cm", ("penetration", "penetration_area")
    ),
    "leg_through_leg": Damage(
        limb_swing.leg_through_leg, (2, 4, 6, 9, 12), "cm", ("penetration", "penetration_area")
    ),
    "sliding_pelvis": Damage(whole_body.sliding_pelvis, (0.1, 0.2, 0.3, 0.4, 0.5), "m", ("slide",)),
    "lifted_body": Damage(whole_body.lifted_body, (2, 4, 6, 8, 10), "cm", ("float", "ground_force", "residual")),
    "sunk_feet": Damage(whole_body.sunk_feet, (2, 3, 4, 6, 8), "cm", ("sink",)),
    "jittered_pose": Damage(joint_damage.jittered_pose, (0.5, 1, 2, 3, 5), "deg", ("jerk", "residual")),
    "time_warp": Damage(joint_damage.time_warp, (1.5, 2, 3, 4, 6), "times", ("joint_speed", "torque", "residual")),
    "mirrored_feet": Damage(
        joint_damage.mirrored_feet, (0.2, 0.4, 0.6, 0.8, 1), "share", ("slide", "sink", "residual")
    ),
    "impossible_lean": Damage(whole_body.impossible_lean, (5, 10, 15, 20, 30), "deg", ("support", "residual")),
    "impossible_jump": Damage(
        whole_body.impossible_jump, (0.2, 0.4, 0.6, 0.75, 0.9), "share", ("ground_force", "float", "residual")
    ),
    "frozen_root": Damage(whole_body.frozen_root, (0.25, 0.5, 1, 1.5, 2), "s", ("slide", "sink", "float", "residual")),
    "hyperextended_knee": Damage(joint_damage.hyperextended_knee, (10, 20, 30, 45, 60), "deg", ("joint_limits",)),
    "teleport": Damage(whole_body.teleport, (5, 10, 20, 50, 100), "cm", ("jerk",)),
    "backwards_head": Damage(joint_damage.backwards_head, (70, 90, 120, 150, 175), "deg", ("joint_limits",)),
})

CONTROLS: MappingProxyType[str, Callable[[Motion, int], Motion]] = MappingProxyType({
    "arm_kept_clear": limb_swing.arm_kept_clear,
    "head_turned": harmless.head_turned,
    "slight_lean": harmless.slight_lean,
    "low_hop": harmless.low_hop,
    "crouching_hop": crouching_hop.crouching_hop,
    "swaying_tempo": harmless.swaying_tempo,
    "whole_mirrored": harmless.whole_mirrored,
    "whole_turned": harmless.whole_turned,
    "whole_moved": harmless.whole_moved,
})
