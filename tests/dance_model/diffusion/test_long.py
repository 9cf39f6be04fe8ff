"""Long dances: the windows' arithmetic, their agreement, and how they are joined."""

import numpy as np
import pytest
import torch

from dance_model.diffusion.ddim import SamplingConfig, generator_for, sample
from dance_model.diffusion.long import guidance_ramp, n_windows, overlapping_windows, sample_long, stitch
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage.motion import motion_layout as layouts


@pytest.fixture
def tiny_model():
    torch.manual_seed(0)
    return DanceDecoder(DenoiserConfig(5, 8, 16, 16, 1, 2, 3)).eval()


@pytest.mark.parametrize(("frames", "count"), [(1, 1), (150, 1), (151, 2), (225, 2), (226, 3), (600, 7)])
def test_windows_that_cover_a_song(frames, count):
    assert n_windows(frames, 150) == count


def test_windows_overlap_by_half_and_repeat_the_last_frame():
    features = torch.arange(10.0)[:, None]
    windows = overlapping_windows(features, 4)[..., 0]
    assert windows.tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 8, 9]]
    assert overlapping_windows(features[:5], 4)[1, :, 0].tolist() == [2, 3, 4, 4]


def test_guidance_ramps_over_half_the_steps():
    ramp = guidance_ramp(50, 2.0)
    assert ramp[0] == 0.0
    assert ramp[1] == pytest.approx(4.0 / 49)
    assert all(weight == 2.0 for weight in ramp[25:])
    assert ramp[24] < 2.0


def test_windows_of_a_dance_agree_where_they_overlap(tiny_model):
    """Before the last step the halves are equal; a model that is constant in x keeps them so after it."""
    with torch.no_grad():
        tiny_model.final_layer.weight.zero_()
    (windows,) = sample_long(tiny_model, [torch.randn(3, 8, 3)], generator_for(tiny_model, 0))
    torch.testing.assert_close(windows[1:, :4], windows[:-1, 4:])


def test_every_window_starts_as_its_predecessor_ends_in_all_steps_but_the_first(tiny_model, monkeypatch):
    seen = []
    predict = tiny_model.guided_forward
    monkeypatch.setattr(tiny_model, "guided_forward", lambda x, *rest: seen.append(x) or predict(x, *rest))
    music = [torch.randn(3, 8, 3), torch.randn(2, 8, 3)]
    sample_long(tiny_model, music, generator_for(tiny_model, 0), SamplingConfig(n_steps=4))
    assert len(seen) == 4
    for x in seen[1:]:
        for window in (1, 2, 4):
            assert torch.equal(x[window, :4], x[window - 1, 4:])
        assert not torch.equal(x[3, :4], x[2, 4:])  # another dance begins
    assert not torch.equal(seen[0][1, :4], seen[0][0, 4:])


def test_single_windows_are_sampled_as_usual(tiny_model):
    music = torch.randn(2, 8, 3)
    config = SamplingConfig(n_steps=6)
    usual = sample(tiny_model, music, generator_for(tiny_model, 5), config).x0
    dances = sample_long(tiny_model, [music[:1], music[1:]], generator_for(tiny_model, 5), config)
    torch.testing.assert_close(torch.cat(dances), usual)


def test_windows_take_a_number_for_guidance_where_all_have_the_same(tiny_model, monkeypatch):
    weights, predict = [], tiny_model.guided_forward
    monkeypatch.setattr(tiny_model, "guided_forward", lambda *args: weights.append(args[3]) or predict(*args))
    config = SamplingConfig(n_steps=4, guidance=1.0)
    sample_long(tiny_model, [torch.randn(2, 8, 3), torch.randn(1, 8, 3)], generator_for(tiny_model, 0), config)
    ramping, *rest = weights
    assert ramping.flatten().tolist() == [0.0, 0.0, 1.0]
    assert ramping.shape == (3, 1, 1) and [w if isinstance(w, float) else w.flatten().tolist() for w in rest] == [
        pytest.approx([2 / 3, 2 / 3, 1.0]), 1.0, 1.0
    ]


def test_dances_of_one_batch_do_not_touch(tiny_model):
    """Changing the second dance's music leaves the first dance as it was."""
    first, second, other = torch.randn(2, 8, 3), torch.randn(3, 8, 3), torch.randn(3, 8, 3)
    config = SamplingConfig(n_steps=4)
    one = sample_long(tiny_model, [first, second], generator_for(tiny_model, 2), config)
    two = sample_long(tiny_model, [first, other], generator_for(tiny_model, 2), config)
    torch.testing.assert_close(one[0], two[0])
    assert (one[1] - two[1]).abs().max() > 1e-4


def edge_vectors(yaw_rad, x_m, frames=8):
    """Motion vectors [frames, 151] of a figure standing at x_m, turned about z."""
    axis_angle = torch.zeros(frames, 24, 3)
    axis_angle[:, 0, 2] = yaw_rad
    return layouts.encode(axis_angle, torch.tensor([x_m, 0.0, 1.0]).expand(frames, 3), layouts.EDGE)


def test_stitching_blends_positions_linearly_and_rotations_by_slerp():
    motion = stitch(torch.stack((edge_vectors(0.0, 0.0), edge_vectors(0.9, 3.0))), layouts.EDGE)
    assert len(motion) == 12
    np.testing.assert_allclose(motion.translation[:, 0], [0] * 4 + [0, 1, 2, 3] + [3] * 4, atol=1e-6)
    np.testing.assert_allclose(motion.poses[:, 0, 2], [0] * 4 + [0, 0.3, 0.6, 0.9] + [0.9] * 4, atol=1e-5)
    assert motion.contacts.shape == (12, 4)


def test_slerp_goes_the_short_way_round():
    motion = stitch(torch.stack((edge_vectors(3.0, 0.0), edge_vectors(-3.0, 0.0))), layouts.EDGE)
    middle = np.abs(motion.poses[4:8, 0, 2])
    assert (middle > 2.99).all()


def test_stitching_identical_overlaps_changes_nothing_and_cuts_to_length():
    torch.manual_seed(0)
    whole = layouts.encode(0.4 * torch.randn(20, 24, 3), torch.randn(20, 3), layouts.EDGE)
    windows = whole[torch.arange(8) + 4 * torch.arange(4)[:, None]]
    motion = stitch(windows, layouts.EDGE, n_frames=17)
    poses, translation, _ = layouts.decode(whole, layouts.EDGE)
    assert len(motion) == 17
    np.testing.assert_allclose(motion.poses, poses[:17].numpy(), atol=1e-5)
    np.testing.assert_allclose(motion.translation, translation[:17].numpy(), atol=1e-6)


def test_stitching_one_window_returns_it():
    assert len(stitch(edge_vectors(0.1, 0.0)[None], layouts.EDGE)) == 8
