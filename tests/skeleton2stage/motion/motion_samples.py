"""One known motion, written in each of the field's formats as their own programs would."""

import numpy as np
import roma
import torch

from skeleton2stage.files import write_pickle
from skeleton2stage.motion.formats import write_motion
from skeleton2stage.motion.motion import Motion

# By hand: z-up (x, y, z) is written y-up as (x, z, -y), and y-down as (x, -z, y).
Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
Y_DOWN = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def upright_motion(n_frames=30):
    """Someone upright who sways, turns about the vertical and waves; z up."""
    t = np.arange(n_frames) / 30
    poses = np.zeros((n_frames, 24, 3))
    for frame, heading in enumerate(0.5 + 0.8 * t):
        poses[frame, 0] = rotvec(about("z", heading) @ about("x", np.pi / 2))
    poses[:, 16, 2], poses[:, 4, 0], poses[:, 12, 1] = 0.6 * np.sin(3 * t), 0.4 * t, 0.3
    return Motion(poses, np.stack([0.3 * t, 0.1 * t - 1, 0.95 + 0.02 * np.sin(4 * t)], axis=1))


def about(axis, angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array({"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}[axis])


def rotvec(matrix):
    angle = np.arccos((np.trace(matrix) - 1) / 2)
    skew = matrix - matrix.T
    return angle * np.array([skew[2, 1], skew[0, 2], skew[1, 0]]) / (2 * np.sin(angle))


def turned(motion, axes):
    """Poses [T, 72] and pelvis [T, 3] of a motion in other axes."""
    root = torch.from_numpy(axes) @ roma.rotvec_to_rotmat(torch.from_numpy(motion.poses[:, 0]).double())
    poses = motion.poses.astype(np.float64).copy()
    poses[:, 0] = roma.rotmat_to_rotvec(root).numpy()
    return poses.reshape(len(motion), 72), motion.translation @ axes.T


def at_60_fps(array):
    """Every frame, with its average with the next one in between, which a reader must drop."""
    between = np.vstack([(array[:-1] + array[1:]) / 2, array[-1:]])
    return np.stack([array, between], axis=1).reshape(-1, *array.shape[1:])


def write_popdance(path, motion, scale):
    poses, position = turned(motion.shifted([0, 5, -1]), Y_DOWN)
    content = {"pos": position / (1 if scale is None else scale), "q": poses}
    write_pickle(path, content if scale is None else content | {"scale": scale})


def write_yup(path, motion, keys, scale):
    poses, translation = (at_60_fps(array) for array in turned(motion, Y_UP))
    content = dict(zip(keys, (poses, translation * (1 if scale is None else scale)), strict=False))
    write_pickle(path, content if scale is None else content | {keys[2]: np.array([scale])})


def write_amass(path, motion, width, rate_key, fps):
    poses = np.zeros((len(motion), width))
    poses[:, :66] = motion.poses[:, :22].reshape(-1, 66)
    rate = {rate_key: np.array(float(fps))}
    np.savez(path, poses=poses, trans=motion.translation, betas=np.zeros(16), gender="neutral", **rate)


WRITERS = {
    "aistpp": lambda path, m: write_yup(path, m, ("smpl_poses", "smpl_trans", "smpl_scaling"), 93.7),
    "edge_split": lambda path, m: write_yup(path, m, ("q", "pos", "scale"), 93.7),
    "edge_sliced": lambda path, m: write_yup(path, m, ("q", "pos"), None),
    "popdance_split": lambda path, m: write_popdance(path, m, np.linspace(0.8, 1.2, len(m))[:, None]),
    "popdance_sliced": lambda path, m: write_popdance(path, m, None),
    "written": write_motion,
}
