"""Damages that no body could perform, done to a good motion: what a physical verdict must see.

Beside them a control, a change of the same kind that a body can perform: what the verdict must not mind, or it
sees that something was changed and not that it is impossible.

Each takes a motion of at least three seconds and a seed, and returns a changed copy of the same length whose
first frame is the original's: scoring puts the lowest vertex of the first frame on the floor, so a
displacement of all frames would be undone. Onsets are smooth (half a cosine) wherever a jump would be what is
noticed instead of the damage itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import roma
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.rotations import slerp

SLIDE_M = 0.5
LIFT_M = 0.10
SINK_M = 0.08
JITTER_RAD = np.radians(5.0)
ARM_RAMP_S, LIFT_RAMP_S, SINK_RAMP_S = 0.3, 0.2, 0.5
HOLD_S, SLIDE_S = 1.0, 1.0
MIN_S = 3.0
_EARLIEST_S = 0.3  # damages begin no sooner, so that the first frame is left as it is
_FEET = [skeleton.joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot")]


def arm_through_torso(motion: Motion, seed: int) -> Motion:
    """Push an arm through the torso for a second.

    The left or the right upper arm turns down along the torso, and the forearm through the belly: from the
    elbow straight at the joint between chest and belly (spine2), wrist and hand straight. The arm takes 0.3 s
    to get there by slerp of its local rotations, stays for a second whatever torso and arms do meanwhile, and
    takes 0.3 s to go back. The rest of the body is as it was.
    """
    return _with_arm_swung(motion, seed, _through_belly)


def arm_kept_clear(motion: Motion, seed: int) -> Motion:
    """Swing the same arm at the same time and pace as `arm_through_torso` does, but clear of the body: the upper
    arm down and somewhat outward, the forearm straight forward. A control: anybody can do it.
    """
    return _with_arm_swung(motion, seed, _clear_of_body)


def sliding_pelvis(motion: Motion, seed: int) -> Motion:
    """Slide the pelvis 0.5 m sideways under planted feet.

    Within the second in which the slower foot moves least, the pelvis moves 0.5 m in a random horizontal
    direction, by half a cosine, and stays displaced to the end. Joint rotations are as they were, so the
    planted feet skate along with it.
    """
    generator = _generator(motion, seed)
    start, n = _stillest(motion, round(SLIDE_S * FPS)), round(SLIDE_S * FPS)
    bearing = generator.uniform(0.0, 2.0 * np.pi)
    direction = np.array([np.cos(bearing), np.sin(bearing), 0.0])
    progress = _smooth((np.arange(len(motion)) - start) / n)
    return replace(motion, translation=motion.translation + SLIDE_M * progress[:, None] * direction, contacts=None)


def lifted_body(motion: Motion, seed: int) -> Motion:
    """Lift the whole body 10 cm for a second: 0.2 s up, a second there, 0.2 s down, by half cosines."""
    generator = _generator(motion, seed)
    return _raised(motion, LIFT_M * _envelope(motion, generator, HOLD_S, LIFT_RAMP_S))


def sunk_feet(motion: Motion, seed: int) -> Motion:
    """Sink the feet 8 cm into the floor: the whole body goes down by half a cosine of 0.5 s that begins
    between 0.3 and 1 s, and stays down to the end.
    """
    begin_s = _generator(motion, seed).uniform(_EARLIEST_S, 1.0)
    return _raised(motion, -SINK_M * _smooth((np.arange(len(motion)) / FPS - begin_s) / SINK_RAMP_S))


def jittered_pose(motion: Motion, seed: int) -> Motion:
    """Jitter the pose by 5 degrees: in each frame but the first every joint but the pelvis is turned, in its
    own frame, about a random axis by a normally distributed angle whose root mean square is 5 degrees.
    """
    generator = _generator(motion, seed)
    turns = generator.normal(scale=JITTER_RAD / np.sqrt(3.0), size=(len(motion), skeleton.N_JOINTS - 1, 3))
    turns[0] = 0.0
    own = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, 1:]).double())
    poses = motion.poses.copy()
    poses[:, 1:] = roma.rotmat_to_rotvec(own @ roma.rotvec_to_rotmat(torch.from_numpy(turns))).numpy()
    return replace(motion, poses=poses, contacts=None)


DAMAGES: MappingProxyType[str, Callable[[Motion, int], Motion]] = MappingProxyType({
    "arm_through_torso": arm_through_torso,
    "sliding_pelvis": sliding_pelvis,
    "lifted_body": lifted_body,
    "sunk_feet": sunk_feet,
    "jittered_pose": jittered_pose,
})

CONTROLS: MappingProxyType[str, Callable[[Motion, int], Motion]] = MappingProxyType({"arm_kept_clear": arm_kept_clear})


def _generator(motion: Motion, seed: int) -> np.random.Generator:
    if motion.duration_s < MIN_S or abs(motion.fps - FPS) > 1e-3:
        raise UserError(
            f"a motion to damage needs {MIN_S:g} s at {FPS:g} frames a second, "
            f"not {motion.duration_s:.2f} s at {motion.fps:g}"
        )
    return np.random.default_rng(seed)


def _smooth(progress: np.ndarray) -> np.ndarray:
    """Return half a cosine from 0 to 1 over progress 0 to 1, constant outside."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(progress, 0.0, 1.0))


def _envelope(motion: Motion, generator: np.random.Generator, hold_s: float, ramp_s: float) -> np.ndarray:
    """Return [T]: 0, a rise of ramp_s to 1, hold_s there, a fall of ramp_s, 0; begun at random within the motion."""
    begin_s = generator.uniform(_EARLIEST_S, motion.duration_s - hold_s - 2.0 * ramp_s)
    since_s = np.arange(len(motion)) / FPS - begin_s
    return _smooth(since_s / ramp_s) * _smooth((hold_s + 2.0 * ramp_s - since_s) / ramp_s)


def _raised(motion: Motion, height_m: np.ndarray) -> Motion:
    translation = motion.translation.copy()
    translation[:, 2] += height_m
    return replace(motion, translation=translation, contacts=None)


def _stillest(motion: Motion, n: int) -> int:
    """Return the first of the n frames, the first frame of all excepted, over which the slower foot moves least."""
    feet = motion.joints()[:, _FEET].reshape(len(motion), 2, 2, 3)
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1).mean(axis=2).min(axis=1)
    travelled = np.convolve(speed, np.ones(n), mode="valid")
    return 1 + int(travelled[1:].argmin())


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


def _through_belly(trunk: _Trunk) -> _Directions:
    return -trunk.chest_w[:, :, 1], lambda elbow_w: trunk.belly_w - elbow_w


def _clear_of_body(trunk: _Trunk) -> _Directions:
    down_and_out = -trunk.chest_w[:, :, 1] + 0.5 * trunk.outward * trunk.chest_w[:, :, 0]
    return down_and_out, lambda _: trunk.chest_w[:, :, 2]


def _with_arm_swung(motion: Motion, seed: int, directions: Callable[[_Trunk], _Directions]) -> Motion:
    """Return the motion with an arm swung to a pose for a second; see `arm_through_torso`."""
    generator = _generator(motion, seed)
    side = ("left", "right")[generator.integers(2)]
    amount = torch.from_numpy(_envelope(motion, generator, HOLD_S, ARM_RAMP_S))
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
