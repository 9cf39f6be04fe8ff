"""The figures of a motion that its checks go by, in pure functions of one motion."""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from scipy.signal import savgol_filter

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.checks.floor_height import floor_height, support_height
from skeleton2stage.motion.motion import FPS, Motion

# Segments as (from, to, share of body mass, centre's share of the way), the sides' once: Winter, Biomechanics
# and Motor Control of Human Movement, table 4.1; trunk from pelvis to spine3, head from neck to head joint.
SEGMENTS = (
    ("pelvis", "spine3", 0.497, 0.5), ("neck", "head", 0.081, 1.0),
    ("shoulder", "elbow", 0.028, 0.436), ("elbow", "wrist", 0.022, 0.682),
    ("hip", "knee", 0.100, 0.433), ("knee", "ankle", 0.0465, 0.433), ("ankle", "foot", 0.0145, 0.5),
)

# No joint of a frozen body moves further than this in a frame: 3 mm/s, less than people who stand still sway.
FROZEN_STEP_M = 1e-4
FALL_WINDOW_FRAMES = 7


@dataclass(frozen=True)
class Figures:
    """What `measure` finds; heights over the floor it found, not over z = 0.

    seconds: length. floor_m: height of the floor in the file's own z. float_s, sink_s: longest time over
    float_m, under -sink_m. float_share: share of all frames over float_m. deepest_m: depth of the lowest point
    of all. speed_mps, accel_mps2: peak over joints and frames. pelvis_accel_mps2: peak of the pelvis.
    turn_rad: largest turn of a joint, relative to its parent, in a frame. tremble_m: median over frames of the
    largest distance of a joint from the cubic through its neighbouring frames. fall_mps2: largest downward
    acceleration of the centre of mass over 0.23 s. frozen_s: longest time without any motion.
    repeated_share: share of frames that repeat the one before.
    """

    seconds: float
    floor_m: float
    float_s: float
    float_share: float
    sink_s: float
    deepest_m: float
    speed_mps: float
    accel_mps2: float
    pelvis_accel_mps2: float
    turn_rad: float
    tremble_m: float
    fall_mps2: float
    frozen_s: float
    repeated_share: float


def measure(motion: Motion, limits: CheckLimits) -> Figures:
    """Return a motion's figures; raise UserError where it is not at 30 frames a second."""
    if motion.fps != FPS:
        raise UserError(f"checks need {FPS:g} frames a second, not {motion.fps:g}: convert the motion first")
    joints_w = motion.joints().astype(np.float64)
    floor = floor_height(joints_w)
    lowest = support_height(joints_w).min(axis=1) - floor
    accel = _peaks(joints_w, order=2)
    frozen = frozen_frames(joints_w)
    return Figures(
        seconds=motion.duration_s,
        floor_m=floor,
        float_s=_longest_s(lowest > limits.float_m),
        float_share=float((lowest > limits.float_m).mean()),
        sink_s=_longest_s(lowest < -limits.sink_m),
        deepest_m=float(max(0.0, -lowest.min())),
        speed_mps=float(_peaks(joints_w, order=1).max()),
        accel_mps2=float(accel.max()),
        pelvis_accel_mps2=float(accel[0]),
        turn_rad=largest_turn(motion.poses),
        tremble_m=tremble(joints_w),
        fall_mps2=fastest_fall(joints_w),
        frozen_s=_longest_s(frozen),
        repeated_share=share_of(frozen),
    )


def centre_of_mass(joints_w: np.ndarray) -> np.ndarray:
    """Return the centre of mass [T, 3] m of a body's joints [T, 24, 3] m, hands and SMPL's own shape left out."""
    total, centre = 0.0, np.zeros((len(joints_w), 3))
    for start, end, mass, share in SEGMENTS:
        for side in ("",) if start in skeleton.joint_names() else ("left_", "right_"):
            a, b = (joints_w[:, skeleton.joint_index(side + name)] for name in (start, end))
            centre += mass * (a + share * (b - a))
            total += mass
    return centre / total


def fastest_fall(joints_w: np.ndarray) -> float:
    """Return the largest downward acceleration (m/s^2) of the centre of mass, of parabolas through 7 frames."""
    if len(joints_w) < FALL_WINDOW_FRAMES:
        return 0.0
    height, half = centre_of_mass(joints_w)[:, 2], FALL_WINDOW_FRAMES // 2
    accel = savgol_filter(height, FALL_WINDOW_FRAMES, 2, deriv=2, delta=1 / FPS)
    return float(max(0.0, -accel[half:-half].min()))


def largest_turn(poses: np.ndarray) -> float:
    """Return the largest angle (rad) that one of the rotations [T, 24, 3] turns by in a frame."""
    if len(poses) < 2:
        return 0.0
    rotmat = roma.rotvec_to_rotmat(torch.from_numpy(poses).double())
    return roma.rotmat_geodesic_distance(rotmat[:-1], rotmat[1:]).max().item()


def tremble(joints_w: np.ndarray) -> float:
    """Return the median over frames of the largest distance (m) of a joint [T, 24, 3] m from the cubic through
    the two frames on its either side, which passes what is slower than about 5 Hz and keeps what is faster.
    """
    if len(joints_w) < 5:
        return 0.0
    near, far = joints_w[1:-3] + joints_w[3:-1], joints_w[:-4] + joints_w[4:]
    return float(np.median(np.linalg.norm(joints_w[2:-2] - (4 * near - far) / 6, axis=-1).max(axis=1)))


def frozen_frames(joints_w: np.ndarray) -> np.ndarray:
    """Return whether each frame but the first repeats the one before, [T-1], of joints [T, 24, 3] m."""
    return np.linalg.norm(np.diff(joints_w, axis=0), axis=-1).max(axis=1) < FROZEN_STEP_M


def share_of(frames: np.ndarray) -> float:
    """Return the share of True among frames [T], 0 of none."""
    return float(frames.mean()) if len(frames) else 0.0


def _peaks(joints_w: np.ndarray, order: int) -> np.ndarray:
    """Return each joint's largest derivative [24] of an order, zero for a clip too short to have one."""
    if len(joints_w) <= order:
        return np.zeros(joints_w.shape[1])
    return np.linalg.norm(np.diff(joints_w, n=order, axis=0), axis=-1).max(axis=0) * FPS**order


def _longest_s(frames: np.ndarray) -> float:
    """Return the length (s) of the longest run of True among frames [T]."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], frames, [False])).astype(np.int8)))
    return float((edges[1::2] - edges[::2]).max(initial=0)) / FPS
