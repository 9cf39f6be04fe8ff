"""Motions to explain, without the physics that finds what is wrong."""

import numpy as np
import pytest

from skeleton2stage.body.body_model import load_body
from skeleton2stage.motion.motion import Motion
from skeleton2stage.pages.explained_motion import ExplainedAxis, ExplainedFault, ExplainedMotion
from skeleton2stage.pages.painted_body import BodyPainter

KNEE = 4


@pytest.fixture(scope="session")
def painter() -> BodyPainter:
    return BodyPainter(load_body("open"))


@pytest.fixture(scope="session")
def explain():
    """A function that explains a standing motion by name, with a score and a fault of its left knee from 1 to 2 s."""

    def make(name: str, score: float = 0.8) -> ExplainedMotion:
        n = 90
        poses = np.zeros((n, 24, 3))
        poses[:, 0, 0] = np.pi / 2
        frames, parts = np.zeros(n), np.zeros((n, 24))
        frames[30:60], parts[30:60, KNEE] = 0.9, 0.9
        axes = (
            ExplainedAxis("joint_limits", "kinematics", score, 37.0, "deg", frames),
            ExplainedAxis("sink", "contact", 1.0, 0.4, "cm", np.zeros(n)),
        )
        return ExplainedMotion(
            name=name, motion=Motion(poses, np.tile([3.0, 1.0, 0.98], (n, 1))), figures={"imitation": 0.61},
            axes=axes, faults=(ExplainedFault("joint_limits", "left knee 37° beyond <what>", 1.5, 1.0, 2.0),),
            summary=f"Left knee 37° beyond <what> ({name}).", parts=parts, whole=np.zeros(n), floor_m=0.0,
        )

    return make
