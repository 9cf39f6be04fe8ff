import numpy as np
import pytest
import torch

from lively_motion import lively_motion
from skeleton2stage.body.body_model import load_body
from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
from skeleton2stage.render.figures import SHAPES, make_figure, pose


@pytest.mark.parametrize("shape", SHAPES)
def test_every_figure_is_where_the_body_is(shape):
    motion, figure = lively_motion(3), make_figure(shape, "open")
    points = pose(figure, motion)
    assert points.shape == (3, len(figure.parts), 3) and figure.faces.max() < len(figure.parts)
    joints = motion.joints()
    for name in ("left_wrist", "right_knee", "head"):
        joint = skeleton.joint_index(name)
        own = points[:, figure.parts == joint]
        assert np.linalg.norm(own - joints[:, joint, None], axis=-1).max() < 0.6
        assert np.linalg.norm(own - joints[:, joint, None], axis=-1).min(axis=1).max() < 0.1


def test_hulls_are_the_simulators_own_and_move_rigidly():
    humanoid, hulls = load_humanoid(), make_figure("hulls", "open")
    points = hulls.vertices(torch.zeros(1, 24, 3), torch.zeros(1, 3))[0].numpy()
    for joint, own in enumerate(humanoid.hull_vertices):
        hull = points[hulls.parts == joint] - humanoid.rest_joints[joint]
        nearest = np.linalg.norm(hull[:, None] - own[None], axis=-1).min(axis=1)
        assert nearest.max() < 1e-5
        np.testing.assert_allclose(np.ptp(hull, axis=0), np.ptp(own, axis=0), atol=1e-5)


def test_sticks_are_a_draft_of_few_triangles_with_the_bodys_bones():
    sticks = make_figure("sticks", "open")
    assert len(sticks.faces) < 0.25 * len(load_body("open").faces)
    points = sticks.vertices(torch.zeros(1, 24, 3), torch.zeros(1, 3))[0].numpy()
    shin = points[sticks.parts == skeleton.joint_index("left_knee")]
    knee, ankle = (skeleton.rest_joints()[skeleton.joint_index(f"left_{name}")] for name in ("knee", "ankle"))
    assert np.linalg.norm(shin - ankle, axis=1).min() < 0.05
    assert np.ptp(shin[:, 1]) == pytest.approx(np.linalg.norm(knee - ankle), abs=0.08)
