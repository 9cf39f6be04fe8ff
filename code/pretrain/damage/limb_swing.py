"""Limbs pushed through the body: an arm through the torso, a leg through the other; and an arm that stays clear."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import roma
import torch

from pretrain.damage.onset import envelope, generator_for
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.rotations import slerp

HOLD_S, RAMP_S = 1.0, 0.3
# From the belly's joint to a forearm that lies against the belly from outside, and between two knees that touch.
BELLY_M, KNEES_M = 0.16, 0.12


def arm_through_torso(motion: Motion, seed: int, depth_cm: float = 100.0 * BELLY_M) -> Motion:
    """Push an arm into the torso for a second, as deep as said: 16 cm is straight through the belly.

    The left or the right upper arm turns down along the torso, and the forearm across the belly, so many centimetres
    further in than where it would lie against it; wrist and hand straight. The arm takes 0.3 s to get there by slerp
    of its local rotations, stays for a second whatever torso and arms do meanwhile, and takes 0.3 s to go back. The
    rest of the body is as it was.
    """
    ahead_m = BELLY_M - 0.01 * depth_cm

    def into_belly(trunk: _Trunk) -> _Directions:
        goal_w = trunk.belly_w + ahead_m * trunk.chest_w[:, :, 2]
        return -trunk.chest_w[:, :, 1], lambda elbow_w: goal_w - elbow_w

    return _with_arm_swung(motion, seed, into_belly)


def arm_kept_clear(motion: Motion, seed: int) -> Motion:
    """Swing the same arm at the same time and pace as `arm_through_torso` does, but clear of the body: the upper
    arm down and somewhat outward, the forearm straight forward. A control: anybody can do it.
    """
    return _with_arm_swung(motion, seed, _clear_of_body)


def leg_through_leg(motion: Motion, seed: int, depth_cm: float = 12.0) -> Motion:
    """Push the leg whose foot is higher on average into the other for a second, its knee so many centimetres further
    than where the knees touch: at 12 cm into the middle of the other knee. Only its hip turns.
    """
    generator = generator_for(motion, seed)
    amount = torch.from_numpy(envelope(motion, generator, HOLD_S, RAMP_S))
    joints = motion.joints()
    heights = [joints[:, skeleton.joint_index(f"{side}_ankle"), 2].mean() for side in ("left", "right")]
    mine, other = ("left", "right") if heights[0] > heights[1] else ("right", "left")
    hip, knee, other_knee = (skeleton.joint_index(name) for name in (f"{mine}_hip", f"{mine}_knee", f"{other}_knee"))
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    positions, rotations = skeleton.forward_kinematics_rotmat(own, torch.from_numpy(motion.translation).double())
    sideways = positions[:, hip] - positions[:, skeleton.joint_index(f"{other}_hip")]
    sideways = sideways / sideways.norm(dim=-1, keepdim=True)
    goal_w = positions[:, other_knee] + (KNEES_M - 0.01 * depth_cm) * sideways
    bone = torch.from_numpy(skeleton.offsets())[knee]
    thigh_w = _aligned(rotations[:, hip], bone, goal_w - positions[:, hip])
    swung = slerp(own[:, hip], rotations[:, 0].transpose(1, 2) @ thigh_w, amount[:, None, None])
    poses = motion.poses.copy()
    poses[:, hip] = roma.rotmat_to_rotvec(swung).numpy()
    return replace(motion, poses=poses, contacts=None)


@dataclass(frozen=True)
class _Trunk:
    """Where the trunk is in T frames, world axes: rotation of the chest [T, 3, 3], collar [T, 3, 3] and position
    of shoulder and belly (spine2) [T, 3] m; outward, +1 or -1, is the arm's side along the chest's x axis.
    """

    chest_w: torch.Tensor
    collar_w: torch.Tensor
    shoulder_w: torch.Tensor
    belly_w: torch.Tensor
    outward: float


# What an arm is to do: upper arm's direction of the trunk, and forearm's of the trunk and the elbow's position.
_Directions = tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]


def _clear_of_body(trunk: _Trunk) -> _Directions:
    down_and_out = -trunk.chest_w[:, :, 1] + 0.5 * trunk.outward * trunk.chest_w[:, :, 0]
    return down_and_out, lambda _: trunk.chest_w[:, :, 2]


def _with_arm_swung(motion: Motion, seed: int, directions: Callable[[_Trunk], _Directions]) -> Motion:
    """Return the motion with an arm swung to a pose for a second; see `arm_through_torso`."""
    generator = generator_for(motion, seed)
    side = ("left", "right")[generator.integers(2)]
    amount = torch.from_numpy(envelope(motion, generator, HOLD_S, RAMP_S))
    arm = [skeleton.joint_index(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist")]
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, arm]).double())
    trunk = _trunk(motion, arm[0], 1.0 if side == "left" else -1.0)
    blended = slerp(own, _arm_pose(trunk, arm, *directions(trunk)), amount[:, None, None, None])
    poses = motion.poses.copy()
    poses[:, arm] = roma.rotmat_to_rotvec(blended).numpy()
    return replace(motion, poses=poses, contacts=None)


def _trunk(motion: Motion, shoulder: int, outward: float) -> _Trunk:
    rotmat = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    positions, rotations = skeleton.forward_kinematics_rotmat(rotmat, torch.from_numpy(motion.translation).double())
    chest, belly = skeleton.joint_index("spine3"), skeleton.joint_index("spine2")
    collar = skeleton.parents()[shoulder]
    return _Trunk(rotations[:, chest], rotations[:, collar], positions[:, shoulder], positions[:, belly], outward)


def _arm_pose(
    trunk: _Trunk, arm: list[int], upper_w: torch.Tensor, forearm_of: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Return local rotations [T, 3, 3, 3] of shoulder, elbow and wrist that point the arm so."""
    bones = torch.from_numpy(skeleton.offsets())
    upper_arm_w = _aligned(trunk.collar_w, bones[arm[1]], upper_w)
    elbow_w = trunk.shoulder_w + (upper_arm_w @ bones[arm[1], :, None]).squeeze(-1)
    forearm_w = _aligned(upper_arm_w, bones[arm[2]], forearm_of(elbow_w))
    shoulder = trunk.collar_w.transpose(1, 2) @ upper_arm_w
    elbow = upper_arm_w.transpose(1, 2) @ forearm_w
    return torch.stack((shoulder, elbow, torch.eye(3).double().expand_as(elbow)), dim=1)


def _aligned(parent_w: torch.Tensor, bone: torch.Tensor, direction_w: torch.Tensor) -> torch.Tensor:
    """Return world rotations [T, 3, 3]: the parent's, turned the shortest way that points a bone [3] along [T, 3]."""
    now_w = parent_w @ (bone / bone.norm())
    wanted_w = direction_w / direction_w.norm(dim=-1, keepdim=True)
    axis = torch.linalg.cross(now_w, wanted_w)
    sine, cosine = axis.norm(dim=-1, keepdim=True), (now_w * wanted_w).sum(dim=-1, keepdim=True)
    return roma.rotvec_to_rotmat(axis / sine.clamp(min=1e-9) * torch.atan2(sine, cosine)) @ parent_w
