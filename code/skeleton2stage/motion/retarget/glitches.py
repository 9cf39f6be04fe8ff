"""Short glitches of a capture: found by what the frames around them say, and bridged."""

from dataclasses import replace

import numpy as np
import roma
import torch
from scipy.ndimage import binary_dilation

from skeleton2stage.motion.retarget.guide import Guide

# A joint this far from where its surroundings in time say it should be is a glitch of the capture.
GLITCH_REACH_S = 0.09
GLITCH_ROTATION_RAD = 0.35
GLITCH_POSITION_M = 0.12


def without_glitches(guide: Guide, fps: float) -> tuple[Guide, np.ndarray]:
    """Return the guide with short outliers interpolated over, and whether each frame [T] had one."""
    reach = max(1, round(GLITCH_REACH_S * fps))
    targets = guide.targets_w.numpy()
    bad_rotation = rotation_deviation(guide.rotmat_w, reach) > GLITCH_ROTATION_RAD
    bad_position = position_deviation(targets, reach) > GLITCH_POSITION_M
    quat = bridged_rotations(continuous(roma.rotmat_to_unitquat(guide.rotmat_w)), bad_rotation)
    bad = bad_rotation.any(axis=1) | bad_position.any(axis=1)
    targets = torch.from_numpy(_bridged(targets, bad_position))
    return replace(guide, rotmat_w=roma.unitquat_to_rotmat(quat), targets_w=targets), bad


def rotation_deviation(rotmat_w: torch.Tensor, reach: int) -> np.ndarray:
    """Return by how many rad each rotation [T, J, 3, 3] differs from those up to `reach` frames around, [T, J].

    It is the length of the median of the rotation vectors to them. A steady spin, however fast, has opposite
    vectors before and after, whose median is zero; a flip has the same vector to all of them.
    """
    joints = [_joint_deviation(roma.rotmat_to_unitquat(rotmat), reach) for rotmat in rotmat_w.unbind(dim=1)]
    return torch.stack(joints, dim=1).numpy()


def _joint_deviation(quat: torch.Tensor, reach: int) -> torch.Tensor:
    """Return `rotation_deviation` [T] of one joint's quaternions [T, 4]."""
    frames = torch.arange(len(quat))
    stride = max(1, reach // 5)
    turns = []
    for k in range(-(reach // stride), reach // stride + 1):
        other = quat[(frames + k * stride).clamp(0, len(quat) - 1)]
        turns.append(roma.unitquat_to_rotvec(roma.quat_product(roma.quat_conjugation(quat), other)))
    return torch.stack(turns).median(dim=0).values.norm(dim=-1)


def position_deviation(position_w: np.ndarray, reach: int) -> np.ndarray:
    """Return how far (m) each position [T, P, 3] is from where the frames around put it, [T, P].

    Two frames on either side, k and 2k away, predict it by the cubic through them; the deviations' median
    over all k up to `reach` is not moved by the glitches among those frames.
    """
    n_frames = len(position_w)
    if n_frames < 2:
        return np.zeros(position_w.shape[:2])
    return np.stack([_point_deviation(points, reach) for points in position_w.swapaxes(0, 1)], axis=1)


def _point_deviation(points: np.ndarray, reach: int) -> np.ndarray:
    """Return `position_deviation` [T] of one point's positions [T, 3] m."""
    padded = np.pad(points, ((2 * reach, 2 * reach), (0, 0)), mode="reflect", reflect_type="odd")

    def at(shift: int) -> np.ndarray:
        return padded[2 * reach + shift : 2 * reach + shift + len(points)]

    misses = [points - (4 * (at(-k) + at(k)) - (at(-2 * k) + at(2 * k))) / 6 for k in range(1, reach + 1)]
    return np.linalg.norm(np.median(misses, axis=0), axis=-1)


def continuous(quat: torch.Tensor) -> torch.Tensor:
    """Return quaternions [T, J, 4] with signs such that each is nearest to the one before."""
    flips = (quat[1:] * quat[:-1]).sum(-1, keepdim=True).sign()
    flips = torch.where(flips == 0, torch.ones_like(flips), flips)
    return torch.cat((quat[:1], quat[1:] * flips.cumprod(dim=0)))


def _bridged(values: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Return values [T, J, D] with frames that are bad [T, J], and one on either side, interpolated."""
    values, frames = values.copy(), np.arange(len(values))
    bad = binary_dilation(bad, np.ones((3, 1)))
    for joint in np.flatnonzero(bad.any(axis=0) & ~bad.all(axis=0)):
        good = frames[~bad[:, joint]]
        for d in range(values.shape[2]):
            values[:, joint, d] = np.interp(frames, good, values[good, joint, d])
    return values


def bridged_rotations(quat: torch.Tensor, bad: np.ndarray) -> torch.Tensor:
    """Return quaternions [T, J, 4] with bad frames interpolated the short way from good ones.

    The signs are made to follow the good frames alone: what a glitch passes through may end on the other
    sign of the same rotation.
    """
    wide = binary_dilation(bad, np.ones((3, 1)))
    quat = quat.clone()
    for joint in np.flatnonzero(wide.any(axis=0) & ~wide.all(axis=0)):
        good = torch.from_numpy(~wide[:, joint])
        quat[good, joint] = continuous(quat[good, joint][:, None])[:, 0]
    return torch.nn.functional.normalize(torch.from_numpy(_bridged(quat.numpy(), bad)), dim=-1)
