"""Rotations of SMPL's joints that put them where given positions are.

Bones are turned onto the positions from the pelvis outwards; what positions leave open, the twist of a limb, is chosen
so that knees and elbows bend about their hinges; inverse kinematics then pulls hands and feet into place.
"""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from scipy.ndimage import gaussian_filter1d

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.ik import solve, world_positions, world_to_local
from skeleton2stage.motion.retarget.guide_fit import WEIGHTS
from skeleton2stage.motion.rotations import slerp
from skeleton2stage.motion.smpl_positions import checked_positions, leg_length

# A limb's joint, the bone's end, the next bone's end, and the axis at rest about which the joint between bends.
_HINGES = (
    ("left_hip", "left_knee", "left_ankle", (1.0, 0.0, 0.0)),
    ("right_hip", "right_knee", "right_ankle", (1.0, 0.0, 0.0)),
    ("left_shoulder", "left_elbow", "left_wrist", (0.0, -1.0, 0.0)),
    ("right_shoulder", "right_elbow", "right_wrist", (0.0, 1.0, 0.0)),
)
_STRAIGHT_SIN, _BENT_SIN = 0.1, 0.35  # bends of 6 and 20 degrees: between them the hinge begins to tell
_LARGEST_TURN_RAD, _HINGE_STEPS = 2.8, 561
_NO_TWIST_WEIGHT = 0.02
_TWIST_SMOOTHING_FRAMES = 3.0
_CHUNK_FRAMES = 1000


@dataclass(frozen=True)
class JointFit:
    """Local rotations [T, 24, 3] rad and pelvis [T, 3] m; the unit that joints were in, metres, centimetres or
    millimetres; the scale that then made legs SMPL's; how far joints are off.
    """

    poses: np.ndarray
    translation: np.ndarray
    unit: str
    scale: float
    mean_error_m: float


def fit_joints(joints: np.ndarray) -> JointFit:
    """Return rotations for joint positions [T, 22 or 24, 3] in SMPL's order, in any axes.

    Raises UserError where they are no such positions, as `checked_positions` tells.
    """
    if not len(joints) or not np.isfinite(joints).all():
        raise UserError("its joint positions have NaN or infinity" if len(joints) else "the motion has no frames")
    joints, unit = checked_positions(joints)
    scale = leg_length(skeleton.rest_joints()[None]) / leg_length(joints)
    targets = torch.from_numpy(np.ascontiguousarray(scale * joints[:, : skeleton.N_JOINTS], dtype=np.float64))
    rotmat_w = bone_rotations(targets)
    parts = [_pulled(r, p) for r, p in zip(rotmat_w.split(_CHUNK_FRAMES), targets.split(_CHUNK_FRAMES), strict=True)]
    rotmat_w, root = (torch.cat(part) for part in zip(*parts, strict=True))
    reached = world_positions(rotmat_w, root, torch.from_numpy(skeleton.offsets()))
    error = (reached[:, : targets.shape[1]] - targets).norm(dim=-1).mean().item()
    poses = roma.rotmat_to_rotvec(world_to_local(rotmat_w)).numpy()
    return JointFit(poses, root.numpy(), unit, scale, error)


def _pulled(rotmat_w: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    wanted = {name: targets[:, skeleton.joint_index(name)] for name in WEIGHTS.position}
    return solve(rotmat_w, targets[:, 0], wanted, WEIGHTS)


def bone_rotations(joints: torch.Tensor) -> torch.Tensor:
    """Return world rotations [T, 24, 3, 3] that turn SMPL's bones onto those between joints [T, 22 or 24, 3]."""
    offsets = torch.from_numpy(skeleton.offsets())
    parents, children = skeleton.parents(), _children(joints.shape[1])
    rotmat: list[torch.Tensor] = []
    for joint in range(skeleton.N_JOINTS):
        kids = children[joint]
        bones = [joints[:, kid] - joints[:, joint] for kid in kids]
        if len(kids) > 1:
            rotmat.append(_best_rotation(offsets[kids], torch.stack(bones, dim=1)))
            continue
        parent = rotmat[parents[joint]]
        rotmat.append(_swung(parent, offsets[kids[0]], bones[0]) if kids else parent)
    found = torch.stack(rotmat, dim=1)
    _share_trunks_twist(found, offsets, joints)
    _bend_about_hinges(found, joints)
    return found


def _children(n_joints: int) -> list[list[int]]:
    """Return the joints after each that are among the first n."""
    parents = skeleton.parents()[:n_joints]
    return [[kid for kid, parent in enumerate(parents) if parent == joint] for joint in range(skeleton.N_JOINTS)]


def _best_rotation(offsets: torch.Tensor, bones: torch.Tensor) -> torch.Tensor:
    """Return the rotations [T, 3, 3] that best turn offsets [K, 3] onto bones [T, K, 3], each bone counting alike."""
    rest = torch.nn.functional.normalize(offsets, dim=-1).expand_as(bones)
    wanted = torch.nn.functional.normalize(bones, dim=-1)
    u, _, vt = torch.linalg.svd(wanted.transpose(1, 2) @ rest)
    sign = torch.ones(len(bones), 3, dtype=bones.dtype)
    sign[:, 2] = torch.det(u @ vt).sign()
    return u @ (sign[:, :, None] * vt)


def _swung(rotmat: torch.Tensor, offset: torch.Tensor, bone: torch.Tensor) -> torch.Tensor:
    """Return rotations [T, 3, 3] turned the shortest way so that the offset [3] lies along bones [T, 3]."""
    now = torch.nn.functional.normalize(rotmat @ offset, dim=-1)
    wanted = torch.nn.functional.normalize(bone, dim=-1)
    axis = torch.linalg.cross(now, wanted)
    sin, cos = axis.norm(dim=-1), (now * wanted).sum(dim=-1)
    angle = torch.atan2(sin, cos)
    rotvec = axis * (angle / sin.clamp(min=1e-9))[:, None]
    return roma.rotvec_to_rotmat(rotvec) @ rotmat


def _share_trunks_twist(rotmat: torch.Tensor, offsets: torch.Tensor, joints: torch.Tensor) -> None:
    """Spread the turn between pelvis and chest over the spine, in place."""
    pelvis, low, middle, chest = (skeleton.joint_index(name) for name in ("pelvis", "spine1", "spine2", "spine3"))
    for joint, kid, share in ((low, middle, 1 / 3), (middle, chest, 2 / 3)):
        between = slerp(rotmat[:, pelvis], rotmat[:, chest], share)
        rotmat[:, joint] = _swung(between, offsets[kid], joints[:, kid] - joints[:, joint])


def _bend_about_hinges(rotmat: torch.Tensor, joints: torch.Tensor) -> None:
    """Twist upper arms and thighs, in place, so that elbows and knees bend as they do; forearms and shanks follow."""
    offsets, kids = torch.from_numpy(skeleton.offsets()), _children(joints.shape[1])
    for start, middle, end, hinge in _HINGES:
        a, b, c = (skeleton.joint_index(name) for name in (start, middle, end))
        bone = torch.nn.functional.normalize(joints[:, b] - joints[:, a], dim=-1)
        next_bone = torch.nn.functional.normalize(joints[:, c] - joints[:, b], dim=-1)
        bend = torch.linalg.cross(bone, next_bone)
        angle = torch.atan2(bend.norm(dim=-1), (bone * next_bone).sum(dim=-1))
        axis = rotmat[:, a] @ _bend_of_hinge(offsets[b], offsets[c], hinge, angle)[..., None]
        twist = torch.from_numpy(_steady_twist(bone.numpy(), axis[..., 0].numpy(), bend.numpy()))
        rotmat[:, a] = roma.rotvec_to_rotmat(twist[:, None] * bone) @ rotmat[:, a]
        rotmat[:, b] = _swung(rotmat[:, a], offsets[c], joints[:, c] - joints[:, b])
        for joint in _below(c, kids):
            parent = rotmat[:, skeleton.parents()[joint]]
            own = kids[joint]
            rotmat[:, joint] = _swung(parent, offsets[own[0]], joints[:, own[0]] - joints[:, joint]) if own else parent


def _bend_of_hinge(
    bone: torch.Tensor, next_bone: torch.Tensor, hinge: tuple[float, float, float], angle: torch.Tensor
) -> torch.Tensor:
    """Return about which axes [T, 3] of the first bone's own frame a limb is bent that a hinge bends by angles [T].

    Not quite the hinge's own, because SMPL's bones are not in line at rest.
    """
    turns = torch.linspace(0.0, _LARGEST_TURN_RAD, _HINGE_STEPS, dtype=bone.dtype)
    turned = roma.rotvec_to_rotmat(turns[:, None] * torch.tensor(hinge, dtype=bone.dtype)) @ next_bone
    first = (bone / bone.norm()).expand_as(turned)
    axes = torch.linalg.cross(first, torch.nn.functional.normalize(turned, dim=-1))
    angles = torch.atan2(axes.norm(dim=-1), (first * turned).sum(dim=-1) / turned.norm(dim=-1))
    least = int(angles.argmin())  # before it the limb bends the other way, as none does
    nearest = torch.searchsorted(angles[least:].contiguous(), angle).clamp(max=_HINGE_STEPS - 1 - least)
    return torch.nn.functional.normalize(axes[least + nearest], dim=-1)


def _below(joint: int, kids: list[list[int]]) -> list[int]:
    """Return a joint and those after it, of a limb, the hands that positions may lack included."""
    parents = skeleton.parents()
    found = [joint]
    found += [other for other in range(joint + 1, skeleton.N_JOINTS) if parents[other] in found or other in kids[joint]]
    return list(dict.fromkeys(found))


def _steady_twist(bone: np.ndarray, axis: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Return by how much (rad) to twist about bones [T, 3] so that hinges' axes [T, 3] lie along bends [T, 3].

    Where a limb is straight its neighbours in time tell, and if none does, there is no twist.
    """
    across = axis - (axis * bone).sum(axis=1, keepdims=True) * bone
    sin = (np.cross(across, bend) * bone).sum(axis=1)
    angle = np.arctan2(sin, (across * bend).sum(axis=1))
    weight = np.clip((np.linalg.norm(bend, axis=1) - _STRAIGHT_SIN) / (_BENT_SIN - _STRAIGHT_SIN), 0.0, 1.0)
    cos, sin = (
        gaussian_filter1d(weight * part(angle), _TWIST_SMOOTHING_FRAMES, mode="nearest") for part in (np.cos, np.sin)
    )
    return np.arctan2(sin, cos + _NO_TWIST_WEIGHT)
