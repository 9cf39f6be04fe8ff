"""A BVH file whose skeleton is SMPL's own: its rotations are taken as they are, where others are retargeted."""

import re

import numpy as np
from scipy.spatial.transform import Rotation

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import Bvh, local_transforms, rest_positions
from skeleton2stage.motion.formats.motion_file import RawMotion
from skeleton2stage.motion.retarget.source_skeleton import SourceSkeleton, understand
from skeleton2stage.motion.retarget.zero_pose import rest_frame

# How far a bone may point from SMPL's own at rest: people's shapes differ by so much, other T-poses by more.
MAX_BONE_TURN_DEG = 15.0
# Besides SMPL's own names, those of the humanoids that its bodies are simulated with.
_SYNONYMS = {"root": "pelvis", "hips": "pelvis", "toe": "foot", "torso": "spine1", "spine": "spine2", "chest": "spine3",
             "thorax": "collar"}


def smpl_motion(bvh: Bvh) -> RawMotion | None:
    """Return the motion of a file with SMPL's joints and rest pose, in metres.

    Joints may be listed in any order and named as SMPL's programs do (left_hip, L_Hip); the rest pose may lie along any
    axes and be of any size: it is scaled so that its legs are as long as SMPL's. None for any other skeleton.
    """
    joints = _joints(bvh)
    if joints is None or any(bvh.channels[joint] == () for joint in joints):
        return None
    source = understand(bvh)
    frame, scale = rest_frame(source), source.scale_m()
    if _largest_turn_deg(rest_positions(bvh)[joints] @ frame) > MAX_BONE_TURN_DEG:
        return None
    rotmat, position = local_transforms(bvh)
    rotmat = frame.T @ rotmat[:, joints] @ frame
    poses = Rotation.from_matrix(rotmat.reshape(-1, 3, 3)).as_rotvec().reshape(-1, skeleton.N_JOINTS, 3)
    return RawMotion(poses, scale * position[:, joints[0]] @ frame, bvh.fps, _up_axis(source, frame))


def _up_axis(source: SourceSkeleton, frame: np.ndarray) -> str:
    """Return which of the rest pose's axes points up in the motion: y, but for files that turn the root instead."""
    up = np.round(frame.T @ source.up()).astype(int).tolist()
    return {(0, 0, 1): "z", (0, -1, 0): "-y"}.get(tuple(up), "y")


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
