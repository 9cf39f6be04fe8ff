"""Identity: how the open body differs from person to person, as ten directions."""

import numpy as np
from scipy import sparse

N_DIRECTIONS = 10


def shape_directions(
    samples: np.ndarray, to_mesh: sparse.csr_matrix, blended_linear: np.ndarray, regressor: np.ndarray
) -> np.ndarray:
    """Return shapedirs [V, 3, 10]: principal components of the sampled people, one deviation long.

    `samples` [S, V_source, 3] differ from the neutral source in their own rest pose; `to_mesh` and
    `blended_linear` [V, 3, 3] carry that onto the posed mesh. The pelvis stays where it is.
    """
    deltas = samples - samples.mean(0)
    carried = np.stack([np.einsum("vab,vb->va", blended_linear, to_mesh @ delta) for delta in deltas])
    carried -= (regressor[0] @ carried)[:, None]
    flat = carried.reshape(len(samples), -1)
    _, deviation, directions = np.linalg.svd(flat, full_matrices=False)
    scaled = directions[:N_DIRECTIONS] * (deviation[:N_DIRECTIONS, None] / np.sqrt(len(samples)))
    return scaled.reshape(N_DIRECTIONS, -1, 3).transpose(1, 2, 0)
