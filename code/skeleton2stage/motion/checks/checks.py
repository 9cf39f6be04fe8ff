"""Is a motion fit to learn from: its floor, floating, sinking, jumps, trembling, and frames that are missing.

`complaints` holds a motion's figures (`motion_figures`) against limits (`check_limits`).
"""

import numpy as np

from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.checks.floor_height import floor_height
from skeleton2stage.motion.checks.motion_figures import Figures, fastest_fall, frozen_frames, share_of
from skeleton2stage.motion.motion import FPS, Motion


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
    floor_m, fall, repeated = floor_height(joints_w), fastest_fall(joints_w), share_of(frozen_frames(joints_w))
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
