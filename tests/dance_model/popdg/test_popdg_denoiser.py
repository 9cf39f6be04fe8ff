"""The denoiser against POPDG's own state dict and outputs, and what samples and trains it against its interface."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import popdg_samples as samples
import pytest
import torch

from dance_model.edge.edge_denoiser import MusicEncoding, n_parameters
from dance_model.popdg.popdg_denoiser import PopdgConfig, PopdgDenoiser
from dance_model.popdg.popdg_layers import JointAttention, space_augmentation
from skeleton2stage.errors import UserError

HERE = Path(__file__).parent
COMPARED = PopdgConfig(
    latent_width=samples.LATENT_WIDTH, feedforward_width=samples.FEEDFORWARD, n_layers=samples.LAYERS,
    n_heads=samples.HEADS, music_width=samples.MUSIC_WIDTH,
)
TINY = PopdgConfig(
    motion_width=7, window_frames=10, latent_width=8, feedforward_width=8, n_layers=1, n_heads=2, music_width=3,
    joint_heads=1, dropout=0.0, convolutions="none",
)


@pytest.fixture(scope="module")
def published():
    with np.load(HERE / "popdg_reference.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.fixture(params=["idle", "used"])
def compared(request):
    """Return the name of a variant and the model whose outputs POPDG's code gave."""
    return request.param, samples.fill(PopdgDenoiser(replace(COMPARED, convolutions=request.param))).eval()


@pytest.fixture(params=[False, True], ids=["popdg", "frame_music"])
def tiny(request):
    torch.manual_seed(0)
    return PopdgDenoiser(replace(TINY, frame_music=request.param, convolutions="used")).eval()


def test_state_dict_is_that_of_the_released_model():
    expected = json.loads((HERE / "popdg_state_dict.json").read_text())
    with torch.device("meta"):
        model = PopdgDenoiser(PopdgConfig())
    assert {name: list(value.shape) for name, value in model.state_dict().items()} == expected["state_dict"]
    assert sum(parameter.numel() for parameter in model.parameters()) == expected["n_parameters"]


def test_outputs_equal_popdgs(published, compared):
    variant, model = compared
    x, music, times = samples.network_inputs()
    with torch.no_grad():
        conditional, variance = model.forward_with_variance(x, times, model.encode_music(music))
        found = {
            "conditional": conditional,
            "variance": variance,
            "unconditional": model(x, music, times, cond_drop_prob=1.0),
            "guided": model.guided_forward(x, times, model.encode_guided(music), 2.0),
        }
    for name, value in found.items():
        expected = published[f"{variant}/{name}"]
        torch.testing.assert_close(value[:, samples.STORED_FRAMES], expected, atol=1e-5, rtol=0, msg=f"{name} differs")
    assert (conditional - found["unconditional"]).abs().mean() > 0.05  # or equal outputs would prove little


def test_idle_convolutions_are_there_and_unused():
    bare = samples.fill(PopdgDenoiser(replace(COMPARED, convolutions="none"))).eval()
    idle = samples.fill(PopdgDenoiser(COMPARED)).eval()
    extra = set(idle.state_dict()) - set(bare.state_dict())
    assert extra and all(".conv." in name for name in extra)
    x, music, times = samples.network_inputs()
    with torch.no_grad():
        assert torch.equal(bare(x, music, times), idle(x, music, times))
    assert n_parameters(bare) == n_parameters(idle)


def test_space_augmentation_of_hand_computed_values():
    shares = torch.zeros(24)
    shares[3], shares[6], shares[13] = 0.4, 0.2, 0.1
    new = shares + shares @ space_augmentation()
    expected = {3: 0.4, 6: 0.3, 9: 0.15, 12: 0.075, 13: 0.125, 14: 0.075, 15: 0.0375, 16: 0.0625, 17: 0.0375}
    assert {joint: new[joint].item() for joint in expected} == pytest.approx(expected)
    assert new.count_nonzero() == len(expected)


def test_joints_attend_within_their_frame_alone():
    torch.manual_seed(0)
    attention, x, turns = JointAttention(8, 2), torch.randn(1, 4, 8), torch.tensor([1.0, 0.0])[:, None, None]
    other = x.clone()
    other[:, 2] += 1.0
    changed = (attention(x, turns) != attention(other, turns)).any(dim=-1)[0]
    assert changed.tolist() == [False, False, True, False]


def test_a_small_one_fits_six_megabytes_in_16_bits():
    config = PopdgConfig(
        latent_width=144, feedforward_width=288, n_layers=3, n_heads=4, music_width=35, joint_heads=2,
        convolutions="none", frame_music=True,
    )
    with torch.device("meta"):
        assert 2 * n_parameters(PopdgDenoiser(config)) < 6e6


def test_guidance_mixes_two_plain_predictions(tiny):
    x, music, times = torch.randn(2, 10, 7), torch.randn(2, 10, 3), torch.tensor([3, 700])
    with torch.no_grad():
        encoding = tiny.encode_guided(music)
        with_music, without = tiny(x, music, times), tiny.forward_encoded(x, times, tiny.encode_nothing(2))
        torch.testing.assert_close(tiny(x, music, times, cond_drop_prob=1.0), without)
        for weight in (1.0, 2.0, torch.tensor([0.0, 3.0])[:, None, None]):
            guided = tiny.guided_forward(x, times, encoding, weight)
            torch.testing.assert_close(guided, without + weight * (with_music - without), atol=1e-5, rtol=1e-5)


def test_music_is_dropped_by_window(tiny):
    x, music, times = torch.randn(2, 10, 7), torch.randn(2, 10, 3), torch.tensor([3, 700])
    with torch.no_grad():
        mixed = tiny.forward_encoded(x, times, tiny.encode_music(music, torch.tensor([True, False])))
        torch.testing.assert_close(mixed[0], tiny(x, music, times)[0])
        torch.testing.assert_close(mixed[1], tiny(x, music, times, cond_drop_prob=1.0)[1])


def test_one_encoding_serves_all_steps(tiny):
    music = torch.randn(2, 10, 3)
    with torch.no_grad():
        encoding = tiny.encode_guided(music)
        for time in (999, 379, 0):
            x, times = torch.randn(2, 10, 7), torch.full((2,), time)
            once = tiny.guided_forward(x, times, encoding, 2.0)
            anew = tiny.guided_forward(x, times, tiny.encode_guided(music), 2.0)
            torch.testing.assert_close(once, anew)


def test_encoding_repeats_selects_joins_and_tiles(tiny):
    music, x, times = torch.randn(2, 10, 3), torch.randn(2, 10, 7), torch.tensor([10, 20])
    encoding = tiny.encode_music(music)
    plain = tiny.forward_encoded(x, times, encoding)
    again = MusicEncoding.concatenate((encoding.select(slice(0, 1)), encoding.select(torch.tensor([1]))))
    torch.testing.assert_close(tiny.forward_encoded(x, times, again), plain)
    doubled = tiny.forward_encoded(x.repeat_interleave(2, 0), times.repeat_interleave(2), encoding.repeat(2))
    torch.testing.assert_close(doubled[1::2], plain)
    guided = tiny.encode_guided(music)
    tiled = tiny.guided_forward(torch.cat((x, x)), torch.cat((times, times)), guided.tile_guided(2), 2.0)
    torch.testing.assert_close(tiled[2:], tiny.guided_forward(x, times, guided, 2.0))
    assert not any(part.requires_grad for part in guided.detach().tensors())


def test_gradients_reach_every_parameter(tiny):
    encoding = tiny.encode_music(torch.randn(2, 10, 3), torch.tensor([True, False]))
    clean, variance = tiny.forward_with_variance(torch.randn(2, 10, 7), torch.tensor([3, 700]), encoding)
    (clean.square().sum() + variance.square().sum()).backward()
    untouched = [name for name, p in tiny.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert untouched == []


def test_forward_gives_the_variance_where_asked(tiny):
    x, music, times = torch.randn(2, 10, 7), torch.randn(2, 10, 3), torch.tensor([3, 700])
    clean, variance = tiny(x, music, times, with_variance=True)
    assert torch.equal(clean, tiny(x, music, times))
    assert variance.shape == x.shape and variance.abs().max() <= 1


def test_preconditioned_predictions_are_the_noisy_motion_where_noise_is_small():
    torch.manual_seed(0)
    model = PopdgDenoiser(replace(TINY, data_std=0.3)).eval()
    x, music = 0.3 * torch.randn(1, 10, 7), torch.randn(1, 10, 3)
    errors = [(model(x, music, torch.tensor([time])) - x).square().mean().sqrt().item() for time in (0, 999)]
    assert errors[0] < 0.02 < 0.1 < errors[1]


@pytest.mark.parametrize("shape", [(2, 9, 7), (2, 10, 8), (10, 7)])
def test_wrong_shapes_name_what_was_expected(tiny, shape):
    with pytest.raises(ValueError, match=r"expected motion \[B, 10, 7\]"):
        tiny.forward_encoded(torch.zeros(shape), torch.zeros(2).long(), tiny.encode_nothing(2))
    with pytest.raises(ValueError, match="2 motions, 2 times, 3 windows"):
        tiny.forward_encoded(torch.zeros(2, 10, 7), torch.zeros(2).long(), tiny.encode_nothing(3))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"frame_heads": 4}, "frame_heads must divide window_frames = 10, not be 4"),
        ({"joint_heads": 0}, "joint_heads must be at least 1, not 0"),
        ({"latent_width": 10}, "multiple of 2 x n_heads = 4"),
        ({"convolutions": "some"}, "unknown choice of convolutions 'some': choose one of idle, none, used"),
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(UserError, match=words):
        replace(TINY, **wrong)
