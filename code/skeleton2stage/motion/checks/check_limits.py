"""What a motion may be without being rejected."""

from dataclasses import dataclass, fields

import numpy as np

from skeleton2stage.errors import UserError


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
