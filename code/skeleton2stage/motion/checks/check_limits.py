"""What a motion may be without being rejected."""

from dataclasses import dataclass
from typing import Any

from skeleton2stage.settings import check_own_settings, setting


def _limit(help_text: str, default: float) -> Any:  # noqa: ANN401 - stands for the number
    return setting(help_text, default=default, minimum=0)


@dataclass(frozen=True)
class CheckLimits:
    """What a motion may be without being rejected.

    Reasons and sources stand with each limit.
    """

    # A window of the dance model is 5 s: a shorter clip gives none.
    min_s: float = _limit("shortest clip, s", 5.0)
    # A floor no further than this from z = 0 is left there: standing feet of one clip differ by 1 to 2 cm.
    floor_m: float = _limit("a floor this near z = 0 stays, any other is moved there, m", 0.03)
    # A floor elsewhere is moved to z = 0: sets differ in origin (where SMPL's trans is taken for the pelvis, as
    # EDGE does, a y-up file's floor is 0.2 m high), and people may stand on a platform. Beyond a man's height it
    # is another unit or a broken file.
    max_floor_shift_m: float = _limit("by at most this, m", 1.5)
    # Nothing of the body this near the floor: it floats. The CMU dances, nobody jumping, reach 0.12.
    float_m: float = _limit("the body floats where nothing of it is this near the floor, m", 0.15)
    # To be over float_m for 0.8 s takes a jump of 0.15 m + g t^2 / 8 = 0.93 m; high ones from standing rise by
    # 0.6 to 0.8. Longer means that what carries the body (stairs, a chair, a partner) is not in the data.
    max_float_s: float = _limit("for at most this long, s", 0.8)
    # Under the floor by more than a shoe and a mean body instead of the dancer's own explain, for longer than a
    # glitch. The CMU clips reach 8 cm for a moment.
    sink_m: float = _limit("the body sinks where something of it is further under the floor, m", 0.1)
    max_sink_s: float = _limit("for at most this long, s", 0.2)
    # Punching hands reach about 10 m/s, pitchers' wrists about 20; 0.67 m in a frame.
    max_speed_mps: float = _limit("fastest joint, m/s", 20.0)
    # Of any joint, at 30 frames a second: from rest to 17 m/s in one. The CMU clips reach 138, and 219 where a
    # hip glitches.
    max_accel_mps2: float = _limit("largest acceleration of a joint, m/s^2", 500.0)
    # Of the pelvis: 10 g, where hard landings give 4 to 6; a body displaced by 0.11 m within a frame. CMU: 66.
    max_pelvis_accel_mps2: float = _limit("and of the pelvis, m/s^2", 100.0)
    # Of a joint in a frame: 60 rad/s. Kicking knees reach about 30, CMU's glitching hip 44; a flip is pi.
    max_turn_rad: float = _limit("largest turn of a joint in a frame (1/30 s), rad", 2.0)
    # Motion over about 6 Hz, which limbs cannot do at this size: the CMU clips show 2.5 to 5 mm; with noise of
    # 10 mm on the position 23, with 1 degree on each joint 52.
    max_tremble_m: float = _limit("trembling over about 6 Hz, median over frames, m", 0.015)
    # Nothing falls faster than 9.81 m/s^2 (CMU: 9.9); the rest is room for mean masses. A jump played at twice
    # its rate falls at 39.
    max_fall_mps2: float = _limit("fastest fall of the centre of mass, m/s^2", 14.0)
    # Frames that repeat exactly: gaps of the capture that were filled with its last pose. CMU: none.
    max_frozen_s: float = _limit("longest time without any motion, s", 0.2)
    # A motion of 15 frames a second written as 30 repeats every other one.
    max_repeated_share: float = _limit("share of frames that repeat the one before", 0.1)

    def __post_init__(self) -> None:
        check_own_settings(self)
