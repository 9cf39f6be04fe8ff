"""Beats of music and of movement, against the field's own scripts."""

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.music.beats import kinetic_beats, kinetic_speed, music_beats, percussive_onset_envelope

MOTIONS = ["M1", "synth01", "synth02", "synth03", "synth04", "synth05", "synth06"]


@pytest.mark.parametrize("name", ["vibeace", "fishin"])
def test_reference_music_beats(reference, name):
    arrays = np.load(reference / "music_features.npz")
    audio = arrays[f"{name}/audio"]
    envelope = percussive_onset_envelope(audio, 15360)
    np.testing.assert_allclose(envelope, arrays[f"{name}/onset_env_percussive_60fps"], atol=1e-4)
    np.testing.assert_array_equal(music_beats(audio, 15360), arrays[f"{name}/beat_frames_60fps"])


@pytest.mark.parametrize("name", MOTIONS)
def test_reference_motion_beats(reference, name):
    joints = np.load(reference / "fk.npz")[f"{name}/joints"]
    expected = np.load(reference / "metrics_public.npz")
    speed = expected[f"{name}/kinetic_velocity_smoothed_60fps"]
    np.testing.assert_allclose(kinetic_speed(joints), speed, atol=1e-7)
    np.testing.assert_array_equal(kinetic_beats(joints), expected[f"{name}/motion_beats_60fps"])


def test_beats_are_cut_at_the_length_of_the_dance(reference):
    audio = np.load(reference / "music_features.npz")["fishin/audio"]
    beats = music_beats(audio, 15360)
    np.testing.assert_array_equal(music_beats(audio, 15360, n_frames=150), beats[beats < 150])


def test_clicks_are_beats():
    rng = np.random.default_rng(0)
    audio = 1e-4 * rng.standard_normal(8 * 30720)
    for start in range(0, len(audio) - 3000, 15360):
        audio[start : start + 600] += 0.3 * rng.standard_normal(600) * np.exp(-np.arange(600) / 120)
    beats = music_beats(audio, 30720)
    assert len(beats) >= 14
    assert (np.abs(beats - 30 * np.round(beats / 30)) <= 2).all()  # one each half second


def test_silence_has_no_beats():
    beats = music_beats(np.zeros(5 * 30720, np.float32), 30720)
    assert beats.shape == (0,) and beats.dtype == np.int64


def pausing(n_frames=240, period=40):
    """Return joints that all move along x and stand still every `period` frames of 30 fps."""
    speed = 1.0 - np.cos(2 * np.pi * np.arange(n_frames) / period)
    joints = np.zeros((n_frames, 24, 3))
    joints[:, :, 0] = 0.01 * np.cumsum(speed)[:, None]
    return joints


def test_a_dancer_who_pauses_has_beats_at_the_pauses():
    beats = kinetic_beats(pausing())
    np.testing.assert_allclose(beats, 80 * np.arange(1, 6), atol=2)  # 40 frames of 30 fps are 80 of 60


def test_beats_do_not_depend_on_where_the_dance_is_or_which_way_it_faces():
    joints = pausing()
    turned = joints[..., [1, 0, 2]] + np.array([3.0, -2.0, 1.0])
    np.testing.assert_array_equal(kinetic_beats(joints), kinetic_beats(turned))


def test_speed_keeps_its_mean_and_is_in_metres_a_frame():
    joints = np.zeros((100, 24, 3))
    joints[:, :, 1] = 0.03 * np.arange(100)[:, None]  # 0.9 m/s
    speed = kinetic_speed(joints)
    assert speed.shape == (199,)
    assert speed[60:140].mean() == pytest.approx(0.015, rel=0.01)


def test_only_twenty_seconds_count_unless_told():
    joints = pausing(900)
    assert len(kinetic_speed(joints)) == 1199
    assert len(kinetic_speed(joints, max_duration_s=None)) == 1799
    assert kinetic_beats(joints).max() < 1200 < kinetic_beats(joints, max_duration_s=None).max()


def test_sixty_fps_is_not_repeated():
    joints = np.repeat(pausing(), 2, axis=0)
    np.testing.assert_array_equal(kinetic_beats(joints, fps=60), kinetic_beats(pausing(), fps=30))


def test_standing_still_has_no_beats():
    assert len(kinetic_beats(np.ones((90, 24, 3)))) == 0
    assert len(kinetic_beats(np.ones((1, 24, 3)), fps=60)) == 0


@pytest.mark.parametrize("fps", [25, 120, 0, -30])
def test_frame_rates_that_do_not_divide_sixty_are_refused(fps):
    with pytest.raises(UserError, match="divides 60"):
        kinetic_beats(pausing(), fps=fps)


@pytest.mark.parametrize("shape", [(24, 3), (0, 24, 3), (10, 24, 2)])
def test_shapes_are_checked(shape):
    with pytest.raises(ValueError, match=r"joints \[T, J, 3\]"):
        kinetic_beats(np.zeros(shape))
