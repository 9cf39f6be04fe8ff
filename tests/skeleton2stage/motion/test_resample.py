import numpy as np
import pytest
import roma
import torch

from skeleton2stage.motion.resample import resample_linear, resample_rotations

NTSC = 30 / 1.001


@pytest.mark.parametrize(("n_frames", "fps", "n_new"), [
    (9000, NTSC, 9009), (9000, 2 * NTSC, 4505), (9000, 30, 9000), (480, 60, 240), (481, 60, 241), (192, 24, 239),
    (1, 120, 1),
])
def test_a_motion_keeps_its_length_in_time(n_frames, fps, n_new):
    times = torch.arange(n_frames, dtype=torch.float64) / fps
    resampled = resample_linear(times, fps, 30)
    assert len(resampled) == n_new and n_new / 30 == pytest.approx(n_frames / fps, abs=1 / 24)
    np.testing.assert_allclose(resampled, torch.arange(n_new) / 30, atol=1e-3 / 30)


def test_a_steady_turn_stays_in_time_with_the_music():
    """0.3 s in five minutes is what taking 29.97 for 30 costs."""
    angle = torch.zeros(1800, 1, 3, dtype=torch.float64)
    angle[:, 0, 2] = torch.arange(1800) / NTSC
    turned = roma.rotmat_to_rotvec(resample_rotations(roma.rotvec_to_rotmat(angle), NTSC, 30))[:, 0, 2]
    wanted = torch.remainder(torch.arange(len(turned), dtype=torch.float64) / 30 + torch.pi, 2 * torch.pi) - torch.pi
    away = torch.remainder(turned - wanted + torch.pi, 2 * torch.pi) - torch.pi
    assert away.abs().max() < 1e-4
