"""The denoiser against EDGE's own state dicts and outputs."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from dance_model.diffusion.schedule import cosine_schedule, preconditioning
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig, MusicEncoding, n_parameters
from dance_model.edge.edge_layers import Attention, RotaryEmbedding, rotate
from skeleton2stage.errors import UserError

SMALL = DenoiserConfig(latent_width=64, feedforward_width=128, n_layers=2, n_heads=4, dropout=0.0)
TINY = DenoiserConfig(
    motion_width=5, window_frames=6, latent_width=8, feedforward_width=8, n_layers=1, n_heads=2, music_width=3
)


@pytest.fixture(scope="module")
def small_model(edge_small):
    model = DanceDecoder(SMALL).eval()
    model.load_state_dict({name[3:]: value for name, value in edge_small.items() if name.startswith("sd/")})
    return model


@pytest.fixture(params=[False, True], ids=["edge", "frame_music"])
def tiny_model(request):
    torch.manual_seed(0)
    return DanceDecoder(replace(TINY, frame_music=request.param)).eval()


@pytest.mark.parametrize(("music", "width"), [("jukebox", 4800), ("baseline", 35)])
def test_state_dict_is_that_of_the_released_model(reference, music, width):
    published = json.loads((reference / "edge_full_state_dict.json").read_text())[music]
    with torch.device("meta"):
        model = DanceDecoder(DenoiserConfig(music_width=width))
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    assert shapes == published["state_dict"]
    assert n_parameters(model) == published["n_parameters"]
    assert sorted(name for name, _ in model.named_parameters()) == sorted(published["parameters"])


def test_outputs_equal_edge(edge_small, small_model):
    x, music, times = (edge_small[name] for name in ("x", "cond", "times"))
    with torch.no_grad():
        conditional = small_model(x, music, times, cond_drop_prob=0.0)
        unconditional = small_model(x, music, times, cond_drop_prob=1.0)
        guided = small_model.guided_forward(x, times, small_model.encode_guided(music), 2.0)
    torch.testing.assert_close(conditional, edge_small["out_cond"], atol=1e-5, rtol=0)
    torch.testing.assert_close(unconditional, edge_small["out_uncond"], atol=1e-5, rtol=0)
    torch.testing.assert_close(guided, edge_small["out_guided_w2"], atol=1e-5, rtol=0)


def test_a_guidance_of_one_is_the_conditional_prediction_in_half_the_work(edge_small, small_model, monkeypatch):
    x, music, times = (edge_small[name] for name in ("x", "cond", "times"))
    sizes, forward = [], small_model.forward_encoded
    monkeypatch.setattr(small_model, "forward_encoded", lambda x, *rest: sizes.append(len(x)) or forward(x, *rest))
    with torch.no_grad():
        encoding = small_model.encode_guided(music)
        one = small_model.guided_forward(x, times, encoding, 1.0)
        mixed = small_model.guided_forward(x, times, encoding, torch.ones(2, 1, 1))
    torch.testing.assert_close(one, edge_small["out_cond"], atol=1e-5, rtol=0)
    torch.testing.assert_close(one, mixed, atol=1e-5, rtol=0)
    assert sizes == [2, 4]


def test_encode_nothing_equals_dropping_the_music(edge_small, small_model):
    x, music, times = (edge_small[name] for name in ("x", "cond", "times"))
    with torch.no_grad():
        nothing = small_model.forward_encoded(x, times, small_model.encode_nothing(2))
        mixed = small_model.forward_encoded(
            x, times, small_model.encode_music(music, torch.tensor([True, False]))
        )
    torch.testing.assert_close(nothing, edge_small["out_uncond"], atol=1e-5, rtol=0)
    torch.testing.assert_close(mixed[0], edge_small["out_cond"][0], atol=1e-5, rtol=0)
    torch.testing.assert_close(mixed[1], edge_small["out_uncond"][1], atol=1e-5, rtol=0)


def test_rotation_turns_neighbouring_features_by_position():
    embedding = RotaryEmbedding(4)
    assert embedding.freqs.tolist() == pytest.approx([1.0, 0.01])
    x = torch.tensor([[[1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]]])
    turned = rotate(x, embedding.turns(2))[0]
    torch.testing.assert_close(turned[0], x[0, 0])
    expected = [np.cos(1), np.sin(1), -np.sin(0.01), np.cos(0.01)]
    assert turned[1].tolist() == pytest.approx(expected, abs=1e-6)


def test_music_dropout_drops_the_asked_share(tiny_model, monkeypatch):
    kept = []
    encode = tiny_model.encode_music
    monkeypatch.setattr(tiny_model, "encode_music", lambda music, keep: kept.append(keep) or encode(music, keep))
    torch.manual_seed(1)
    tiny_model(torch.randn(4000, 6, 5), torch.randn(4000, 6, 3), torch.zeros(4000).long(), cond_drop_prob=0.25)
    assert kept[0].float().mean().item() == pytest.approx(0.75, abs=0.03)


def test_gradients_reach_every_parameter(tiny_model):
    keep = torch.tensor([True, False])
    encoding = tiny_model.encode_music(torch.randn(2, 6, 3), keep)
    tiny_model.forward_encoded(torch.randn(2, 6, 5), torch.tensor([3, 700]), encoding).square().sum().backward()
    untouched = [name for name, p in tiny_model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert untouched == []


@pytest.mark.parametrize("frame_music", [False, True])
def test_each_frame_hears_its_own_music(frame_music):
    """Without attention and pooled music, a frame of music reaches the frame of motion at its time or none."""
    torch.manual_seed(0)
    model = DanceDecoder(replace(TINY, frame_music=frame_music)).eval()
    deaf = [m.out_proj for m in model.modules() if isinstance(m, Attention)] + [model.non_attn_cond_projection[-1]]
    for layer in deaf:
        torch.nn.init.zeros_(layer.weight)
    x, music, time = torch.randn(1, 6, 5), torch.randn(1, 6, 3), torch.tensor([400])
    other = music.clone()
    other[:, 2] += 1.0
    with torch.no_grad():
        outputs = [model.forward_encoded(x, time, model.encode_music(heard)) for heard in (music, other)]
    changed = (outputs[0] != outputs[1]).any(dim=-1)[0].nonzero().flatten().tolist()
    assert changed == ([2] if frame_music else [])


def test_gradients_are_the_same_every_time_on_several_threads():
    """What adds up in the order in which threads come differs in the last digit, and a run with it in the first."""
    torch.manual_seed(0)
    model = DanceDecoder(DenoiserConfig(latent_width=160, feedforward_width=64, n_layers=1, n_heads=4)).eval()
    x, music, times = torch.randn(16, 150, 151), torch.randn(16, 150, 35), torch.full((16,), 500)
    torch.set_num_threads(2)
    try:
        seen = []
        for _ in range(6):
            model.zero_grad()
            model.guided_forward(x, times, model.encode_guided(music), 2.0).square().mean().backward()
            seen.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(gradient, seen[0]) for gradient in seen[1:])


def test_encoding_repeats_selects_and_joins(tiny_model):
    music = torch.randn(2, 6, 3)
    encoding = tiny_model.encode_music(music)
    assert len(encoding.repeat(3)) == 6
    again = MusicEncoding.concatenate((encoding.select(slice(0, 1)), encoding.select(torch.tensor([1]))))
    x, times = torch.randn(2, 6, 5), torch.tensor([10, 20])
    torch.testing.assert_close(
        tiny_model.forward_encoded(x, times, again), tiny_model.forward_encoded(x, times, encoding)
    )
    doubled = tiny_model.forward_encoded(
        x.repeat_interleave(2, 0), times.repeat_interleave(2), encoding.repeat(2)
    )
    torch.testing.assert_close(doubled[1::2], tiny_model.forward_encoded(x, times, encoding))
    assert not encoding.detach().pooled.requires_grad


@pytest.mark.parametrize("shape", [(2, 5, 5), (2, 6, 4), (6, 5)])
def test_wrong_shape_names_what_was_expected(tiny_model, shape):
    with pytest.raises(ValueError, match=r"expected motion \[B, 6, 5\]"):
        tiny_model.forward_encoded(torch.zeros(shape), torch.zeros(2).long(), tiny_model.encode_nothing(2))


def test_unequal_batches_are_refused(tiny_model):
    with pytest.raises(ValueError, match="2 motions, 2 times, 3 windows"):
        tiny_model.forward_encoded(torch.zeros(2, 6, 5), torch.zeros(2).long(), tiny_model.encode_nothing(3))


def test_width_that_heads_cannot_share_is_refused():
    with pytest.raises(UserError, match="multiple of 2 x n_heads = 12"):
        DenoiserConfig(latent_width=64, n_heads=6)
    with pytest.raises(UserError, match="n_heads must be from 1 to 65536, not 0"):
        DenoiserConfig(n_heads=0)


def test_differences_name_what_weights_depend_on():
    assert SMALL.differences(replace(SMALL, dropout=0.5)) == {}
    assert SMALL.differences(replace(SMALL, n_layers=3, data_std=0.3)) == {"n_layers": (2, 3), "data_std": (0.0, 0.3)}


def test_preconditioned_predictions_are_the_noisy_motion_where_noise_is_small():
    torch.manual_seed(0)
    model = DanceDecoder(replace(TINY, data_std=0.3)).eval()
    x0, noise = 0.3 * torch.randn(2, 6, 5), torch.randn(2, 6, 5)
    music, schedule = torch.randn(2, 6, 3), cosine_schedule()
    errors = []
    for time in (0, 50, 999):
        times = torch.full((2,), time)
        predicted = model(schedule.add_noise(x0, times, noise), music, times).detach()
        errors.append((predicted - x0).square().mean().sqrt().item())
    assert errors[0] < 0.02 < errors[1] < 0.2 < errors[2]
    assert set(model.state_dict()) == set(DanceDecoder(TINY).state_dict())
    with pytest.raises(UserError, match="data_std"):
        DenoiserConfig(data_std=-1.0)


def test_preconditioning_of_hand_computed_values():
    skip, scale = preconditioning(torch.tensor([0.5]), 0.5)  # s = 1, d = 0.5
    assert skip.item() == pytest.approx(0.2 / 0.5**0.5)  # d^2 / (s^2 + d^2), for x_t / sqrt(abar)
    assert scale.item() == pytest.approx(0.5 / 1.25**0.5)
