"""Skinning weights for SMPL's 24 joints, from the source's bones to the new mesh."""

import igl
import numpy as np
from scipy import sparse
from surface import averaging_matrix

from skeleton2stage.motion.skeleton import joint_index

# First match wins; {side} stands for both sides. What is left belongs to the head or the torso.
LIMB_BONES = [
    ("toe", "{side}_foot"), ("foot", "{side}_ankle"), ("lowerleg", "{side}_knee"), ("upperleg", "{side}_hip"),
    ("clavicle", "{side}_collar"), ("shoulder", "{side}_collar"), ("upperarm", "{side}_shoulder"),
    ("lowerarm", "{side}_elbow"), ("wrist", "{side}_wrist"), ("metacarpal", "{side}_wrist"),
    ("finger1-1", "{side}_wrist"), ("finger", "{side}_hand"), ("neck", "neck"),
]
TORSO_BONES = ("root", "pelvis", "spine", "breast")
TORSO_JOINTS = (0, 3, 6, 9)
# Half the height over which the torso passes from one spine joint to the next.
SPINE_BLEND_M = 0.05
MOST_JOINTS = 4


def joint_of_bone(bone: str) -> int:
    """Return the SMPL joint whose part moves with the source's `bone`; the torso counts as the pelvis."""
    side = {"L": "left", "R": "right"}.get(bone.rpartition(".")[2], "")
    for prefix, joint in LIMB_BONES:
        if bone.startswith(prefix):
            return joint_index(joint.format(side=side))
    return 0 if bone.startswith(TORSO_BONES) else joint_index("head")


def collapse(weights: np.ndarray, bones: list[str]) -> np.ndarray:
    """Return weights [V, 24] from those of the source's bones [V, B], the whole torso under the pelvis."""
    collapsed = np.zeros((len(weights), 24))
    for column, bone in enumerate(bones):
        collapsed[:, joint_of_bone(bone)] += weights[:, column]
    return collapsed


def split_torso(weights: np.ndarray, height_m: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return weights [V, 24] with the torso's share passed up the spine by height [V] in the T-pose."""
    shares = np.ones((len(weights), 1))
    for joint in TORSO_JOINTS[1:]:
        above = _smoothstep((height_m - joints[joint, 1]) / SPINE_BLEND_M)[:, None]
        shares = np.hstack([shares[:, :-1], shares[:, -1:] * (1 - above), shares[:, -1:] * above])
    weights = weights.copy()
    weights[:, TORSO_JOINTS] = weights[:, :1] * shares
    return weights


def _smoothstep(x: np.ndarray) -> np.ndarray:
    """Return a smooth 0 to 1 passage for x from -1 to 1."""
    t = np.clip(0.5 * (x + 1.0), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def transfer(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> sparse.csr_matrix:
    """Return the matrix [P, V] that carries vertex values to each point's nearest spot on the mesh."""
    _, face, spot = igl.point_mesh_squared_distance(points, vertices, faces.astype(np.int64))[:3]
    corners = vertices[faces[face]]
    inside = igl.barycentric_coordinates(spot, *(np.ascontiguousarray(corners[:, k]) for k in range(3)))
    inside = np.clip(np.nan_to_num(inside, nan=1 / 3), 0, None)
    inside /= inside.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), 3)
    return sparse.csr_matrix((inside.ravel(), (rows, faces[face].ravel())), (len(points), len(vertices)))


def smooth(weights: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:
    """Return weights [V, 24] blurred along the surface, each round half way to the neighbours' mean."""
    mean = averaging_matrix(faces, len(weights))
    for _ in range(rounds):
        weights = 0.5 * (weights + mean @ weights)
    return weights


def prune(weights: np.ndarray) -> np.ndarray:
    """Return weights with only the largest `MOST_JOINTS` of each row, rows summing to one."""
    smallest = np.argsort(weights, axis=1)[:, :-MOST_JOINTS]
    weights = weights.copy()
    np.put_along_axis(weights, smallest, 0.0, axis=1)
    return weights / weights.sum(1, keepdims=True)
