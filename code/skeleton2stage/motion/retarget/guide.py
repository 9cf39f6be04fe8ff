"""What a foreign skeleton asks of SMPL's: world rotations of its bones, and where its joints should be."""

from dataclasses import dataclass

import numpy as np
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import Bvh
from skeleton2stage.motion.retarget.joint_roles import SIDES
from skeleton2stage.motion.retarget.motion_alignment import motion_alignment
from skeleton2stage.motion.retarget.source_skeleton import SourceSkeleton, during, shortest_rotation
from skeleton2stage.motion.retarget.standing import MIN_STANDING_S, UP, pitch, standing_frames
from skeleton2stage.motion.retarget.zero_pose import rest_pitch, why_not_standing, zero_pose_alignment
from skeleton2stage.motion.rotations import slerp

MAX_FOOT_PITCH_FIX_RAD = 0.3

# The counterpart of every SMPL joint that a source skeleton names: SMPL joint -> role.
_COUNTERPART = {"pelvis": "pelvis", "spine3": "chest", "neck": "neck", "head": "head"} | {
    f"{side}_{joint}": f"{side}_{role}"
    for side in SIDES
    for joint, role in {
        "hip": "hip", "knee": "knee", "ankle": "ankle", "collar": "collar",
        "shoulder": "shoulder", "elbow": "elbow", "wrist": "wrist",
    }.items()
}

# Where a role's joint is to end up: SMPL joint -> role.
TARGETS = {"head": "head", "neck": "neck"} | {
    f"{side}_{joint}": f"{side}_{role}"
    for side in SIDES
    for joint, role in {
        "hip": "hip", "knee": "knee", "ankle": "ankle",
        "shoulder": "shoulder", "elbow": "elbow", "wrist": "wrist",
    }.items()
}

@dataclass(frozen=True)
class Guide:
    """What the source asks for, z up, metres: rotations in the world and where joints should be."""

    rotmat_w: torch.Tensor  # [T, 24, 3, 3]
    targets_w: torch.Tensor  # [T, P, 3], in the order of TARGETS
    rest_pose: str  # what told how the joints lie: "zero pose", "motion", "joint positions"


@dataclass(frozen=True)
class Alignment:
    """How SMPL's bones lie in a source's joints: by role the rotation [3, 3], and what told it, as `Guide` has it."""

    by_role: dict[str, np.ndarray]
    rest_pose: str


def alignment_of(bvh: Bvh, source: SourceSkeleton, up: np.ndarray) -> Alignment:
    """Return how SMPL's bones lie in the joints of a source; `up` is its axis [3] that points up."""
    why = why_not_standing(source)
    if why:
        return Alignment(motion_alignment(during(bvh, source), up, bvh.fps, why), "motion")
    pitches = {side: _standing_pitch(source, side, up, bvh.fps) for side in SIDES}
    return Alignment(zero_pose_alignment(source, pitches), "zero pose")


def guide_of(source: SourceSkeleton, up: np.ndarray, alignment: Alignment) -> Guide:
    """Return the source's wishes at its own frame rate; `up` is its axis [3] that points up."""
    to_world = shortest_rotation(up, UP)
    bones = {joint: torch.from_numpy(to_world @ source.rotmat[role] @ alignment.by_role[role])
             for joint, role in _COUNTERPART.items() if role in source.rotmat}
    targets = [source.scale_m() * source.position[role] @ to_world.T for role in _target_roles(source).values()]
    return Guide(_all_bones(bones), torch.from_numpy(np.stack(targets, axis=1)), alignment.rest_pose)


def _target_roles(source: SourceSkeleton) -> dict[str, str]:
    """Return SMPL joint -> role; a skeleton without a neck joint has its head asked for twice."""
    return {joint: role if role in source.position else "head" for joint, role in TARGETS.items()}


def _standing_pitch(source: SourceSkeleton, side: str, up: np.ndarray, fps: float) -> float:
    """Return by how much (rad) the foot points further up where it stands still than in the zero pose.

    Rest poses of mocap skeletons are drawn, not measured: what counts as a flat foot is read off the
    frames in which both of its joints rest.
    """
    if f"{side}_toe" not in source.position:
        return 0.0
    ankle, toe = (source.scale_m() * source.position[f"{side}_{part}"] for part in ("ankle", "toe"))
    frames = standing_frames(ankle, toe, fps, up)
    if len(frames) < MIN_STANDING_S * fps:
        return 0.0
    standing = np.median(pitch((toe - ankle)[frames], up))
    return float(np.clip(standing - rest_pitch(source, side), -MAX_FOOT_PITCH_FIX_RAD, MAX_FOOT_PITCH_FIX_RAD))


def _all_bones(bones: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return world rotations [T, 24, 3, 3] with what the source does not name filled in."""
    trunk = (bones["pelvis"], bones["spine3"])
    bones = {
        "spine1": slerp(*trunk, 1 / 3), "spine2": slerp(*trunk, 2 / 3),
        "neck": slerp(bones["spine3"], bones["head"], 0.5),
        "left_collar": bones["spine3"], "right_collar": bones["spine3"],
    } | bones
    for side in SIDES:
        bones |= {f"{side}_foot": bones[f"{side}_ankle"], f"{side}_hand": bones[f"{side}_wrist"]}
    return torch.stack([bones[name] for name in skeleton.joint_names()], dim=1)
