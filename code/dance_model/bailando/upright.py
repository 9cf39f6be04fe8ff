"""Dances of the released VQ-VAEs, which are y up at 60 fps, as SMPL motions, z up at 30.

Their root's numbers are steps from frame to frame, summed from the origin, heights too: dances are lifted so that
their lowest joint touches the floor. Positions become rotations by inverse kinematics: bone by bone where that has one
answer, then by `ik.solve`, since their bones are not quite as long as the mean skeleton's.
"""

import numpy as np
import roma
import torch

from dance_model.bailando.vqvae import VqVae
from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.ik import IkWeights, solve, world_to_local
from skeleton2stage.motion.motion import FPS, Motion

RELEASED_FPS = 60.0
# Feet and hands are to be where they were; the hold on rotations keeps what positions leave open, as twist.
_ENDS = ("left_ankle", "right_ankle", "left_foot", "right_foot", "left_wrist", "right_wrist", "head")
_POSITION_WEIGHT, _END_WEIGHT, _ROTATION_WEIGHT = 3.0, 10.0, 0.3


def motions(vqvae: VqVae, codes: torch.Tensor) -> list[Motion]:
    """Return the dances of codes [B, S, 2] of a released VQ-VAE, of positions or of rotation matrices."""
    with torch.no_grad():
        body = vqvae.decode(codes)
    step = round(RELEASED_FPS / FPS)
    root = z_up(torch.nn.functional.pad(body.root[:, :-1].cumsum(dim=1), (0, 0, 1, 0)))[:, ::step]
    joints = body.joints[:, ::step]
    if vqvae.config.form == "turned":
        return [_turned(*dance) for dance in zip(joints, root, strict=True)]
    if vqvae.config.form == "positions":
        return [fitted(z_up(dance) + place[:, None], place) for dance, place in zip(joints, root, strict=True)]
    raise UserError("a VQ-VAE of rotations is a policy's: let the policy make its dances")


def z_up(vectors: torch.Tensor) -> torch.Tensor:
    """Return vectors [..., 3], y up, with z up: x stays, and what was the front becomes -y."""
    x, y, z = vectors.unbind(dim=-1)
    return torch.stack((x, -z, y), dim=-1)


def fitted(joints_w: torch.Tensor, root_pos: torch.Tensor) -> Motion:
    """Return the motion of the mean skeleton that follows joints [T, 24, 3] m, z up, the pelvis being at [T, 3]."""
    joints_w = torch.cat((root_pos[:, None], joints_w[:, 1:]), dim=1)
    names = skeleton.joint_names()
    position = {name: _END_WEIGHT if name in _ENDS else _POSITION_WEIGHT for name in names}
    parents = set(skeleton.parents()) - {-1}
    rotation = {name: _ROTATION_WEIGHT for joint, name in enumerate(names) if joint in parents}
    targets = {name: joints_w[:, joint] for joint, name in enumerate(names)}
    rotmat_w, place = solve(bone_rotations(joints_w), root_pos, targets, IkWeights(position, rotation))
    return _on_the_floor(world_to_local(rotmat_w), place)


def bone_rotations(joints_w: torch.Tensor) -> torch.Tensor:
    """Return world rotations [T, 24, 3, 3] of bones that point along joints [T, 24, 3].

    Pelvis and chest, which lead to three joints, are turned to fit them best (Kabsch); another turns with its parent,
    then by the shortest way to where its child is; a last one turns with its parent.
    """
    joints_w, offsets, parents = joints_w.double(), torch.from_numpy(skeleton.offsets()), skeleton.parents()
    rotations: list[torch.Tensor] = []
    for joint, parent in enumerate(parents):
        children = [child for child, of in enumerate(parents) if of == joint]
        bones = joints_w[:, children] - joints_w[:, joint : joint + 1]
        if len(children) > 1:
            rotations.append(roma.special_procrustes(bones.transpose(1, 2) @ offsets[children]))
            continue
        rotation = rotations[parent]
        if children:
            rotation = _shortest_turn(rotation @ offsets[children[0]], bones[:, 0]) @ rotation
        rotations.append(rotation)
    return torch.stack(rotations, dim=1)


def _shortest_turn(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Return rotation matrices [T, 3, 3] that turn directions [T, 3] into others."""
    start, end = (torch.nn.functional.normalize(vector, dim=-1) for vector in (start, end))
    axis = torch.linalg.cross(start, end)
    sine, cosine = axis.norm(dim=-1, keepdim=True), (start * end).sum(dim=-1, keepdim=True)
    return roma.rotvec_to_rotmat(axis / sine.clamp(min=1e-12) * torch.atan2(sine, cosine))


def _turned(rotmat: torch.Tensor, root_pos: torch.Tensor) -> Motion:
    """Return the motion of decoded matrices [T, 24, 9], the nearest rotations to them, y up."""
    local = roma.special_procrustes(rotmat.unflatten(-1, (3, 3)).double())
    up = z_up(torch.eye(3, dtype=torch.float64)).T
    local = torch.cat(((up @ local[:, 0])[:, None], local[:, 1:]), dim=1)
    return _on_the_floor(local, root_pos.double())


def _on_the_floor(rotmat_local: torch.Tensor, root_pos: torch.Tensor) -> Motion:
    motion = Motion(roma.rotmat_to_rotvec(rotmat_local).numpy(), root_pos.numpy())
    return motion.shifted(np.array([0.0, 0.0, -motion.joints()[..., 2].min()]))
