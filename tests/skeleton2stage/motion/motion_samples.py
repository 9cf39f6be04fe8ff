"""One known motion, written in each of the field's formats as their own programs would."""

import numpy as np
import roma
import torch

from skeleton2stage.files import write_pickle
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.retarget.grounding import SOLE_M

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


def dancing_motion(n_frames=180, floor_m=0.0, fps=30):
    """Someone who sways from foot to foot, turns and waves, on a floor at a height; z up."""
    t = np.arange(n_frames) / fps
    poses = np.zeros((n_frames, 24, 3))
    for frame, heading in enumerate(0.3 * np.sin(2 * t)):
        poses[frame, 0] = rotvec(about("z", heading) @ about("x", np.pi / 2))
    poses[:, 16, 2], poses[:, 17, 2], poses[:, 18, 1] = 0.6 * np.sin(3 * t), 0.4 * np.cos(4 * t), np.sin(5 * t)
    height = floor_m + SOLE_M - skeleton.rest_joints()[:, 1].min() + 0.01 * np.sin(2 * t)
    return Motion(poses, np.stack([0.1 * np.sin(t), 0.05 * np.cos(t), height], axis=1), fps)


def lying_motion(n_frames=30):
    """Someone who lies on the back, z up: SMPL's y (head) along the world's y, its z (front) up."""
    t = np.arange(n_frames) / 30
    poses = np.zeros((n_frames, 24, 3))
    poses[:, 16, 2] = 0.6 * np.sin(3 * t)
    return Motion(poses, np.tile([0.0, 0.0, 0.09], (n_frames, 1)))


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


def write_popdance_published(path, motion):
    poses, position = turned(motion.shifted([0, 5, -1]), Y_DOWN)
    camera = np.linspace(0.8, 1.2, len(motion), dtype=np.float32)[:, None]
    write_pickle(path, {"transl": position / camera, "pred_thetas": poses.reshape(-1, 24, 3), "pred_camera": camera})


WRITERS = {
    "popdance": write_popdance_published,
    "aistpp": lambda path, m: write_yup(path, m, ("smpl_poses", "smpl_trans", "smpl_scaling"), 93.7),
    "edge_split": lambda path, m: write_yup(path, m, ("q", "pos", "scale"), 93.7),
    "edge_sliced": lambda path, m: write_yup(path, m, ("q", "pos"), None),
    "popdance_split": lambda path, m: write_popdance(path, m, np.linspace(0.8, 1.2, len(m))[:, None]),
    "popdance_sliced": lambda path, m: write_popdance(path, m, None),
    "written": write_motion,
}
