import math

import pytest
import torch

from skeleton2stage.metrics.motion_magnitude import mot_mag


def test_published_magnitude(published, public_motions):
    for name, motion in public_motions.items():
        value = mot_mag(torch.from_numpy(motion.poses[:600]))
        assert float(value) == pytest.approx(published["per_motion"][name]["mot_mag_x30"], rel=1e-4), name


def test_one_joint_turning_by_hand():
    # A turn by a about z changes the first two rows by |1 - cos a|, sin a, sin a, |1 - cos a|.
    poses = torch.zeros(2, 24, 3, dtype=torch.float64)
    poses[1, 5, 2] = 0.3
    expected = 30.0 * 2 * (1 - math.cos(0.3) + math.sin(0.3)) / (24 * 6)
    assert float(mot_mag(poses)) == pytest.approx(expected)


def test_batch_and_stillness():
    poses = torch.randn(1, 1, 24, 3).expand(2, 9, 24, 3)
    assert torch.allclose(mot_mag(poses), torch.zeros(2), atol=1e-6)


def test_refuses_a_single_frame():
    with pytest.raises(ValueError, match="T >= 2"):
        mot_mag(torch.zeros(1, 24, 3))
