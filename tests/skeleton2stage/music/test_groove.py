"""Grooves: steady ones by arithmetic, dancers' ones by whether their music belongs to them."""

import tarfile

import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.motion.bvh import read_bvh
from skeleton2stage.motion.retarget.retarget import retarget
from skeleton2stage.music.beats import kinetic_beats, music_beats
from skeleton2stage.music.groove import (
    Groove,
    alignment,
    groove_from_motion,
    movement_accents,
    steady_groove,
    strongest_phase,
    track_beats,
    track_beats_at,
)
from skeleton2stage.music.percussion import SAMPLE_RATE_HZ, synthesise


def test_a_steady_groove_beats_at_its_tempo():
    groove = steady_groove(120.0, 3.0, meter=3, phase_s=0.25)
    np.testing.assert_allclose(groove.beats_s, [0.25, 0.75, 1.25, 1.75, 2.25, 2.75])
    assert groove.accents == (1.0, 0.8, 0.8, 1.0, 0.8, 0.8) and groove.downbeat == 0


def test_covering_continues_each_end_at_its_own_tempo():
    groove = Groove((1.0, 1.5, 2.2), (0.6, 0.8, 1.0), meter=3, downbeat=1)

    whole = groove.covering(4.0)

    np.testing.assert_allclose(whole.beats_s, [0.0, 0.5, 1.0, 1.5, 2.2, 2.9, 3.6, 4.3, 5.0])
    assert whole.accents[2:5] == groove.accents
    assert whole.accents[0] == whole.accents[-1] == pytest.approx(0.8)
    # The downbeat was at 1.5 s, so with a meter of 3 it is at 0 s too.
    assert whole.downbeat == 0


@pytest.mark.parametrize("duration_s", [0.5, 3.0, 7.3])
def test_covering_reaches_over_both_ends(duration_s):
    whole = Groove((0.9, 1.3), (1.0, 1.0)).covering(duration_s)
    assert whole.beats_s[0] <= 0.0 and whole.beats_s[-1] >= duration_s


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beats_s": (1.0,), "accents": (1.0,)}, "two beats or more"),
        ({"accents": (1.0,)}, "an accent for each"),
        ({"beats_s": (1.0, 0.5)}, "0.05 s apart"),
        ({"beats_s": (0.0, float("nan"))}, "finite"),
        ({"accents": (1.0, 1.1)}, "0 to 1"),
        ({"meter": 5}, r"one of \(3, 4\), not 5"),
        ({"downbeat": 4}, "0 to 3, not 4"),
        ({"swing": 0.6}, "0 to 0.5, not 0.6"),
    ],
)
def test_impossible_grooves_are_refused(changes, message):
    fields = {"beats_s": (0.0, 0.5), "accents": (1.0, 1.0)} | changes
    with pytest.raises(UserError, match=message):
        Groove(**fields)


def test_a_tempo_must_be_positive():
    with pytest.raises(UserError, match="above 0"):
        steady_groove(0.0, 5.0)


def test_alignment_is_the_score_of_a_beat_in_each_frame():
    score = alignment(np.array([3, 10]), 12)
    assert score[3] == score[10] == 1.0
    assert score[0] == pytest.approx(np.exp(-0.5))  # three frames, one σ, away
    assert score[6] == pytest.approx(np.exp(-0.5)) and score[7] == pytest.approx(np.exp(-0.5))
    assert not alignment(np.array([], dtype=int), 5).any()


def test_the_tracker_finds_even_beats_and_pays_nothing_for_them():
    truth = np.arange(12, 400, 36)
    frames, total = track_beats_at(alignment(truth, 400), 36.0)
    np.testing.assert_array_equal(frames, truth)
    assert total == pytest.approx(len(truth))


@pytest.mark.parametrize("period", [27, 33, 40, 44])
def test_the_tempo_is_found(period):
    truth = np.arange(9, 700, period)
    np.testing.assert_array_equal(track_beats(alignment(truth, 700)), truth)


def test_the_tracker_bends_to_a_dancer_but_not_to_one_far_beat():
    truth = np.array([20, 60, 101, 139, 180, 221, 259, 300])
    np.testing.assert_array_equal(track_beats_at(alignment(truth, 320), 40.0)[0], truth)
    strayed = np.array([20, 60, 100, 127, 180, 220, 260, 300])  # 13 of 40 frames early
    frames, _ = track_beats_at(alignment(strayed, 320), 40.0)
    assert 127 not in frames and np.abs(np.diff(frames) - 40).max() <= 3


def test_the_tracker_maximises_what_it_says():
    rng = np.random.default_rng(0)
    score = rng.random(90)
    frames, total = track_beats_at(score, 30.0)
    gaps = np.diff(frames)
    assert total == pytest.approx(score[frames].sum() - (20.0 * np.log(gaps / 30.0) ** 2).sum())
    # No other first, second and third beat do better.
    for first in range(30):
        for second in range(first + 22, min(first + 41, 90)):
            cost = 20.0 * np.log((second - first) / 30.0) ** 2
            assert second < 60 or score[first] + score[second] - cost <= total + 1e-9


def test_beats_are_louder_where_the_dancer_moves_more():
    speed = np.repeat([0.1, 0.5, 0.1, 0.9, 0.1, 0.5], 20)
    accents = movement_accents(speed, np.array([10, 30, 50, 70, 90, 110]))
    assert accents.min() >= 0.55 and accents.max() == 1.0
    assert accents[3] == 1.0 and accents[0] < 1.0


def test_the_bar_starts_on_the_loudest_phase():
    assert strongest_phase(np.array([0.6, 0.6, 1.0, 0.6, 0.6, 0.6, 0.9, 0.6]), 4) == 2
    assert strongest_phase(np.array([0.6, 0.9]), 4) == 1


def pausing(pauses_s, n_frames, fps=30):
    """Return joints that move along x and slow down at each of the pauses."""
    time_s = np.arange(n_frames) / fps
    speed = 1.0 - sum(0.95 * np.exp(-((time_s - pause) ** 2) / (2 * 0.1**2)) for pause in pauses_s)
    joints = np.zeros((n_frames, 24, 3))
    joints[:, :, 0] = 0.02 * np.cumsum(speed)[:, None]
    return joints


def test_a_dancers_groove_falls_on_the_pauses():
    pauses_s = np.array([0.5, 1.12, 1.7, 2.3, 2.93, 3.5, 4.1, 4.72, 5.3])
    groove = groove_from_motion(pausing(pauses_s, 180))
    beats_s = np.array(groove.beats_s)
    np.testing.assert_allclose(beats_s[beats_s < 5.5], pauses_s, atol=0.05)
    assert groove.pattern is None and groove.meter == 4


def test_a_still_dancer_gets_an_even_groove():
    groove = groove_from_motion(np.zeros((300, 24, 3)))
    intervals = np.diff(groove.beats_s)
    assert np.ptp(intervals) < 1e-3 and 60 / 140 <= intervals[0] <= 60 / 80


def test_a_clip_too_short_for_beats_is_refused():
    with pytest.raises(UserError, match="too short to find its beats"):
        groove_from_motion(np.zeros((30, 24, 3)))


def mean_alignment(music, movement):
    """Return the beat alignment score of music beats against kinetic beats (60-fps frames)."""
    return alignment(movement, max(music.max(), movement.max()) + 1)[music].mean()


def check_pair(joints, seed):
    duration_s = len(joints) / 30
    movement = kinetic_beats(joints, max_duration_s=None)
    groove = groove_from_motion(joints)
    paired = music_beats(synthesise(groove, duration_s, seed), SAMPLE_RATE_HZ)
    even = steady_groove(60 / np.median(np.diff(groove.beats_s)), duration_s)
    unpaired = mean_alignment(music_beats(synthesise(even, duration_s, seed), SAMPLE_RATE_HZ), movement)
    shifted = mean_alignment(paired[paired < 2 * len(joints) - 15] + 15, movement)
    assert mean_alignment(paired, movement) > 0.4
    assert mean_alignment(paired, movement) > 2 * max(unpaired, shifted)


def test_music_of_a_long_synthetic_motion_belongs_to_it(reference):
    check_pair(np.load(reference / "fk.npz")["synth06/joints"], seed=3)


def test_music_of_a_captured_dancer_belongs_to_them(shared_data, tmp_path):
    archive_path = shared_data / "cmu_dance.tar.xz"
    if not archive_path.is_file():
        pytest.skip(f"no mocap at {archive_path}")
    with tarfile.open(archive_path) as archive:
        clip = next(member for member in archive if member.isfile())  # one, since unpacking is slow
        archive.extract(clip, tmp_path, filter="data")
    motion, _ = retarget(read_bvh(tmp_path / clip.name))
    check_pair(motion.joints(), seed=1)
