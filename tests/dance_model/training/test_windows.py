"""Training windows: cutting, augmentation against the motion it stands for, and scaling."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from dance_model.training.windows import (
    TIMBRE,
    AugmentConfig,
    DanceWindows,
    augment,
    centred,
    fit_scaler,
    load_windows,
    made_from,
    mirrored,
    moved,
    otherwise_mixed,
    turned,
)
from skeleton2stage.errors import UserError
from skeleton2stage.motion import motion_layout as layouts
from skeleton2stage.motion.motion import Motion
from skeleton2stage.music.columns import ONSET, PEAK


def random_motion(seed=0, frames=12):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.02, (frames, 3)).cumsum(axis=0) + [0.4, -0.2, 1.0]
    return Motion(rng.normal(0, 0.4, (frames, 24, 3)), steps)


def vectors_of(motion, layout=layouts.EDGE):
    return layouts.encode(torch.from_numpy(motion.poses), torch.from_numpy(motion.translation), layout)[None]


@pytest.fixture
def windows():
    frames = torch.cat([vectors_of(random_motion(seed))[0] for seed in range(2)])
    starts, clips = torch.tensor([0, 4, 12, 16]), torch.tensor([0, 0, 1, 1])
    music = torch.arange(4.0)[:, None, None].expand(4, 8, 3)
    return DanceWindows(frames, starts, clips, music, ("first", "second"))


def test_windows_are_cut_from_the_clips(windows):
    vectors = windows.vectors(torch.tensor([1, 3]))
    assert torch.equal(vectors[0], windows.frames[4:12])
    assert torch.equal(vectors[1], windows.frames[16:24])


def test_drawn_music_belongs_to_the_drawn_motion(windows):
    torch.manual_seed(0)
    vectors, music = windows.draw(64, AugmentConfig())
    starts = windows.starts[music[:, 0, 0].long()]
    assert torch.equal(vectors[:, 0], windows.frames[starts])
    assert set(music[:, 0, 0].tolist()) == {0, 1, 2, 3}


def test_held_out_clips_leave_the_training_windows(windows):
    with pytest.raises(UserError, match="held_out names elsewhere, but there is no such clip"):
        windows.split(("second", "elsewhere"))
    train, held = windows.split(("second",))
    assert train.clips.tolist() == [0, 0]
    assert held.starts.tolist() == [12, 16]
    assert held.music[:, 0, 0].tolist() == [2, 3]


def test_saved_windows_come_back(windows, tmp_path):
    windows.save(tmp_path / "w.npz", "recipe")
    again = load_windows(tmp_path / "w.npz")
    assert again.names == windows.names
    for name in ("frames", "starts", "clips", "music"):
        assert torch.equal(getattr(again, name), getattr(windows, name))
    assert made_from(tmp_path / "w.npz") == "recipe"
    assert made_from(tmp_path / "none.npz") is None


def test_files_of_another_kind_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", frames=np.zeros(3))
    (tmp_path / "text.npz").write_text("not an archive")
    for name, reason in (("other", "not a file of training windows"), ("text", "damaged or not an .npz file")):
        with pytest.raises(UserError, match=reason):
            load_windows(tmp_path / f"{name}.npz")
    with pytest.raises(UserError, match="does not exist"):
        load_windows(tmp_path / "none.npz")


@pytest.mark.parametrize("layout", [layouts.EDGE, layouts.POPDG], ids=lambda layout: layout.name)
def test_mirroring_vectors_is_mirroring_the_motion(layout):
    motion = random_motion()
    ours, expected = mirrored(vectors_of(motion, layout), layout), vectors_of(motion.mirrored(), layout)
    for part in layout.body:
        torch.testing.assert_close(ours[..., part], expected[..., part], atol=1e-5, rtol=0)
    torch.testing.assert_close(mirrored(ours, layout), vectors_of(motion, layout))


def test_mirroring_exchanges_the_feet_of_contacts():
    vectors = torch.zeros(1, 1, 151)
    vectors[..., :4] = torch.tensor([1.0, 2.0, 3.0, 4.0])  # left ankle, right ankle, left toe, right toe
    assert mirrored(vectors, layouts.EDGE)[0, 0, :4].tolist() == [2, 1, 4, 3]


def test_turning_vectors_is_turning_the_joints():
    motion = random_motion()
    yaw = torch.tensor([0.7])
    ours = turned(vectors_of(motion), yaw, layouts.EDGE)
    axis_angle, root, _ = layouts.decode(ours, layouts.EDGE)
    joints = Motion(axis_angle[0].numpy(), root[0].numpy()).joints()
    cos, sin = math.cos(0.7), math.sin(0.7)
    expected = motion.joints() @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    np.testing.assert_allclose(joints, expected, atol=1e-5)
    assert torch.equal(ours[..., :4], vectors_of(motion)[..., :4])


def test_centring_and_moving_touch_only_the_plane():
    vectors = vectors_of(random_motion())
    result = moved(centred(vectors, layouts.EDGE), torch.tensor([[2.0, -1.0]]), layouts.EDGE)
    np.testing.assert_allclose(result[0, 0, 4:6], [2.0, -1.0], atol=1e-6)
    torch.testing.assert_close(result[..., 4:6].diff(dim=1), vectors[..., 4:6].diff(dim=1), atol=1e-6, rtol=0)
    assert torch.equal(result[..., 6:], vectors[..., 6:])


def test_augmented_windows_stay_within_the_scaler_and_fill_it(windows):
    config = AugmentConfig(mirror=True, yaw_steps=6, offset_m=0.3)
    scaler = fit_scaler(windows, config, layouts.EDGE)
    torch.manual_seed(0)
    everything = torch.arange(4).repeat(100)
    scaled = scaler.normalise(augment(windows.vectors(everything), config, layouts.EDGE))
    assert scaled.abs().max() <= 1 + 1e-4
    reached = scaled.flatten(0, 1).abs().max(dim=0).values
    assert reached[7:].min() > 0.99


def test_without_augmentation_windows_are_only_centred(windows):
    vectors = windows.vectors(torch.tensor([0, 2]))
    plain = augment(vectors, AugmentConfig(mirror=False), layouts.EDGE)
    torch.testing.assert_close(plain, centred(vectors, layouts.EDGE))


def test_half_of_the_windows_are_mirrored(windows):
    torch.manual_seed(0)
    result = augment(windows.vectors(torch.zeros(400).long()), AugmentConfig(), layouts.EDGE)
    share = (result - centred(windows.vectors(torch.tensor([0])), layouts.EDGE)).abs().amax((1, 2)) > 1e-5
    assert share.float().mean().item() == pytest.approx(0.5, abs=0.1)


def test_negative_augmentation_is_refused():
    with pytest.raises(UserError, match="offset_m must be at least 0, not -1.0"):
        AugmentConfig(offset_m=-1.0)


def test_the_place_on_the_floor_may_have_a_wider_range(windows):
    config = AugmentConfig(mirror=True, yaw_steps=4, offset_m=0.5)
    plain, wide = (fit_scaler(windows, config, layouts.EDGE, place_range) for place_range in (1.0, 4.0))
    ratio = wide.scale / plain.scale
    assert ratio[4:6].tolist() == [4.0, 4.0] and ratio[6:].eq(1).all() and ratio[:4].eq(1).all()
    looks = torch.cat([augment(windows.vectors(torch.arange(4)), config, layouts.EDGE) for _ in range(50)])
    torch.testing.assert_close(wide.unnormalise(wide.normalise(looks)), looks, atol=1e-5, rtol=0)


@pytest.fixture
def dances():
    """Two dances of 20 and 17 frames in windows of 8, four frames apart; music tells frame and, as timbre, dance."""
    frames = torch.zeros(37, 151)
    frames[:, 6] = torch.arange(37.0)
    starts = torch.tensor([0, 4, 8, 12, 20, 24, 28])
    clips = torch.tensor([0, 0, 0, 0, 1, 1, 1])
    music = torch.zeros(7, 8, 35)
    music[..., 0] = music[..., 34] = starts[:, None] + torch.arange(8.0)
    music[..., 1:33] = torch.arange(7.0)[:, None, None]
    return DanceWindows(frames, starts, clips, music, ("first", "second"))


def test_windows_that_start_later_go_on_with_the_music_of_the_next(dances):
    index, later = torch.tensor([0, 2, 4, 5]), torch.tensor([0, 3, 1, 2])
    vectors, music = dances.starting_later(index, later)
    frames = dances.starts[index][:, None] + later[:, None] + torch.arange(8)
    assert torch.equal(vectors[..., 6], frames.float())
    assert torch.equal(music[..., 0], frames.float())


def test_windows_begin_in_any_frame_before_the_next_and_never_leave_their_dance(dances):
    torch.manual_seed(0)
    vectors, music = dances.draw(2000, AugmentConfig(any_start=True))
    assert torch.equal(vectors[..., 6], music[..., 0])
    firsts = set(vectors[:, 0, 6].long().tolist())
    assert firsts == {*range(13), *range(20, 29)}  # the last window of a dance begins where it does
    assert set(dances.draw(500, AugmentConfig())[0][:, 0, 6].long().tolist()) == set(dances.starts.tolist())


def test_shuffled_timbre_is_another_windows_and_all_else_its_own(dances):
    torch.manual_seed(0)
    vectors, music = dances.draw(500, AugmentConfig(shuffle_timbre=True))
    assert torch.equal(music[..., 0], vectors[..., 6]) and torch.equal(music[..., 34], vectors[..., 6])
    own = torch.searchsorted(dances.starts, music[:, 0, 0].long())
    timbre = music[..., TIMBRE]
    assert timbre.eq(timbre[:, :1, :1]).all()
    assert timbre[:, 0, 0].eq(own).float().mean() < 0.3


def test_exchanged_onsets_are_another_windows_with_its_peaks_in_a_share_of_windows(dances):
    music = dances.music.clone()
    music[..., PEAK] = music[..., ONSET] + 0.5
    dances = replace(dances, music=music)
    torch.manual_seed(0)
    vectors, music = dances.draw(2000, AugmentConfig(shuffle_onsets=0.4))
    own = (music[..., ONSET] == vectors[..., 6:7]).all(dim=1)[:, 0]
    # Of those exchanged a seventh meets its own again.
    assert own.float().mean() == pytest.approx(0.6 + 0.4 / 7, abs=0.03)
    assert torch.equal(music[..., PEAK], music[..., ONSET] + 0.5)
    assert torch.equal(music[..., 34], vectors[..., 6])
    assert music[..., TIMBRE].eq(torch.searchsorted(dances.starts, vectors[:, 0, 6].long())[:, None, None]).all()


def a_batch_of_music(windows=400, frames=20):
    return torch.rand(windows, frames, 35, generator=torch.Generator().manual_seed(0)) + 1.0


def test_onsets_are_softened_by_factors_even_in_their_logarithm():
    music = a_batch_of_music()
    ratio = (otherwise_mixed(music, AugmentConfig(softest_onset=0.1)) / music)[..., 0]
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    assert 0.1 <= ratio.min() < 0.11 and 0.9 < ratio.max() <= 1.0
    assert ratio[:, 0].log10().mean() == pytest.approx(-0.5, abs=0.05)


def test_every_frame_gets_its_own_onset_noise_up_to_the_windows_limit():
    music = a_batch_of_music()
    noise = (otherwise_mixed(music, AugmentConfig(onset_noise=2.0)) - music)[..., 0]
    assert noise.min() >= 0.0 and noise.max() <= 2.0
    largest = noise.amax(dim=1)
    assert largest.min() < 0.1 and largest.max() > 1.8
    assert noise.std(dim=1).median() > 0.2


def test_shifted_timbre_keeps_its_course():
    music = a_batch_of_music()
    music[..., 5] *= 10.0
    shift = (otherwise_mixed(music, AugmentConfig(timbre_shift=2.0)) - music)[..., TIMBRE]
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift), atol=1e-4, rtol=0)
    spread = shift[:, 0].std(dim=0) / music[..., TIMBRE].std(dim=(0, 1))
    torch.testing.assert_close(spread, torch.full((32,), 2.0), atol=0.3, rtol=0)


def test_peaks_and_beats_are_never_changed():
    music = a_batch_of_music()
    mixed = otherwise_mixed(music, AugmentConfig(softest_onset=0.1, onset_noise=2.0, timbre_shift=2.0))
    assert torch.equal(mixed[..., TIMBRE.stop :], music[..., TIMBRE.stop :])


def test_drawn_music_is_mixed_otherwise(dances):
    torch.manual_seed(0)
    _, music = dances.draw(50, AugmentConfig(softest_onset=0.1))
    assert (music[..., 0] < 0.9 * music[..., 34]).float().mean() > 0.8


@pytest.mark.parametrize(
    "settings", [{"shuffle_onsets": 1.5}, {"softest_onset": 0.0}, {"softest_onset": 1.5}, {"onset_noise": -1.0}]
)
def test_music_that_cannot_be_is_refused(settings):
    with pytest.raises(UserError, match=next(iter(settings))):
        AugmentConfig(**settings)
