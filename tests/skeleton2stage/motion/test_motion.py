import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion


def random_motion(n_frames=20, seed=0):
    rng = np.random.default_rng(seed)
    return Motion(0.4 * rng.standard_normal((n_frames, 24, 3)), rng.standard_normal((n_frames, 3)))


def test_mirrored_twice_is_the_same():
    motion = random_motion()
    twice = motion.mirrored().mirrored()
    np.testing.assert_allclose(twice.poses, motion.poses, atol=1e-6)
    np.testing.assert_allclose(twice.translation, motion.translation, atol=1e-6)


def test_mirrored_joints_are_reflected():
    motion = random_motion()
    expected = motion.joints()[:, skeleton.mirror_order()] * [-1, 1, 1]
    error = np.linalg.norm(motion.mirrored().joints() - expected, axis=-1)
    # The mean skeleton is asymmetric by up to 1 cm a bone, which adds up towards the hands.
    assert error.max() < 0.05
    moved = np.linalg.norm(motion.joints() - expected, axis=-1)
    assert moved.mean() > 0.3


def test_slice_and_shift():
    motion = Motion(np.zeros((10, 24, 3)), np.zeros((10, 3)), contacts=np.arange(10)[:, None])
    part = motion.slice(3, 7).shifted([1, 2, 3])
    assert len(part) == 4 and part.contacts[:, 0].tolist() == [3, 4, 5, 6]
    np.testing.assert_array_equal(part.joints()[:, 0], np.tile([1, 2, 3], (4, 1)))
    assert part.duration_s == pytest.approx(4 / 30)


def test_stored_as_float32():
    motion = random_motion()
    assert motion.poses.dtype == motion.translation.dtype == motion.joints().dtype == np.float32


@pytest.mark.parametrize(
    ("poses", "translation", "sentence"),
    [
        (np.zeros((4, 23, 3)), np.zeros((4, 3)), r"\[T, 24, 3\]"),
        (np.zeros((4, 24, 3)), np.zeros((5, 3)), "4 frames"),
        (np.zeros((0, 24, 3)), np.zeros((0, 3)), "no frames"),
        (np.full((4, 24, 3), np.nan), np.zeros((4, 3)), "NaN"),
    ],
)
def test_bad_motion_is_refused(poses, translation, sentence):
    with pytest.raises(UserError, match=sentence):
        Motion(poses, translation)


def test_first_bad_frame_is_named():
    translation = np.zeros((9, 3))
    translation[6] = np.inf
    with pytest.raises(UserError, match="in 1 frames, the first of them 6"):
        Motion(np.zeros((9, 24, 3)), translation)
