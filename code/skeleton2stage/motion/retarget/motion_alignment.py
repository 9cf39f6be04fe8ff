"""How SMPL's bones lie in a foreign skeleton's, told by the motion: for files whose zero pose is none a body can have.

With MotionBuilder's and Maya's skeletons, zero rotations often lay every bone along one axis. What a joint's axes mean
is then only known from what the joint does: where its bones lead, about which axis knees and elbows bend, and how
trunk, head and feet are held while the body stands upright.
"""

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion.retarget.joint_roles import SIDES
from skeleton2stage.motion.retarget.source_skeleton import SourceSkeleton, frame_of, smpl_rest, unit
from skeleton2stage.motion.retarget.standing import standing_frames

MIN_MOTION_S = 1.0
# The share of frames in which the body is held most upright.
_UPRIGHT_SHARE = 0.3
_MAX_FRAMES = 2000
# Weight of the hinge being where the joint above has it, against a frame of a joint bent by a right angle.
_UNTURNED = 0.02
# Knees and elbows leave the plane of a hinge by less than this (root mean square, 1: at right angles to it).
_MAX_OFF_HINGE = 0.35
_N_TURNS = 720
# Of each limb: its hinge in SMPL's rest pose, x (left) or y (up), and whether it bends to the front (z) or the back.
_HINGES = {("hip", "knee", "ankle"): (0, -1.0), ("shoulder", "elbow", "wrist"): (1, 1.0)}


def motion_alignment(source: SourceSkeleton, up: np.ndarray, fps: float, why: str) -> dict[str, np.ndarray]:
    """Return for each role the rotation [3, 3] from SMPL's rest pose to its joint's axes at rest.

    up: the file's axis [3] that points up. why: what makes its zero pose none.
    Raises UserError where the clip is too short to tell, or knees or elbows bend as no hinges do.
    """
    n_frames = len(source.position["pelvis"])
    if n_frames < MIN_MOTION_S * fps:
        raise UserError(
            f"its zero pose is not one of a standing body ({why}), and {n_frames} frames are too few to tell how its "
            "joints lie: export it with a zero pose that stands, or a second of motion or more"
        )
    standing = {side: _standing(source, side, up, fps) for side in SIDES}
    every = slice(None, None, max(1, n_frames // _MAX_FRAMES))
    clip = SourceSkeleton(source.rest, {role: value[every] for role, value in source.rotmat.items()},
                          {role: value[every] for role, value in source.position.items()})
    found = _trunk(clip, up)
    for role in ("neck", "head", *(f"{side}_collar" for side in SIDES)):
        if role in clip.rotmat:
            found[role] = _unturned(clip, "chest", role, found)
    for side in SIDES:
        for joints, (axis, forwards) in _HINGES.items():
            roles = [f"{side}_{joint}" for joint in joints]
            found |= _hinged(clip, roles, axis, forwards, found["pelvis" if joints[0] == "hip" else "chest"])
        found[f"{side}_wrist"] = _unturned(clip, f"{side}_elbow", f"{side}_wrist", found)
        found[f"{side}_ankle"] = _foot(source, side, up, standing[side], found)
    return found


def _trunk(clip: SourceSkeleton, up: np.ndarray) -> dict[str, np.ndarray]:
    """Return pelvis and chest: hips and shoulders are level, hips to neck is as at rest while the body is upright."""
    hips = (clip.position["left_hip"] + clip.position["right_hip"]) / 2
    top = "neck" if "neck" in clip.position else "head"
    trunk = unit(clip.position[top] - hips)
    upright = trunk @ up >= np.quantile(trunk @ up, 1 - _UPRIGHT_SHARE)
    rest, found = smpl_rest(), {}
    trunk_at_rest = rest[top] - (rest["left_hip"] + rest["right_hip"]) / 2
    for role, part in (("pelvis", "hip"), ("chest", "shoulder")):
        left = _local(clip.rotmat[role], unit(clip.position[f"left_{part}"] - clip.position[f"right_{part}"]))
        along = _local(clip.rotmat[role][upright], trunk[upright])
        at_rest = frame_of(rest[f"left_{part}"] - rest[f"right_{part}"], trunk_at_rest)
        found[role] = frame_of(left.mean(axis=0), along.mean(axis=0)) @ at_rest.T
    return found


def _unturned(clip: SourceSkeleton, above: str, role: str, found: dict[str, np.ndarray]) -> np.ndarray:
    """Return the rotation of a joint that on average is held as at rest by the one above it."""
    relative = np.swapaxes(clip.rotmat[above] @ found[above], 1, 2) @ clip.rotmat[role]
    u, _, vt = np.linalg.svd(relative.mean(axis=0).T)
    return u @ np.diag((1.0, 1.0, np.linalg.det(u @ vt))) @ vt


def _hinged(
    clip: SourceSkeleton, roles: list[str], axis: int, forwards: float, above: np.ndarray
) -> dict[str, np.ndarray]:
    """Return a limb's upper and lower bones.

    A hinge's axis keeps its angle to both of its bones. Of all turns of the upper bone about itself that one is taken
    by which the lower bone, seen from it, keeps the angle to the axis that SMPL's has, bending to the right side.
    """
    upper, lower, end = roles
    rest = smpl_rest()
    bones_at_rest = [unit(rest[b] - rest[a]) for a, b in ((upper, lower), (lower, end))]
    hinge = np.eye(3)[axis]
    bone = unit(_local(clip.rotmat[upper], clip.position[lower] - clip.position[upper]).mean(axis=0))
    fore_w = unit(clip.position[end] - clip.position[lower])
    trunk = "pelvis" if upper.endswith("hip") else "chest"
    usual = _local(clip.rotmat[upper], clip.rotmat[trunk] @ (above @ hinge)).mean(axis=0)
    candidates = _turned_about(bone, bones_at_rest[0], hinge)
    fore = _local(clip.rotmat[upper], fore_w)
    off = candidates[:, :, axis] @ fore.T - bones_at_rest[1] @ hinge
    front = (candidates[:, :, 2] @ fore.T).mean(axis=1) - bones_at_rest[1][2]
    bent = 1.0 - (fore @ bone) ** 2
    cost = (off**2 * bent).mean(axis=1) + _UNTURNED * (1.0 - candidates[:, :, axis] @ unit(usual))
    wrong_way = front * forwards < -np.sin(np.radians(5))
    best = int(np.argmin(np.where(wrong_way, np.inf, cost)))
    missed = float(np.sqrt((off[best] ** 2 * bent).sum() / max(bent.sum(), 1e-9)))
    if missed > _MAX_OFF_HINGE:
        raise UserError(
            f"its zero pose is not one of a standing body, and its {lower.replace('_', ' ')} bends as no hinge does, "
            "so that how its joints lie cannot be told: export it with a zero pose that stands"
        )
    turn = candidates[best]
    lower_bone = unit(_local(clip.rotmat[lower], fore_w).mean(axis=0))
    lower_hinge = _local(clip.rotmat[lower], clip.rotmat[upper] @ (turn @ hinge)).mean(axis=0)
    return {upper: turn, lower: frame_of(lower_bone, lower_hinge) @ frame_of(bones_at_rest[1], hinge).T}


def _turned_about(bone: np.ndarray, bone_at_rest: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """Return rotations [N, 3, 3] that take SMPL's bone at rest to a joint's own bone, all the way around it."""
    angle = np.linspace(0, 2 * np.pi, _N_TURNS, endpoint=False)
    base = frame_of(bone, np.eye(3)[np.abs(bone).argmin()])
    turn = np.zeros((_N_TURNS, 3, 3))
    turn[:, 0, 0] = 1.0
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 2, 1], turn[:, 1, 2] = np.sin(angle), -np.sin(angle)
    return base @ turn @ frame_of(bone_at_rest, hinge).T


def _foot(
    source: SourceSkeleton, side: str, up: np.ndarray, frames: np.ndarray, found: dict[str, np.ndarray]
) -> np.ndarray:
    """Return the rotation of a foot, whose sole is level while it stands; without a toe it goes on from the shin."""
    ankle, toe, rest = f"{side}_ankle", f"{side}_toe", smpl_rest()
    upwards = _local(source.rotmat[ankle][frames], np.broadcast_to(up, (len(frames), 3))).mean(axis=0)
    if toe in source.position:
        ahead = _local(source.rotmat[ankle], source.position[toe] - source.position[ankle]).mean(axis=0)
        ahead_at_rest = rest[toe] - rest[ankle]
    else:
        shin = source.rotmat[f"{side}_knee"] @ found[f"{side}_knee"]
        ahead, ahead_at_rest = _local(source.rotmat[ankle], shin[:, :, 2]).mean(axis=0), np.array([0.0, 0.0, 1.0])
    return frame_of(upwards, ahead) @ frame_of(np.array([0.0, 1.0, 0.0]), ahead_at_rest).T


def _standing(source: SourceSkeleton, side: str, up: np.ndarray, fps: float) -> np.ndarray:
    """Return the frames in which a foot stands, or, where it hardly does, those in which it is lowest."""
    ankle = source.scale_m() * source.position[f"{side}_ankle"]
    toe = source.scale_m() * source.position.get(f"{side}_toe", source.position[f"{side}_ankle"])
    frames = standing_frames(ankle, toe, fps, up)
    height = ankle @ up
    return frames if len(frames) >= 0.25 * fps else np.flatnonzero(height <= np.quantile(height, 0.2))


def _local(rotmat: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return vectors [T, 3] as joints with rotations [T, 3, 3] see them."""
    return np.einsum("tji,tj->ti", rotmat, vectors)
