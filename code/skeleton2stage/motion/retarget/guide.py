"""What a foreign skeleton asks of SMPL's: world rotations of its bones, and where its joints should be."""

from dataclasses import dataclass

import numpy as np
import roma
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.retarget.source_skeleton import SIDES, SourceSkeleton, shortest_rotation
from skeleton2stage.motion.rotations import slerp

STANDING_SPEED_MPS = 0.12
MIN_STANDING_S = 0.25
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

# Bones whose direction at rest differs between skeletons (arms down or out): SMPL joint -> its bone's end.
_LIMBS = {
    f"{side}_{start}": f"{side}_{end}"
    for side in SIDES
    for start, end in {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}.items()
}


@dataclass(frozen=True)
class Guide:
    """What the source asks for, z up, metres: rotations in the world and where joints should be."""

    rotmat_w: torch.Tensor  # [T, 24, 3, 3]
    targets_w: torch.Tensor  # [T, P, 3], in the order of TARGETS


def up_vector(source: SourceSkeleton, position: np.ndarray) -> np.ndarray:
    """Return the axis of the file [3] along which heads are above feet, on average over the clip."""
    feet = (position[:, source.roles["left_ankle"]] + position[:, source.roles["right_ankle"]]) / 2
    mean = (position[:, source.roles["head"]] - feet).mean(axis=0)
    axis = int(np.abs(mean).argmax())
    return np.eye(3)[axis] * np.sign(mean[axis])


def guide_of(
    source: SourceSkeleton, rotmat: np.ndarray, position: np.ndarray, up: np.ndarray, fps: float
) -> Guide:
    """Return the source's wishes at its own frame rate, from its world rotations and positions."""
    to_world = shortest_rotation(up, np.array([0.0, 0.0, 1.0]))
    position_w = source.scale_m() * position @ to_world.T
    rotmat_w = to_world @ rotmat
    alignment = _rest_alignment(source)
    for side in SIDES:
        pitch = _standing_pitch(source, position_w, side, fps)
        alignment[f"{side}_ankle"] = _foot_alignment(source, side, pitch)
    bones = {joint: torch.from_numpy(rotmat_w[:, source.roles[role]] @ alignment[joint])
             for joint, role in _COUNTERPART.items() if role in source.roles}
    targets = np.stack([position_w[:, source.roles[role]] for role in _target_roles(source).values()], axis=1)
    return Guide(_all_bones(bones), torch.from_numpy(targets))


def _target_roles(source: SourceSkeleton) -> dict[str, str]:
    """Return SMPL joint -> role; a skeleton without a neck joint has its head asked for twice."""
    return {joint: role if role in source.roles else "head" for joint, role in TARGETS.items()}


def _rest_alignment(source: SourceSkeleton) -> dict[str, np.ndarray]:
    """Return for each joint the rotation [3, 3] from SMPL's rest pose to the source's.

    The trunk stands alike in both; a limb's bone is swung onto the source's bone by the shortest way.
    """
    alignment = dict.fromkeys(_COUNTERPART, source.frame)
    rest = skeleton.rest_joints()
    for start, end in _LIMBS.items():
        bone = rest[skeleton.joint_index(end)] - rest[skeleton.joint_index(start)]
        swing = shortest_rotation(source.frame @ (bone / np.linalg.norm(bone)), source.direction(start, end))
        alignment[start] = swing @ source.frame
    for side in SIDES:
        alignment[f"{side}_wrist"] = alignment[f"{side}_elbow"]
    return alignment


def _standing_pitch(source: SourceSkeleton, position_w: np.ndarray, side: str, fps: float) -> float:
    """Return by how much (rad) the foot points further down at rest than where it stands still.

    Rest poses of mocap skeletons are drawn, not measured: what counts as a flat foot is read off the
    frames in which both of its joints rest.
    """
    ankle, toe = (position_w[:, source.roles[f"{side}_{part}"]] for part in ("ankle", "toe"))
    frames = standing_frames(ankle, toe, fps)
    if len(frames) < MIN_STANDING_S * fps:
        return 0.0
    standing = np.median(_pitch((toe - ankle)[frames]))
    direction = source.frame.T @ source.direction(f"{side}_ankle", f"{side}_toe")
    rest = _pitch(direction[[0, 2, 1]])
    return float(np.clip(standing - rest, -MAX_FOOT_PITCH_FIX_RAD, MAX_FOOT_PITCH_FIX_RAD))


def standing_frames(ankle_w: np.ndarray, toe_w: np.ndarray, fps: float) -> np.ndarray:
    """Return the frames in which a foot stands, of its joints' positions [T, 3] m, z up.

    It stands where both joints rest and the ankle is among the lowest third of its heights.
    """
    speed = np.maximum(*(np.linalg.norm(np.diff(p, axis=0), axis=-1) * fps for p in (ankle_w, toe_w)))
    low = ankle_w[:-1, 2] < np.percentile(ankle_w[:, 2], 33)
    return np.flatnonzero((speed < STANDING_SPEED_MPS) & low)


def _pitch(vector_w: np.ndarray) -> np.ndarray:
    """Return the angle over the horizontal, rad, of vectors [..., 3], z up."""
    return np.arctan2(vector_w[..., 2], np.linalg.norm(vector_w[..., :2], axis=-1))


def _foot_alignment(source: SourceSkeleton, side: str, pitch_rad: float) -> np.ndarray:
    """Return the rotation [3, 3] from SMPL's foot at rest to the source's.

    Both soles are level at rest though their toe joints are drawn at different heights: only the heading of
    the foot is matched, and the pitch by which the source's rest pose is not level is taken out.
    """
    rest = skeleton.rest_joints()
    bone = rest[skeleton.joint_index(f"{side}_foot")] - rest[skeleton.joint_index(f"{side}_ankle")]
    wanted = source.frame.T @ source.direction(f"{side}_ankle", f"{side}_toe")
    yaw = np.arctan2(wanted[0], wanted[2]) - np.arctan2(bone[0], bone[2])
    turn = roma.rotvec_to_rotmat(torch.tensor([[0.0, yaw, 0.0], [pitch_rad, 0.0, 0.0]], dtype=torch.float64))
    return source.frame @ (turn[1] @ turn[0]).numpy()


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
