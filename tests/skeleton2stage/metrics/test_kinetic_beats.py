"""Batched beats in torch against the numpy functions that metrics use."""

import numpy as np
import pytest
import torch

from skeleton2stage.metrics import kinetic_beats as module
from skeleton2stage.metrics.beat_alignment import bas
from skeleton2stage.metrics.kinetic_beats import (
    batched_bas,
    beat_alignment_frames,
    beat_scores,
    kinetic_beats,
    kinetic_speed,
)
from skeleton2stage.music import beats as numpy_beats


def _random_dances(n=16, frames=150, seed=0):
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randn(n, frames, 24, 3, generator=generator)
    tempo = 0.01 * (1.2 + torch.sin(torch.linspace(0, 40, frames)[None] * torch.rand(n, 1, generator=generator)))
    return (steps * tempo[..., None, None]).cumsum(dim=1)


@pytest.mark.parametrize("frames", [3, 7, 30, 150])
def test_speed_and_beats_are_those_of_numpy(frames):
    joints = _random_dances(frames=frames)
    for i, dance in enumerate(joints.numpy()):
        np.testing.assert_allclose(kinetic_speed(joints)[i], numpy_beats.kinetic_speed(dance), rtol=1e-12)
        found = torch.nonzero(kinetic_beats(joints)[i])[:, 0]
        np.testing.assert_array_equal(found, numpy_beats.kinetic_beats(dance))


def test_beats_of_public_motions(public_arrays, public_joints):
    for name, joints in public_joints.items():
        found = torch.nonzero(kinetic_beats(joints))[:, 0]
        np.testing.assert_array_equal(found, public_arrays[f"{name}/motion_beats_60fps"], err_msg=name)


def test_alignment_is_the_metrics():
    joints = _random_dances(seed=1)
    music = torch.rand(16, 150, generator=torch.Generator().manual_seed(2)) < 0.06
    expected = [
        bas(2 * np.flatnonzero(marks), numpy_beats.kinetic_beats(dance))
        for marks, dance in zip(music.numpy(), joints.numpy(), strict=True)
    ]
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(batched_bas(music, joints), expected, rtol=1e-12)


def test_scores_by_hand(monkeypatch):
    marks = torch.zeros(2, 23, dtype=torch.bool)
    marks[0, [3, 10]] = True
    monkeypatch.setattr(module, "kinetic_beats", lambda joints: marks)
    distances = [3, 1, 1, 3, 2, 0, 2, 4, 6, 8, 10, 12]  # of frames 0, 2, ... 22 at 60 a second to 3 or 10
    expected = [np.exp(-(d**2) / 18) for d in distances]
    scores = beat_scores(torch.zeros(2, 12, 24, 3))
    np.testing.assert_allclose(scores[0], expected)
    assert not scores[1].any()


def test_each_frame_gets_the_score_of_its_nearest_music_beat():
    joints = _random_dances(n=2, frames=12, seed=3)
    music = torch.zeros(2, 12, dtype=torch.bool)
    music[0, [2, 6, 11]] = True
    scores = beat_scores(joints)[0]
    # Frame 4 is two frames from both 2 and 6: the earlier counts.
    nearest = [2, 2, 2, 2, 2, 6, 6, 6, 6, 11, 11, 11]
    framed = beat_alignment_frames(music, joints)
    torch.testing.assert_close(framed[0], scores[nearest])
    assert len(set(framed[0].tolist())) == 3


def test_without_beats_in_the_music_there_is_no_signal_and_no_alignment():
    joints = _random_dances(n=2, frames=30)
    music = torch.zeros(2, 30, dtype=torch.bool)
    music[1, 10] = True
    framed = beat_alignment_frames(music, joints)
    assert not framed[0].any() and framed[1].all()
    assert torch.isnan(batched_bas(music, joints)).tolist() == [True, False]


def test_a_statue_has_no_beats_and_scores_nothing():
    still = torch.ones(1, 30, 24, 3)
    music = torch.zeros(1, 30, dtype=torch.bool)
    music[0, 10] = True
    assert not kinetic_beats(still).any()
    assert float(batched_bas(music, still)) == 0.0
