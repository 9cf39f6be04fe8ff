"""A BVH file whose skeleton is SMPL's own: its rotations are taken as they are, where others are retargeted."""

import re

import numpy as np
from scipy.spatial.transform import Rotation

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import Bvh, local_transforms, rest_positions
from skeleton2stage.motion.formats.motion_file import RawMotion

# How far a bone may point from SMPL's own at rest: people's shapes differ by so much, other T-poses by more.
MAX_BONE_TURN_DEG = 15.0
# Besides SMPL's own names, those of the humanoids that its bodies are simulated with.
_SYNONYMS = {"root": "pelvis", "hips": "pelvis", "toe": "foot", "torso": "spine1", "spine": "spine2", "chest": "spine3",
             "thorax": "collar"}


def smpl_motion(bvh: Bvh) -> RawMotion | None:
    """Return the motion of a file with SMPL's joints and rest pose, in metres and the axes of that pose, y up.

    Joints may be listed in any order and named as SMPL's programs do (left_hip, L_Hip); the rest pose may lie along any
    axes and be of any size: it is scaled so that its legs are as long as SMPL's. None for any other skeleton.
    """
    joints = _joints(bvh)
    if joints is None or any(bvh.channels[joint] == () for joint in joints):
        return None
    rest = rest_positions(bvh)[joints]
    frame = _rest_frame(rest)
    if frame is None or _largest_turn_deg(rest @ frame) > MAX_BONE_TURN_DEG:
        return None
    rotmat, position = local_transforms(bvh)
    rotmat = frame.T @ rotmat[:, joints] @ frame
    poses = Rotation.from_matrix(rotmat.reshape(-1, 3, 3)).as_rotvec().reshape(-1, skeleton.N_JOINTS, 3)
    scale = _leg_length(skeleton.rest_joints()) / _leg_length(rest)
    # Some files turn the root, and not the axes, to stand upright.
    return RawMotion(poses, scale * position[:, joints[0]] @ frame, bvh.fps, "y", up_told=False)


def _rest_frame(rest: np.ndarray) -> np.ndarray | None:
    """Return the axes (left, up, front) of rest positions [24, 3] as columns [3, 3], along the file's; None if bent."""
    left = rest[skeleton.joint_index("left_hip")] - rest[skeleton.joint_index("right_hip")]
    up = rest[skeleton.joint_index("head")] - rest[skeleton.joint_index("left_ankle")]
    columns = [np.eye(3)[axis] * np.sign(vector[axis]) for vector in (left, up) for axis in [np.abs(vector).argmax()]]
    apart = columns[0].any() and columns[1].any() and columns[0] @ columns[1] == 0
    return np.stack([*columns, np.cross(*columns)], axis=1) if apart else None


def _leg_length(rest: np.ndarray) -> float:
    """Return hip to knee to ankle of both legs, added up, of rest positions [24, 3]."""
    legs = [[skeleton.joint_index(f"{side}_{part}") for part in ("hip", "knee", "ankle")] for side in ("left", "right")]
    return float(np.linalg.norm(np.diff(rest[legs], axis=1), axis=-1).sum())


def _joints(bvh: Bvh) -> list[int] | None:
    """Return the file's number of each SMPL joint, or None where one is missing or hangs elsewhere."""
    found = {_plain(name): index for index, name in enumerate(bvh.names) if not name.endswith("_end")}
    wanted = [_plain(name) for name in skeleton.joint_names()]
    if set(wanted) != set(found) or bvh.parents[found[wanted[0]]] != -1:
        return None
    joints = [found[name] for name in wanted]
    same = all(bvh.parents[joints[joint]] == joints[parent] for joint, parent in enumerate(skeleton.parents()) if joint)
    return joints if same else None


def _plain(name: str) -> str:
    """Return a joint's name in one spelling: "L_Hip" and "left_hip" are both "lefthip"."""
    bare = name.rsplit(":", 1)[-1].lower()
    bare = re.sub(r"^([lr])[_ .-]", lambda match: {"l": "left_", "r": "right_"}[match[1]], bare)
    side = next((side for side in ("left", "right") if bare.startswith(side)), "")
    part = re.sub(r"[^a-z0-9]", "", bare[len(side):])
    return side + _SYNONYMS.get(part, part)


def _largest_turn_deg(rest: np.ndarray) -> float:
    """Return the largest angle between the bones of rest positions [24, 3], y up, and SMPL's own."""
    parents = np.array(skeleton.parents()[1:])
    bones, own = rest[1:] - rest[parents], skeleton.offsets()[1:]
    cosines = (bones * own).sum(axis=1) / np.maximum(np.linalg.norm(bones, axis=1) * np.linalg.norm(own, axis=1), 1e-12)
    return float(np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0))).max())
