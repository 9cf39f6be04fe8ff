import numpy as np

from skeleton2stage.export.skinning import rotations_xyzw, strongest_bones
from skeleton2stage.motion.motion import Motion


def test_weights_of_more_than_four_bones_are_cut_to_the_strongest_and_add_up_to_one():
    joints, weights = strongest_bones(np.array([[0.1, 0.3, 0.0, 0.2, 0.25, 0.15], [0, 0, 0, 1.0, 0, 0]]))
    assert joints[0].tolist() == [1, 4, 3, 5] and joints[1, 0] == 3
    np.testing.assert_allclose(weights[0], np.array([0.3, 0.25, 0.2, 0.15]) / 0.9, rtol=1e-6)
    np.testing.assert_allclose(weights[1], [1, 0, 0, 0])


def test_quaternions_do_not_jump_between_frames():
    poses = np.zeros((90, 24, 3))
    poses[:, 5, 0] = np.linspace(0, 4 * np.pi, 90)  # twice round
    quats = rotations_xyzw(Motion(poses, np.zeros((90, 3))))
    assert (np.diff(quats, axis=0) ** 2).sum(axis=-1).max() < 0.1
