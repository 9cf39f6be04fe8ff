"""Editing: what is given is kept exactly, what is made goes on from it without a jump."""

import numpy as np
import pytest
import roma
import torch

from dance_model.dance_music import DanceMusic
from dance_model.dance_policy import RolloutOptions
from dance_model.diffusion_policy import as_policy
from dance_model.sampling.dances import Refinements, dance
from dance_model.sampling.editing import (
    Constraint,
    Joins,
    bent_positions,
    bent_rotations,
    given_windows,
    placed,
)
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion


def walk(n_frames=150, at=(3.0, -2.0)):
    """Upright, walking along x at 0.6 m/s, swinging the left arm."""
    poses = np.zeros((n_frames, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 1] = 0.08 * np.sin(np.arange(n_frames) / 10.0)
    x = at[0] + 0.0005 * np.arange(n_frames)
    return Motion(poses, np.stack((x, np.full(n_frames, at[1]), np.full(n_frames, 0.95)), axis=1))


def keep(motion, frames, joints=slice(None), root=True):
    held = np.zeros(len(motion), dtype=bool)
    held[frames] = True
    chosen = np.zeros((len(motion), 24), dtype=bool)
    chosen[:, joints] = held[:, None]
    return Constraint(motion, chosen, held & root)


def danced(model, constraint, n_windows=1):
    windows = torch.randn(n_windows, 150, 35, generator=torch.Generator().manual_seed(0))
    music = [DanceMusic("m", windows, 75 * (n_windows + 1))]
    return dance(as_policy(model, RolloutOptions(n_steps=4)), music, 0, Refinements(keep=constraint))[0]


@pytest.mark.parametrize("n_windows", [1, 3])
def test_the_given_ends_are_kept_where_they_were(tiny_model, n_windows):
    motion = walk(75 * (n_windows + 1))
    held = np.r_[0:30, len(motion) - 30 : len(motion)]
    made = danced(tiny_model, keep(motion, held), n_windows)
    assert len(made) == len(motion)
    np.testing.assert_array_equal(made.poses[held], motion.poses[held])
    np.testing.assert_array_equal(made.translation[held], motion.translation[held])
    assert np.abs(made.translation[30:120, :2] - motion.translation[30:120, :2]).max() < 1.0  # not around the origin


def test_given_joints_are_kept_and_the_others_danced(tiny_model):
    motion = walk()
    made = danced(tiny_model, keep(motion, slice(None), joints=[16, 18], root=False))
    np.testing.assert_array_equal(made.poses[:, [16, 18]], motion.poses[:, [16, 18]])
    assert np.abs(made.poses[:, 17] - motion.poses[:, 17]).max() > 0.01
    assert np.abs(made.translation[:, 0]).max() < 1.0


def joined(values, kept, made):
    """Values of one channel, [T]: given where kept, `made` elsewhere, bent."""
    kept = torch.tensor(kept)
    x = torch.where(kept, torch.tensor(values), torch.tensor(made))
    return bent_positions(x[None, :, None], Joins.of(kept[None, :, None]))[0, :, 0]


def test_a_jump_at_the_join_is_taken_out_and_far_frames_are_left_alone():
    """Given 0.4 standing still, the model says 0: the made frames begin at 0.4 and come to 0 within half a second."""
    made = joined([0.4] * 50, [True] * 10 + [False] * 40, 0.0)
    assert made[:11].tolist() == pytest.approx([0.4] * 11)
    assert made.diff().abs().max() < 0.06
    assert made[26:].abs().max() < 1e-6


def test_the_join_goes_on_at_the_given_speed():
    """Given moves by 0.02 a frame, the model by 0: the speed comes down over half a second, without a kink."""
    made = joined([0.02 * i for i in range(50)], [True] * 10 + [False] * 40, 0.0)
    assert (made[10] - made[9]).item() == pytest.approx(0.02, abs=1e-6)
    assert made.diff(n=2).abs().max() < 0.01
    assert made[26:].abs().max() < 1e-6


@pytest.mark.parametrize(("gap", "most"), [(1, 0.301), (2, 0.201), (5, 0.6), (40, 0.15)])
def test_between_two_given_ends_nothing_jumps(gap, most):
    """From 0.3 to -0.3 where the model says 0.9; a gap of up to three frames is crossed in a straight line."""
    values, kept = [0.3] * (10 + gap) + [-0.3] * 10, [True] * 10 + [False] * gap + [True] * 10
    made = joined(values, kept, 0.9)
    assert made[:10].tolist() == pytest.approx([0.3] * 10)
    assert made[10 + gap :].tolist() == pytest.approx([-0.3] * 10)
    assert made.diff().abs().max() < most


def about_x(degrees):
    angle = torch.deg2rad(torch.tensor(degrees))
    return roma.rotvec_to_rotmat(torch.stack((angle, torch.zeros_like(angle), torch.zeros_like(angle)), dim=-1))


@pytest.mark.parametrize("offset", [30.0, 170.0])
def test_rotations_go_round_even_a_half_turn(offset):
    """Given turning by 1 degree a frame, made still and elsewhere: no frame turns more than the way asks for."""
    degrees = [float(i) for i in range(20)] + [19.0 + offset] * 40
    kept = torch.tensor([True] * 20 + [False] * 40)[None, :, None]
    made = bent_rotations(about_x(degrees)[None, :, None], Joins.of(kept))[0, :, 0]
    turned = roma.rotmat_to_rotvec(made[1:] @ made[:-1].transpose(-1, -2))
    assert turned[:19, 0].tolist() == pytest.approx([np.deg2rad(1.0)] * 19, abs=1e-5)
    assert turned[19, 0].item() == pytest.approx(np.deg2rad(1.0), abs=1e-4)
    assert torch.rad2deg(turned.norm(dim=-1)).max() < 1.6 * offset / 15 + 2.0
    torch.testing.assert_close(made[40:], about_x(degrees)[40:], atol=1e-5, rtol=0)


def test_a_short_gap_of_rotations_is_crossed_evenly():
    kept = torch.tensor([True] * 5 + [False] * 2 + [True] * 5)[None, :, None]
    turns = about_x([0.0] * 5 + [120.0] * 2 + [30.0] * 5)[None, :, None]
    made = bent_rotations(turns, Joins.of(kept))[0, :, 0]
    torch.testing.assert_close(made[5:7], about_x([10.0, 20.0]), atol=1e-5, rtol=0)


def test_windows_see_their_own_frames(tiny_model):
    motion = walk(225)
    given = given_windows(keep(motion, slice(100, 225)), tiny_model, 2)
    assert given.values.shape == given.kept.shape == (2, 150, 151)
    assert given.kept[0].any(dim=1).nonzero().flatten().tolist() == list(range(100, 150))
    assert given.kept[1].all(dim=1).nonzero().flatten().tolist() == list(range(25, 150))
    torch.testing.assert_close(given.values[0, 75:], given.values[1, :75])
    assert given.values[0, 100, 4].item() == pytest.approx(tiny_model.scaler.minimum[4].item(), abs=1e-4)  # the origin


def test_what_cannot_be_is_explained(tiny_model):
    with pytest.raises(UserError, match="lasts 200 frames and the dance 150"):
        given_windows(keep(walk(200), slice(None)), tiny_model, 1)
    with pytest.raises(UserError, match="keeps nothing"):
        keep(walk(), slice(0, 0))
    with pytest.raises(UserError, match=r"needs masks \[150, 24\]"):
        Constraint(walk(), np.ones((10, 24), dtype=bool), np.ones(150, dtype=bool))
    with pytest.raises(UserError, match="foot_lock=true moves"):
        Refinements(foot_lock=True, keep=keep(walk(), slice(None)))


def test_a_dance_longer_or_shorter_than_its_constraint_is_placed():
    motion = walk()
    made = Motion(np.zeros((60, 24, 3)), np.zeros((60, 3)))
    moved = placed(made, keep(motion, slice(0, 90)))
    assert len(moved) == 60
    np.testing.assert_array_equal(moved.translation, motion.translation[:60])
