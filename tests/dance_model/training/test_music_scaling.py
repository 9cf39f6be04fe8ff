"""Standardised music, and its folding into the denoiser."""

import torch

from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from dance_model.training.music_scaling import MusicScaler


def test_standardised_features_have_mean_zero_and_deviation_one():
    music = torch.randn(5, 2, 30, 3) * torch.tensor([1.0, 50.0, 0.0]) + torch.tensor([2.0, -300.0, 7.0])
    scaled = MusicScaler.fit(music)(music).flatten(0, -2)
    torch.testing.assert_close(scaled.mean(dim=0), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(scaled.std(dim=0)[:2], torch.ones(2), atol=1e-3, rtol=0)
    assert scaled[:, 2].abs().max() < 1e-2  # a constant feature is not blown up


def test_folded_denoiser_of_raw_music_equals_that_of_scaled_music():
    torch.manual_seed(0)
    model = DanceDecoder(DenoiserConfig(5, 8, 16, 16, 1, 2, 3)).eval()
    music = 40 * torch.randn(2, 8, 3) - 100
    scaler = MusicScaler.fit(music)
    x, times = torch.randn(2, 8, 5), torch.tensor([5, 900])
    with torch.no_grad():
        expected = model(x, scaler(music), times)
        scaler.fold_into(model)
        torch.testing.assert_close(model(x, music, times), expected, atol=1e-4, rtol=0)
        scaler.unfold_from(model)
        torch.testing.assert_close(model(x, scaler(music), times), expected, atol=1e-4, rtol=0)


def test_identity_changes_nothing():
    music = torch.randn(4, 3)
    assert torch.equal(MusicScaler.identity(3)(music), music)
