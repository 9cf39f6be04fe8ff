"""What files of skinned meshes have in common: four bones a vertex, quaternions, y up, the skin's colour."""

import numpy as np
from scipy.spatial.transform import Rotation

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.formats.write_bvh import TO_Y_UP
from skeleton2stage.motion.motion import Motion

BONES_A_VERTEX = 4  # what glTF has in one attribute, and real-time viewers of USD draw
SKIN_RGB = (0.70, 0.27, 0.15)  # linear
SKIN_ROUGHNESS = 0.7


def strongest_bones(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the four joints [V, 4] that move each vertex most, and their weights, which add up to 1, of [V, 24]."""
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :BONES_A_VERTEX]
    chosen = np.take_along_axis(weights, joints, axis=1).astype(np.float64)
    chosen /= chosen.sum(axis=1, keepdims=True)
    return np.where(chosen > 0, joints, 0).astype(np.uint8), chosen.astype(np.float32)


def rotations_xyzw(motion: Motion) -> np.ndarray:
    """Return local rotations as quaternions [T, 24, 4], y up, of signs that do not jump from frame to frame."""
    rotation = Rotation.from_rotvec(motion.poses.reshape(-1, 3).astype(np.float64))
    quats = rotation.as_quat().reshape(len(motion), skeleton.N_JOINTS, 4)
    quats[:, 0] = (TO_Y_UP * Rotation.from_quat(quats[:, 0])).as_quat()
    turned = (quats[1:] * quats[:-1]).sum(axis=-1) < 0
    signs = np.cumprod(np.where(turned, -1.0, 1.0), axis=0)
    quats[1:] *= signs[..., None]
    return quats.astype(np.float32)


def positions_y_up(motion: Motion) -> np.ndarray:
    """Return the pelvis' positions [T, 3] m, y up."""
    return TO_Y_UP.apply(motion.translation).astype(np.float32)
