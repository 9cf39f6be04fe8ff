"""What numbers in people's files may be, checked before memory is asked for by them: the one place of such bounds."""

from skeleton2stage.errors import UserError

LEAST_FPS, MOST_FPS = 5.0, 2000.0  # slower is no motion, faster no camera
LONGEST_MOTION_S = 3 * 3600.0
SHORTEST_BEAT_S = 0.05  # 1,200 a minute: more than twice what anybody plays
LONGEST_SONG_S = 2 * 3600.0
MOST_CHANNELS = 16  # of a sound
MOST_SAMPLES = 1 << 29  # of a sound, all channels together: two hours of stereo at 37 kHz
LARGEST_WIDTH = 1 << 16  # of a network's layers, features and windows
MOST_LAYERS = 512


def check_rate(n_frames: int, fps: float) -> None:
    """Raise UserError where a motion's frame rate, or its length by it, is none that a body was captured with."""
    if not LEAST_FPS <= fps <= MOST_FPS:
        raise UserError(
            f"its frame rate is {fps:.6g} a second, which no capture has ({LEAST_FPS:g} to {MOST_FPS:g}): "
            "frame times are in seconds, and rates in frames a second"
        )
    if n_frames / fps > LONGEST_MOTION_S:
        raise UserError(f"it lasts {n_frames / fps / 3600:.1f} hours by its frame rate: cut it into parts")


def check_sound(frames: int, channels: int, rate_hz: int) -> None:
    """Raise UserError where a sound file says that it is longer, wider or faster than music is."""
    if not 1 <= channels <= MOST_CHANNELS or not 1000 <= rate_hz <= 1_000_000:
        raise UserError(f"it has {channels} channels at {rate_hz} Hz, which no music has")
    if frames > LONGEST_SONG_S * rate_hz or frames * channels > MOST_SAMPLES:
        raise UserError(f"it lasts {frames / rate_hz / 3600:.1f} hours: cut it into parts")
