import numpy as np
import pytest
import torch

from skeleton2stage.body.body_model import load_body
from skeleton2stage.body.mesh import self_intersections
from skeleton2stage.metrics.penetration import PenetrationCounter
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render import marks


@pytest.fixture(scope="module")
def body():
    return load_body("open")


def test_marked_triangles_are_those_that_intersect_and_the_count_is_pen_rates(body):
    poses = np.zeros((2, 24, 3), dtype=np.float32)
    for side, turn in (("left", -0.5), ("right", 0.5)):
        poses[1, skeleton.joint_index(f"{side}_hip"), 2] = turn  # the legs through each other
    found = marks.penetration(body, poses)
    assert not found.faces[0].any() and found.pairs[0] == 0
    points = body.vertices(torch.from_numpy(poses[1:]), torch.zeros(1, 3))[0].numpy()
    expected = np.unique(self_intersections(points, body.faces))
    assert len(expected) > 50
    assert len(np.setxor1d(np.flatnonzero(found.faces[1]), expected)) <= 2  # of those that barely touch
    assert found.pairs.tolist() == PenetrationCounter(body).pairs(torch.from_numpy(poses)).tolist()


def feet_at(heights_m, speed_m_per_s):
    """Four frames with one vertex a joint, and ankles and toes at heights over the floor, moving along x."""
    motion = Motion(np.zeros((4, 24, 3)), np.outer(np.arange(4) / 30 * speed_m_per_s, [1.0, 0, 0]))
    points = np.ones((4, 24, 3))
    points[:, marks.FEET, 2] = heights_m
    return marks.foot_contacts(motion, points, np.arange(24))


def test_feet_touch_within_two_centimetres_and_slide_from_a_centimetre_a_frame():
    still = feet_at([0.01, -0.05, 0.03, 0.5], 0.2)
    assert still.tolist() == 4 * [[marks.STILL, marks.STILL, marks.NONE, marks.NONE]]
    sliding = feet_at([0.01, -0.05, 0.03, 0.5], 0.4)
    assert sliding.tolist() == 4 * [[marks.SLIDING, marks.SLIDING, marks.NONE, marks.NONE]]


def test_a_motion_of_one_frame_stands_still():
    motion = Motion(np.zeros((1, 24, 3)), np.zeros((1, 3)))
    assert (marks.foot_contacts(motion, np.zeros((1, 24, 3)), np.arange(24)) == marks.STILL).all()


def test_discs_lie_under_the_feet_that_touch():
    joints = np.arange(72.0).reshape(24, 3)
    discs = marks.contact_discs(np.array([marks.NONE, marks.STILL, marks.SLIDING, marks.NONE]), joints)
    assert [(disc.x_m, disc.y_m, disc.rgba) for disc in discs] == [
        (24.0, 25.0, marks.STILL_RGBA), (30.0, 31.0, marks.SLIDING_RGBA)
    ]


def test_marked_faces_stand_out_from_a_paler_skin():
    colours = marks.face_colours((0.9, 0.5, 0.4), np.array([True, False]))
    assert tuple(colours[0]) == marks.PENETRATION_RGB
    assert colours[1].min() > 0.4 + 0.2
