"""Is a motion fit to learn from: its floor, floating, sinking, jumps, trembling, and frames that are missing.

Pure functions of one motion: `measure` gives the figures, `complaints` holds them against `CheckLimits`, and
`on_floor` puts the floor at z = 0. What cannot be known from a motion alone, such as a chair under someone
who sits with the feet on the floor, is not guessed at.
"""

from dataclasses import dataclass, fields

import numpy as np
import roma
import torch
from scipy.signal import savgol_filter

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion

# From a joint to the skin nearest to it, m, as the open body has it; the toe's is the height of its joint over
# the sole of a foot that stands. The lower of two sides; every joint can carry the body, in floor work too.
SKIN_M = {
    "pelvis": 0.087, "hip": 0.062, "knee": 0.047, "ankle": 0.027, "foot": 0.024, "spine1": 0.054, "spine2": 0.084,
    "spine3": 0.093, "neck": 0.038, "head": 0.061, "collar": 0.063, "shoulder": 0.046, "elbow": 0.029,
    "wrist": 0.019, "hand": 0.010,
}
# Segments as (from, to, share of body mass, centre's share of the way), the sides' once: Winter, Biomechanics
# and Motor Control of Human Movement, table 4.1; trunk from pelvis to spine3, head from neck to head joint.
SEGMENTS = (
    ("pelvis", "spine3", 0.497, 0.5), ("neck", "head", 0.081, 1.0),
    ("shoulder", "elbow", 0.028, 0.436), ("elbow", "wrist", 0.022, 0.682),
    ("hip", "knee", 0.100, 0.433), ("knee", "ankle", 0.0465, 0.433), ("ankle", "foot", 0.0145, 0.5),
)
# What is lowest rests on the floor where it moves slower than this; without half a second of it, the floor is
# where the lowest tenth of the frames is.
RESTING_SPEED_MPS = 0.2
MIN_RESTING_S = 0.5
LOWEST_PERCENTILE = 10.0
# No joint of a frozen body moves further than this in a frame: 3 mm/s, less than people who stand still sway.
FROZEN_STEP_M = 1e-4
FALL_WINDOW_FRAMES = 7


@dataclass(frozen=True)
class CheckLimits:
    """What a motion may be without being rejected. Reasons and sources stand with each limit."""

    # A window of the dance model is 5 s: a shorter clip gives none.
    min_s: float = 5.0
    # A floor no further than this from z = 0 is left there: standing feet of one clip differ by 1 to 2 cm.
    floor_m: float = 0.03
    # A floor elsewhere is moved to z = 0: sets differ in origin (where SMPL's trans is taken for the pelvis, as
    # EDGE does, a y-up file's floor is 0.2 m high), and people may stand on a platform. Beyond a man's height it
    # is another unit or a broken file.
    max_floor_shift_m: float = 1.5
    # Nothing of the body this near the floor: it floats. The CMU dances, nobody jumping, reach 0.12.
    float_m: float = 0.15
    # To be over float_m for 0.8 s takes a jump of 0.15 m + g t^2 / 8 = 0.93 m; high ones from standing rise by
    # 0.6 to 0.8. Longer means that what carries the body (stairs, a chair, a partner) is not in the data.
    max_float_s: float = 0.8
    # Under the floor by more than a shoe and a mean body instead of the dancer's own explain, for longer than a
    # glitch. The CMU clips reach 8 cm for a moment.
    sink_m: float = 0.1
    max_sink_s: float = 0.2
    # Punching hands reach about 10 m/s, pitchers' wrists about 20; 0.67 m in a frame.
    max_speed_mps: float = 20.0
    # Of any joint, at 30 frames a second: from rest to 17 m/s in one. The CMU clips reach 138, and 219 where a
    # hip glitches.
    max_accel_mps2: float = 500.0
    # Of the pelvis: 10 g, where hard landings give 4 to 6; a body displaced by 0.11 m within a frame. CMU: 66.
    max_pelvis_accel_mps2: float = 100.0
    # Of a joint in a frame: 60 rad/s. Kicking knees reach about 30, CMU's glitching hip 44; a flip is pi.
    max_turn_rad: float = 2.0
    # Motion over about 6 Hz, which limbs cannot do at this size: the CMU clips show 2.5 to 5 mm; with noise of
    # 10 mm on the position 23, with 1 degree on each joint 52.
    max_tremble_m: float = 0.015
    # Nothing falls faster than 9.81 m/s^2 (CMU: 9.9); the rest is room for mean masses. A jump played at twice
    # its rate falls at 39.
    max_fall_mps2: float = 14.0
    # Frames that repeat exactly: gaps of the capture that were filled with its last pose. CMU: none.
    max_frozen_s: float = 0.2
    # A motion of 15 frames a second written as 30 repeats every other one.
    max_repeated_share: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (np.isfinite(value) and value >= 0):
                raise UserError(f"{field.name} must be a number of at least 0, not {value}")


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
    frozen = _frozen(joints_w)
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
        repeated_share=_share(frozen),
    )


def complaints(found: Figures, limits: CheckLimits) -> tuple[str, ...]:
    """Return what is wrong with a motion, nothing if it is fit; each begins with one word for the kind."""
    return tuple(
        sentence for wrong, sentence in (*_of_place(found, limits), *_of_time(found, limits)) if wrong
    )


def _of_place(found: Figures, limits: CheckLimits) -> list[tuple[bool, str]]:
    """Return (is it so, complaint) on length, floor, floating and sinking."""
    return [
        (found.seconds < limits.min_s - 0.5 / FPS, f"short: {found.seconds:.2f} s, min_s={limits.min_s:g}"),
        (
            abs(found.floor_m) > limits.max_floor_shift_m,
            f"floor: at {found.floor_m:.2f} m, max_floor_shift_m={limits.max_floor_shift_m:g}",
        ),
        (
            found.float_s > limits.max_float_s,
            f"floats: nothing within {limits.float_m:g} m of the floor for {found.float_s:.1f} s "
            f"({100 * found.float_share:.0f} % of all frames), support not in the data, "
            f"max_float_s={limits.max_float_s:g}",
        ),
        (
            found.sink_s > limits.max_sink_s,
            f"sinks: over {limits.sink_m:g} m under the floor for {found.sink_s:.1f} s, "
            f"max_sink_s={limits.max_sink_s:g}",
        ),
    ]


def _of_time(found: Figures, limits: CheckLimits) -> list[tuple[bool, str]]:
    """Return (is it so, complaint) on what changes from frame to frame."""
    jumps = _jumps(found, limits)
    return [
        (bool(jumps), f"jumps: {', '.join(jumps)}"),
        (
            found.turn_rad > limits.max_turn_rad,
            f"flips: a joint turns {found.turn_rad:.2f} rad in a frame, max_turn_rad={limits.max_turn_rad:g}",
        ),
        (
            found.tremble_m > limits.max_tremble_m,
            f"trembles: by {1000 * found.tremble_m:.0f} mm over 6 Hz, max_tremble_m={limits.max_tremble_m:g}",
        ),
        (
            found.fall_mps2 > limits.max_fall_mps2,
            f"falls: at {found.fall_mps2:.0f} m/s^2 (is the frame rate right?), max_fall_mps2={limits.max_fall_mps2:g}",
        ),
        (
            found.frozen_s > limits.max_frozen_s,
            f"frozen: for {found.frozen_s:.2f} s, max_frozen_s={limits.max_frozen_s:g}",
        ),
        (
            found.frozen_s <= limits.max_frozen_s and found.repeated_share > limits.max_repeated_share,
            f"repeats: {100 * found.repeated_share:.0f} % of frames are the one before, "
            f"max_repeated_share={limits.max_repeated_share:g}",
        ),
    ]


def _jumps(found: Figures, limits: CheckLimits) -> list[str]:
    """Return which speeds and accelerations are too large."""
    return [
        f"{what} {value:.0f} {unit}, {name}={limit:g}"
        for what, value, unit, name, limit in (
            ("a joint moves at", found.speed_mps, "m/s", "max_speed_mps", limits.max_speed_mps),
            ("a joint accelerates by", found.accel_mps2, "m/s^2", "max_accel_mps2", limits.max_accel_mps2),
            ("the pelvis accelerates by", found.pelvis_accel_mps2, "m/s^2", "max_pelvis_accel_mps2",
             limits.max_pelvis_accel_mps2),
        )
        if value > limit
    ]


def doubts(joints_w: np.ndarray, limits: CheckLimits) -> tuple[str, ...]:
    """Return what in joints [T, 24, 3] m at 30 frames a second looks like a file misread, nothing if it looks right.

    Only what says so whoever dances: floating, jumping and trembling are what metrics are there to measure.
    """
    joints_w = joints_w.astype(np.float64)
    floor_m, fall, repeated = floor_height(joints_w), fastest_fall(joints_w), _share(_frozen(joints_w))
    found = (
        (abs(floor_m) > limits.max_floor_shift_m, f"its floor is at {floor_m:.2f} m: is it in metres?"),
        (fall > limits.max_fall_mps2, f"it falls at {fall:.0f} m/s^2, gravity being 9.8: is it at 30 frames a second?"),
        (repeated > limits.max_repeated_share, f"{100 * repeated:.0f} % of its frames are the one before: was it "
                                               "made at a lower frame rate, or does it freeze?"),
    )
    return tuple(sentence for wrong, sentence in found if wrong)


def on_floor(motion: Motion, found: Figures, limits: CheckLimits) -> Motion:
    """Return the motion with its floor at z = 0: shifted, unless the floor is within floor_m of it already."""
    return motion if abs(found.floor_m) <= limits.floor_m else motion.shifted(np.array([0.0, 0.0, -found.floor_m]))


def support_height(joints_w: np.ndarray) -> np.ndarray:
    """Return the height [T, 24] m of the skin under each of the joints [T, 24, 3] m."""
    return joints_w[..., 2] - [SKIN_M[_without_side(name)] for name in skeleton.joint_names()]


def _without_side(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


def floor_height(joints_w: np.ndarray) -> float:
    """Return the height (m) of the floor: the median of the lowest skin of a body [T, 24, 3] m where it rests.

    The median over resting frames, unlike the lowest height, is not moved by stairs or lifts that take less
    than half the clip, nor by a few frames of a foot under the floor.
    """
    height = support_height(joints_w)
    lowest = height.min(axis=1)
    if len(joints_w) < 2:
        return float(lowest[0])
    speed = np.linalg.norm(np.gradient(joints_w, 1 / FPS, axis=0), axis=-1)
    resting = speed[np.arange(len(speed)), height.argmin(axis=1)] < RESTING_SPEED_MPS
    if resting.sum() < MIN_RESTING_S * FPS:
        return float(np.percentile(lowest, LOWEST_PERCENTILE))
    return float(np.median(lowest[resting]))


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


def _frozen(joints_w: np.ndarray) -> np.ndarray:
    """Return whether each frame but the first repeats the one before, [T-1], of joints [T, 24, 3] m."""
    return np.linalg.norm(np.diff(joints_w, axis=0), axis=-1).max(axis=1) < FROZEN_STEP_M


def _share(frames: np.ndarray) -> float:
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
