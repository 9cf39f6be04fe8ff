"""Identity: how the open body differs from person to person, as ten directions."""

import numpy as np
from fit import Pose
from scipy import sparse

N_DIRECTIONS = 10


def shape_directions(
    samples: np.ndarray, to_mesh: sparse.csr_matrix, pose: Pose, weights: np.ndarray, regressor: np.ndarray,
    parents: list[int],
) -> np.ndarray:
    """Return shapedirs [V, 3, 10]: principal components of the sampled people, one deviation long.

    `samples` [S, V_source, 3] are people in the source's rest pose, which `to_mesh` reads at the final
    mesh's vertices; `pose` with `weights` [V, 24] led the neutral one into the T-pose. The pelvis stays.
    """
    deltas = samples - samples.mean(0)
    carried = np.stack([carry(to_mesh @ delta, pose, weights, regressor, parents) for delta in deltas])
    _, deviation, directions = np.linalg.svd(carried.reshape(len(samples), -1), full_matrices=False)
    scaled = directions[:N_DIRECTIONS] * (deviation[:N_DIRECTIONS, None] / np.sqrt(len(samples)))
    return scaled.reshape(N_DIRECTIONS, -1, 3).transpose(1, 2, 0)


def carry(
    delta: np.ndarray, pose: Pose, weights: np.ndarray, regressor: np.ndarray, parents: list[int]
) -> np.ndarray:
    """Return displacements [V, 3] in the T-pose of those in the source's rest pose.

    A part's displacement turns with the part relative to its joint; the joints move as the bones before
    them do. Turning the whole displacement instead would tear the shoulders of taller people.
    """
    own = regressor @ delta
    joints = np.zeros_like(own)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            joints[joint] = joints[parent] + pose.linear[parent] @ (own[joint] - own[parent])
    constant = joints - np.einsum("jab,jb->ja", pose.linear, own)
    return np.einsum("vab,vb->va", pose.blend(weights), delta) + weights @ constant
