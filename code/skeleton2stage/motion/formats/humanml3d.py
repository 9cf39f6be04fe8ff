"""HumanML3D's features of motion, and the joints in them.

Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", CVPR 2022, section 5: the root's turn about y,
its velocity in the plane, its height, the other 21 joints relative to it, their rotations and velocities, contacts.
"""

import numpy as np

from skeleton2stage.errors import UserError

FEATURE_WIDTH = 263
N_JOINTS = 22
_RELATIVE = slice(4, 4 + 3 * (N_JOINTS - 1))
_CONTACTS = slice(FEATURE_WIDTH - 4, FEATURE_WIDTH)
_CONTACT_TOLERANCE = 0.2


def joints_of_features(features: np.ndarray) -> np.ndarray:
    """Return joint positions [T, 22, 3] m, y up, of features [T, 263]; raise UserError for normalised ones."""
    contacts = features[:, _CONTACTS]
    if np.median(np.minimum(np.abs(contacts), np.abs(contacts - 1))) > _CONTACT_TOLERANCE:
        raise UserError("its contacts are neither 0 nor 1: it is normalised; multiply by Std.npy and add Mean.npy")
    # Half the angle a frame, as in a quaternion; the first frame faces along z.
    half = np.concatenate(([0.0], np.cumsum(features[:-1, 0])))
    planar = np.zeros((len(features), 3))
    planar[1:, 0], planar[1:, 2] = features[:-1, 1], features[:-1, 2]
    root = np.cumsum(_turned(planar, half), axis=0)
    root[:, 1] = features[:, 3]
    relative = features[:, _RELATIVE].reshape(len(features), N_JOINTS - 1, 3)
    joints = _turned(relative, half[:, None])
    joints[..., 0] += root[:, None, 0]
    joints[..., 2] += root[:, None, 2]
    return np.concatenate((root[:, None], joints), axis=1)


def _turned(vectors: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return vectors [..., 3] turned about y by minus twice an angle: from the root's own frame to the world's."""
    cos, sin = np.cos(2 * half), np.sin(2 * half)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.stack((cos * x - sin * z, y, sin * x + cos * z), axis=-1)
