"""The low-pass filter, and a denoiser whose predictions go through it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dance_model.diffusion.low_pass import low_pass
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage.errors import UserError


def wave(hz, n_frames=150):
    return torch.from_numpy(np.sin(2 * np.pi * hz * np.arange(n_frames) / 30.0)).float()


@pytest.mark.parametrize(("hz", "left"), [(1.0, 1.0), (6.0, 0.5), (12.0, 0.0)])
def test_what_is_left_of_a_wave(hz, left):
    """A pass forwards and one backwards halve the amplitude at the cutoff; nothing is delayed."""
    middle = slice(30, 120)
    filtered, original = (low_pass(150, 6.0) @ wave(hz))[middle], wave(hz)[middle]
    torch.testing.assert_close(filtered, left * original, atol=0.01, rtol=0)


def test_a_line_is_kept_to_its_ends_and_no_cutoff_changes_nothing():
    line = torch.linspace(-0.5, 0.5, 150)
    torch.testing.assert_close(low_pass(150, 6.0) @ line, line, atol=1e-3, rtol=0)
    assert torch.equal(low_pass(4, 0.0), torch.eye(4))
    assert low_pass(4, 6.0).shape == (4, 4)  # shorter than the filter's own padding


def test_a_denoiser_with_a_cutoff_predicts_the_filtered_motion():
    config = DenoiserConfig(5, 20, 16, 16, 1, 2, 3, 0.0)
    torch.manual_seed(0)
    plain = DanceDecoder(config).eval()
    smooth = DanceDecoder(replace(config, cutoff_hz=4.0)).eval()
    smooth.load_state_dict(plain.state_dict())
    x, music, times = torch.randn(2, 20, 5), torch.randn(2, 20, 3), torch.tensor([3, 700])
    with torch.no_grad():
        expected, predicted = plain(x, music, times), smooth(x, music, times)
    torch.testing.assert_close(predicted, torch.einsum("ts,bsd->btd", low_pass(20, 4.0), expected))
    assert (predicted - expected).abs().max() > 0.01


@pytest.mark.parametrize("cutoff_hz", [-1.0, 15.0])
def test_a_cutoff_that_cannot_be_is_explained(cutoff_hz):
    with pytest.raises(UserError, match=r"cutoff_hz must be from 0 to under 15"):
        DenoiserConfig(cutoff_hz=cutoff_hz)


@pytest.mark.parametrize("hz", [3.0, 5.0, 7.0, 9.0])
def test_the_slope_is_butterworths_of_fourth_order_twice(hz):
    """1 / (1 + (w / w_c)^8), w the frequencies as the bilinear transform bends them."""
    bent, bent_cutoff = np.tan(np.pi * hz / 30.0), np.tan(np.pi * 6.0 / 30.0)
    left = 1.0 / (1.0 + (bent / bent_cutoff) ** 8)
    middle = slice(60, 240)
    filtered, original = (low_pass(300, 6.0) @ wave(hz, 300))[middle], wave(hz, 300)[middle]
    torch.testing.assert_close(filtered, float(left) * original, atol=2e-3, rtol=0)
