"""SMPL's skeleton: names, parents, mean offsets, mirror pairs, and forward kinematics.

Offsets are those of the mean body shape (x left, y up, z front, metres), as EDGE uses them.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import roma
import torch

from skeleton2stage.files import read_json

N_JOINTS = 24
_TABLE = Path(__file__).with_name("smpl_skeleton.json")


@lru_cache(maxsize=1)
def _table() -> dict[str, list]:
    return read_json(_TABLE)


def joint_names() -> list[str]:
    """Return the 24 joint names in SMPL order."""
    return list(_table()["names"])


def parents() -> list[int]:
    """Return the index of every joint's parent; -1 for the pelvis."""
    return list(_table()["parents"])


def offsets() -> np.ndarray:
    """Return each joint's offset from its parent at mean shape, [24, 3] m, zero for the pelvis."""
    return np.asarray(_table()["offsets"], dtype=np.float64)


def joint_index(name: str) -> int:
    """Return the index of a joint by name."""
    return joint_names().index(name)


def rest_joints() -> np.ndarray:
    """Return joint positions in the rest pose with the pelvis at the origin, [24, 3] m, y up."""
    positions = offsets()
    for joint, parent in enumerate(parents()):
        if parent >= 0:
            positions[joint] += positions[parent]
    return positions


def mirror_order() -> list[int]:
    """Return the permutation of joints that swaps left and right."""
    names = joint_names()
    swapped = [name.replace("left", "#").replace("right", "left").replace("#", "right") for name in names]
    return [names.index(name) for name in swapped]


def forward_kinematics(
    axis_angle: torch.Tensor, root_pos: torch.Tensor, bone_offsets: torch.Tensor | None = None
) -> torch.Tensor:
    """Return world joint positions [..., 24, 3] m from local rotations [..., 24, 3] rad and the pelvis
    position [..., 3] m, for the mean skeleton or the given `bone_offsets` [24, 3].
    """
    return forward_kinematics_rotmat(roma.rotvec_to_rotmat(axis_angle), root_pos, bone_offsets)[0]


def forward_kinematics_rotmat(
    rotmat_local: torch.Tensor, root_pos: torch.Tensor, bone_offsets: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return world joint positions [..., 24, 3] m and world rotations [..., 24, 3, 3].

    `rotmat_local` [..., 24, 3, 3] are rotations relative to the parent, the pelvis' to the world.
    """
    if rotmat_local.shape[-3:] != (N_JOINTS, 3, 3):
        raise ValueError(f"expected local rotations [..., 24, 3, 3], got {tuple(rotmat_local.shape)}")
    if bone_offsets is None:
        bone_offsets = torch.as_tensor(offsets(), dtype=rotmat_local.dtype, device=rotmat_local.device)
    positions, rotations = [root_pos], [rotmat_local[..., 0, :, :]]
    for joint, parent in enumerate(parents()[1:], start=1):
        rotations.append(rotations[parent] @ rotmat_local[..., joint, :, :])
        positions.append(positions[parent] + (rotations[parent] @ bone_offsets[joint, :, None]).squeeze(-1))
    return torch.stack(positions, dim=-2), torch.stack(rotations, dim=-3)
