"""Glitches of a capture: what is one, what is not, and what stands in its place."""

import numpy as np
import pytest
import roma
import torch

from skeleton2stage.motion.retarget.glitches import (
    GLITCH_POSITION_M,
    GLITCH_ROTATION_RAD,
    bridged_rotations,
    continuous,
    position_deviation,
    rotation_deviation,
    without_glitches,
)
from skeleton2stage.motion.retarget.guide import TARGETS, Guide
from skeleton2stage.motion.rotations import slerp

T, FPS = 80, 60.0
GLITCH = slice(40, 43)


def turned(angles: np.ndarray, axis: tuple[float, float, float] = (0.0, 1.0, 0.0)) -> torch.Tensor:
    """Rotations [T, 1, 3, 3] about an axis."""
    return roma.rotvec_to_rotmat(torch.from_numpy(np.asarray(angles))[:, None, None] * torch.tensor(axis).double())


def still(rotmat: torch.Tensor | None = None, points: np.ndarray | None = None) -> Guide:
    """A guide of a body at rest, one rotation (the first joint's) or one target (the first) its own."""
    rotmat_w = torch.eye(3, dtype=torch.float64).repeat(T, 24, 1, 1)
    targets = torch.zeros(T, len(TARGETS), 3, dtype=torch.float64)
    if rotmat is not None:
        rotmat_w[:, :1] = rotmat
    if points is not None:
        targets[:, 0] = torch.from_numpy(points)
    return Guide(rotmat_w, targets, "zero pose")


@pytest.mark.parametrize("angle", [0.2, 1.0, 3.0])
def test_a_flip_is_as_large_as_it_turns(angle):
    angles = np.zeros(T)
    angles[GLITCH] = angle
    deviation = rotation_deviation(turned(angles), 5)[:, 0]
    assert deviation[GLITCH] == pytest.approx([angle] * 3) and np.delete(deviation, np.r_[GLITCH]).max() < 1e-6


@pytest.mark.parametrize("reach", [1, 3, 11, 30])
def test_a_steady_spin_is_none_at_any_reach(reach):
    deviation = rotation_deviation(turned(np.arange(T) * 0.08), reach)[:, 0]
    assert deviation[reach:-reach].max() < 1e-6


def test_deviations_know_no_directions_and_no_units_of_frames():
    """The world turned by anything, frames the other way round: the same."""
    generator = torch.Generator().manual_seed(0)
    rotmat = turned(np.cumsum(0.2 * torch.randn(T, generator=generator).numpy()))
    world = roma.rotvec_to_rotmat(torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64))
    expected = rotation_deviation(rotmat, 5)
    np.testing.assert_allclose(rotation_deviation(world @ rotmat, 5), expected, atol=1e-6)
    np.testing.assert_allclose(rotation_deviation(rotmat.flip(0), 5)[::-1], expected, atol=1e-6)


def test_a_point_on_a_cubic_is_where_it_should_be_and_one_off_it_as_far_as_it_is():
    time = np.linspace(-1, 1, T)[:, None, None]
    points = np.array([1.0, 2.0, -1.0]) * time**3 + np.array([0.0, -3.0, 0.5]) * time**2 + 4.0 * time
    assert position_deviation(points, 11)[22:-22].max() < 1e-12
    points[GLITCH] += np.array([0.0, 0.3, 0.4])
    deviation = position_deviation(points, 11)[:, 0]
    assert deviation[GLITCH] == pytest.approx([0.5] * 3, abs=0.02)
    assert np.delete(deviation, np.r_[GLITCH])[22:-22].max() < 0.1


def test_a_single_frame_deviates_from_nothing():
    assert position_deviation(np.ones((1, 4, 3)), 5).tolist() == [[0.0] * 4]
    assert rotation_deviation(turned(np.ones(1)), 5).tolist() == [[0.0]]


def test_signs_follow_the_frame_before():
    quat = roma.rotvec_to_unitquat(torch.linspace(0, 20, T)[:, None, None] * torch.tensor([0.0, 0.6, 0.8])).double()
    generator = torch.Generator().manual_seed(0)
    signs = torch.where(torch.rand(T, 1, 1, generator=generator) < 0.5, -1.0, 1.0).double()
    signs[0] = 1.0
    torch.testing.assert_close(continuous(quat * signs), continuous(quat))
    assert continuous(quat * signs).diff(dim=0).norm(dim=-1).max() < 0.2


def test_bad_frames_are_bridged_evenly_from_good_ones():
    """Frames 40 to 42 are bad, and with them one on either side: from 39's neighbours, by sixths of the way."""
    angles = np.where(np.arange(T) < 41, 0.0, 0.6)
    rotmat = turned(angles)
    rotmat[GLITCH] = turned(np.full(3, 3.0))
    bad = np.zeros((T, 1), dtype=bool)
    bad[GLITCH] = True
    bridged = roma.unitquat_to_rotmat(bridged_rotations(roma.rotmat_to_unitquat(rotmat), bad))[:, 0]
    first, last = turned([0.0])[0, 0], turned([0.6])[0, 0]
    for step, frame in enumerate(range(39, 44), start=1):
        torch.testing.assert_close(bridged[frame], slerp(first, last, step / 6), atol=2e-3, rtol=0)
    torch.testing.assert_close(bridged[:39], rotmat[:39, 0])
    torch.testing.assert_close(bridged[44:], rotmat[44:, 0])


def test_what_is_bad_throughout_stays():
    quat = roma.rotmat_to_unitquat(turned(np.linspace(0, 1, T)))
    torch.testing.assert_close(bridged_rotations(quat, np.ones((T, 1), dtype=bool)), quat)


@pytest.mark.parametrize(("factor", "n_bad"), [(0.98, 0), (1.02, 3)])
def test_from_which_size_on_a_turn_or_a_leap_is_a_glitch(factor, n_bad):
    assert (GLITCH_ROTATION_RAD, GLITCH_POSITION_M) == (0.35, 0.12)
    angles, points = np.zeros(T), np.zeros((T, 3))
    angles[GLITCH], points[GLITCH, 2] = factor * 0.35, factor * 0.12
    for guide in (still(rotmat=turned(angles)), still(points=points)):
        cleaned, bad = without_glitches(guide, FPS)
        assert np.flatnonzero(bad).tolist() == [40, 41, 42][:n_bad]
        left = (cleaned.rotmat_w - torch.eye(3)).abs().max() + cleaned.targets_w.abs().max()
        assert (left < 1e-9) == bool(n_bad)
        assert cleaned.rest_pose == "zero pose"


@pytest.mark.parametrize("fps", [30.0, 60.0, 120.0])
def test_what_lasts_longer_than_a_moment_is_movement_at_any_rate(fps):
    """A fifteenth of a second is a glitch, a third of one is held for what the body did."""
    for length_s, is_glitch in ((1 / 15, True), (1 / 3, False)):
        angles = np.zeros(T)
        angles[30 : 30 + max(1, round(length_s * fps))] = 1.2
        _, bad = without_glitches(still(rotmat=turned(angles)), fps)
        assert bad[30 + round(length_s * fps / 2) - (1 if is_glitch else 0)] == is_glitch


def test_a_glitch_that_ends_on_the_other_sign_is_bridged_all_the_same():
    """A quaternion and its negative are one rotation: good frames after the glitch may have either."""
    rotmat = turned(np.linspace(0.0, 0.8, T))
    quat = roma.rotmat_to_unitquat(rotmat)
    flipped = quat.clone()
    flipped[43:] *= -1.0
    bad = np.zeros((T, 1), dtype=bool)
    bad[GLITCH] = True
    bridged = roma.unitquat_to_rotmat(bridged_rotations(flipped, bad))
    torch.testing.assert_close(bridged, rotmat, atol=1e-3, rtol=0)


def test_what_was_given_is_not_written_to():
    angles, points = np.zeros(T), np.zeros((T, 3))
    angles[GLITCH], points[GLITCH] = 2.0, 0.5
    guide = still(turned(angles), points)
    rotmat, targets = guide.rotmat_w.clone(), guide.targets_w.clone()
    without_glitches(guide, FPS)
    assert torch.equal(guide.rotmat_w, rotmat) and torch.equal(guide.targets_w, targets)
