"""How SMPL's bones lie in a foreign skeleton's, told by its zero pose where that is one in which a body can stand."""

import numpy as np
import roma
import torch

from skeleton2stage.motion.retarget.joint_roles import SIDES
from skeleton2stage.motion.retarget.source_skeleton import (
    SourceSkeleton,
    frame_of,
    shortest_rotation,
    smpl_rest,
    unit,
)

# Bones whose direction at rest differs between skeletons (arms down or out): role -> the bone's end.
LIMBS = {
    f"{side}_{start}": f"{side}_{end}"
    for side in SIDES
    for start, end in {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}.items()
}

# Legs leave the trunk at least at this angle (of a sitting one too), and its lines are level to within the others.
_LEGS_RAD = np.radians(100)
_LEVEL_RAD = np.radians(30)
_MIRROR_RAD = np.radians(40)
# Skeletons are modelled along the axes; a few degrees off come from the asymmetry of a real body.
_SNAP_RAD = np.radians(15)


def why_not_standing(source: SourceSkeleton) -> str:
    """Return what about the zero pose no body does, "" where it is a pose: standing, sitting, arms anyhow."""
    rest = source.rest
    if any(np.allclose(rest[end], rest[start]) for start, end in LIMBS.items()):
        return "bones have no length in it"
    left, trunk = unit(rest["left_hip"] - rest["right_hip"]), unit(rest["head"] - _middle(rest, "hip"))
    shoulders = unit(rest["left_shoulder"] - rest["right_shoulder"])
    if _angle(left, shoulders) > _LEVEL_RAD or abs(_angle(left, trunk) - np.pi / 2) > _LEVEL_RAD:
        return "hips, shoulders and trunk are not square to each other in it"
    if any(_angle(unit(rest[f"{side}_ankle"] - rest[f"{side}_hip"]), trunk) < _LEGS_RAD for side in SIDES):
        return "its legs point to where its head is"
    for start, end in LIMBS.items():
        if start.startswith("left"):
            bone, other = (unit(rest[f"{side}{end[4:]}"] - rest[f"{side}{start[4:]}"]) for side in ("left", "right"))
            if _angle(bone - 2 * (bone @ left) * left, other) > _MIRROR_RAD:
                return "its left and right sides do not mirror each other in it"
    front = np.cross(left, trunk)
    toes = [rest[f"{side}_toe"] - rest[f"{side}_ankle"] for side in SIDES if f"{side}_toe" in rest]
    return "its feet point backwards in it" if any(toe @ front < 0 for toe in toes) else ""


def zero_pose_alignment(source: SourceSkeleton, standing_pitch_rad: dict[str, float]) -> dict[str, np.ndarray]:
    """Return for each role the rotation [3, 3] from SMPL's rest pose to its joint's axes at rest.

    The trunk stands alike in both; a limb's bone is swung onto the source's bone by the shortest way.
    standing_pitch_rad: by how much a side's foot points further up where it stands than in the zero pose.
    """
    frame, rest = rest_frame(source), smpl_rest()
    alignment = dict.fromkeys(source.rest, frame)
    for start, end in LIMBS.items():
        swing = shortest_rotation(frame @ unit(rest[end] - rest[start]), unit(source.rest[end] - source.rest[start]))
        alignment[start] = swing @ frame
    for side in SIDES:
        alignment[f"{side}_wrist"] = alignment[f"{side}_elbow"]
        alignment[f"{side}_ankle"] = _foot_alignment(source, frame, side, standing_pitch_rad[side])
    return alignment


def rest_frame(source: SourceSkeleton) -> np.ndarray:
    """Return the axes (left, up, front) of a standing zero pose as columns [3, 3], the file's own where near them."""
    rest = source.rest
    frame = _body_frame(rest) @ _body_frame(smpl_rest()).T
    snapped = np.stack([_snapped(column) for column in frame.T], axis=1)
    near = all(_angle(column, axis) < _SNAP_RAD for column, axis in zip(frame.T, snapped.T, strict=True))
    return snapped if near else frame


def _body_frame(rest: dict[str, np.ndarray]) -> np.ndarray:
    left = unit(rest["left_hip"] - rest["right_hip"]) + unit(rest["left_shoulder"] - rest["right_shoulder"])
    return frame_of(left, rest["head"] - _middle(rest, "ankle"))


def rest_pitch(source: SourceSkeleton, side: str) -> float:
    """Return the angle (rad) over the horizontal at which a foot points in the zero pose."""
    direction = rest_frame(source).T @ unit(source.rest[f"{side}_toe"] - source.rest[f"{side}_ankle"])
    return float(np.arctan2(direction[1], np.hypot(direction[0], direction[2])))


def _foot_alignment(source: SourceSkeleton, frame: np.ndarray, side: str, pitch_rad: float) -> np.ndarray:
    """Return the rotation [3, 3] from SMPL's foot at rest to the source's.

    Both soles are level at rest though their toe joints are drawn at different heights: only the heading of
    the foot is matched, and the pitch by which the source's rest pose is not level is taken out.
    """
    if f"{side}_toe" not in source.rest:
        return frame
    rest = smpl_rest()
    bone = rest[f"{side}_toe"] - rest[f"{side}_ankle"]
    wanted = frame.T @ unit(source.rest[f"{side}_toe"] - source.rest[f"{side}_ankle"])
    yaw = np.arctan2(wanted[0], wanted[2]) - np.arctan2(bone[0], bone[2])
    turn = roma.rotvec_to_rotmat(torch.tensor([[0.0, yaw, 0.0], [pitch_rad, 0.0, 0.0]], dtype=torch.float64))
    return frame @ (turn[1] @ turn[0]).numpy()


def _middle(rest: dict[str, np.ndarray], part: str) -> np.ndarray:
    return (rest[f"left_{part}"] + rest[f"right_{part}"]) / 2


def _angle(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.arccos(np.clip(first @ second, -1.0, 1.0)))


def _snapped(vector: np.ndarray) -> np.ndarray:
    axis = int(np.abs(vector).argmax())
    return np.eye(3)[axis] * np.sign(vector[axis])
