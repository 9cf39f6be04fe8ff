"""The forms in which motions are written, by a file's extension."""

from collections.abc import Callable
from pathlib import Path

from skeleton2stage.motion.formats.write_bvh import write_bvh
from skeleton2stage.motion.formats.write_motion import write_amass, write_motion
from skeleton2stage.motion.motion import Motion

# The field's written form, AMASS's layout, and BVH for animation programs.
MOTION_WRITERS: dict[str, Callable[[Path, Motion], None]] = {"pkl": write_motion, "npz": write_amass, "bvh": write_bvh}
