"""Which way is up, from joints that stand along any axis, lie or bend."""

import numpy as np
import pytest
from motion_samples import lying_motion, upright_motion

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.formats.up_axis import (
    UP_AXES,
    NotUpright,
    along,
    check_upright,
    head_over_feet,
    told_up,
    turned_up,
)
from skeleton2stage.motion.motion import Motion

HEAD = skeleton.joint_index("head")
# Turns of the world about x by which z-up points come to have another axis up.
INTO = {"z": np.eye(3), "y": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]), "-y": np.array([[1, 0, 0], [0, 0, -1],
        [0, 1, 0]]), "-z": np.diag([1, -1, -1])}


def standing(height_m: float, lowest_m: float = 0.0, n: int = 10) -> np.ndarray:
    """Joints [n, 24, 3], z up, a metre from the origin: feet and all else at a height, the head over them."""
    joints = np.full((n, 24, 3), lowest_m)
    joints[..., :2] = 1.0
    joints[:, HEAD, 2] = lowest_m + height_m
    return joints


@pytest.mark.parametrize("axis", UP_AXES)
def test_a_turn_about_x_makes_any_axis_z(axis):
    """Rotations and places turn together, so that the joints do; other joints' rotations stay."""
    motion = upright_motion()
    there = Motion(*turned_up(motion.poses, motion.translation, axis))
    turn = INTO[axis]
    np.testing.assert_allclose(there.joints() @ turn.T, motion.joints(), atol=1e-5)
    np.testing.assert_array_equal(there.poses[:, 1:], motion.poses[:, 1:])


def test_turning_up_leaves_what_was_given_alone():
    motion = upright_motion()
    poses, translation = motion.poses.copy(), motion.translation.copy()
    turned_up(motion.poses, motion.translation, "y")
    np.testing.assert_array_equal(motion.poses, poses)
    np.testing.assert_array_equal(motion.translation, translation)


@pytest.mark.parametrize("axis", UP_AXES)
def test_heights_are_along_an_axis_and_its_sign(axis):
    joints = standing(1.5) @ INTO[axis].T
    assert along(joints, axis) == pytest.approx(1.5)
    assert head_over_feet(standing(1.5)) == pytest.approx(1.5)


def test_the_head_is_over_the_ankles_on_average_over_both_and_over_the_clip():
    joints = standing(1.5, n=4)
    joints[:, 7, 2], joints[:2, 8, 2] = 0.4, 0.2
    assert head_over_feet(joints) == pytest.approx(1.5 - 0.2 - 0.05)


@pytest.mark.parametrize("axis", UP_AXES)
@pytest.mark.parametrize("usual", [*UP_AXES, None])
def test_who_stands_along_an_axis_tells_it(axis, usual):
    assert told_up(standing(1.5) @ INTO[axis].T, usual) == axis


@pytest.mark.parametrize(("height", "up"), [(0.31, "y"), (0.29, None)])
def test_the_usual_axis_is_believed_of_who_sits(height, up):
    """A head 31 cm over the feet along the usual axis; along another one it would have to be 70."""
    joints = standing(height) @ INTO["y"].T
    if up:
        assert told_up(joints, "y") == up
    else:
        with pytest.raises(NotUpright, match=r"0\.29 m over its feet along y, .* as in format=auto@y"):
            told_up(joints, "y")


@pytest.mark.parametrize(("height", "told"), [(0.69, False), (0.71, True)])
def test_another_axis_must_be_told_clearly(height, told):
    joints = standing(height) @ INTO["-y"].T
    if told:
        assert told_up(joints, "z") == "-y"
    else:
        with pytest.raises(NotUpright, match="does not tell which way is up"):
            told_up(joints, "z")


@pytest.mark.parametrize(("share", "lies"), [(0.95, True), (0.85, False)])
@pytest.mark.parametrize(("lowest", "near"), [(0.11, True), (-0.11, True), (0.13, False)])
def test_who_is_at_the_floor_nearly_always_lies_on_it(share, lies, lowest, near):
    """The head 1.6 m along y; along z the lowest joint is near zero in so many of the frames."""
    joints = standing(1.6, n=100) @ INTO["y"].T
    joints[..., 2] = 1.0
    joints[: round(100 * share), :, 2] = lowest
    if lies and near:
        with pytest.raises(NotUpright):
            told_up(joints, "z")
    else:
        assert told_up(joints, "z") == "y"


@pytest.mark.parametrize(("height", "passes"), [(0.31, True), (0.29, False), (-1.5, False)])
def test_a_motion_read_must_stand(height, passes):
    if passes:
        check_upright(standing(height), "amass", "z")
        return
    with pytest.raises(NotUpright, match=rf"read as amass \(z up\), its head is on average {height:.2f} m over its "
                                         "feet: this is another format, or the dancer lies down throughout; name the"):
        check_upright(standing(height), "amass", "z")


def test_what_lies_along_y_is_told_so():
    with pytest.raises(NotUpright, match="1.50 m along y, so that y seems to be up in it: turn it z up, or name"):
        check_upright(standing(1.5) @ INTO["y"].T, "written", "z")
    assert head_over_feet(lying_motion().joints()) < 0.3
