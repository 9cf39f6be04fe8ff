"""Dances of a second on the body that ships, ready to be looked at."""

import numpy as np
import pytest

from lively_motion import lively_motion
from skeleton2stage.body.body_model import load_body
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.view.dancers import make_dancer


@pytest.fixture(scope="session")
def crossing_motion():
    """One second of which the last third has the legs through each other."""
    motion = lively_motion(30)
    poses = np.zeros_like(motion.poses)
    poses[:, 0] = motion.poses[0, 0]
    poses[20:, skeleton.joint_index("left_hip"), 2] = -0.5
    poses[20:, skeleton.joint_index("right_hip"), 2] = 0.5
    return Motion(poses, motion.translation * [1, 1, 0] + [0, 0, 0.93])


@pytest.fixture(scope="session")
def dancer(crossing_motion):
    return make_dancer("base <1>", load_body("open"), crossing_motion, score=np.linspace(1.0, 0.5, 30))
