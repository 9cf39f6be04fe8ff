"""What a motion itself tells of its up axis, scale, rate, sides and floor."""

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch
from motion_samples import dancing_motion

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.checks.assurance import assurances, said, step_scale
from skeleton2stage.motion.motion import Motion


def walking(n_frames=150, step_s=0.6, pace_mps=0.8):
    """Someone who walks along -y on level feet, each of which stays put while it carries, and is lifted otherwise."""
    t = np.arange(n_frames) / 30
    phase = (t / step_s) % 2
    reach = np.arcsin(pace_mps * step_s / 2 / 0.78)  # legs are 0.78 m from hip to ankle
    swing = np.where(phase < 1, 1 - 2 * phase, 2 * phase - 3) * reach
    poses = np.zeros((n_frames, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    for sign, hip, knee, ankle in ((1, 1, 4, 7), (-1, 2, 5, 8)):
        poses[:, hip, 0] = -sign * swing
        lifted = (phase >= 1) if sign == 1 else (phase < 1)
        poses[:, knee, 0] = np.where(lifted, 1.2 * np.sin(np.pi * (phase % 1)), 0)
        poses[:, hip, 0] -= 0.5 * poses[:, knee, 0]
        poses[:, ankle, 0] = -poses[:, hip, 0] - poses[:, knee, 0]
    motion = Motion(poses, np.stack([0 * t, -pace_mps * t, 0.95 + 0 * t], axis=1))
    lowest = motion.joints()[:, [10, 11], 2].min(axis=1)
    return replace(motion, translation=motion.translation - np.stack([0 * t, 0 * t, lowest - 0.02], axis=1))


def doubted(motion):
    return {one.name for one in assurances(motion) if one.doubtful}


def by_name(motion):
    return {one.name: one.told for one in assurances(motion)}


def test_a_walk_speaks_for_itself():
    motion = walking()
    assert doubted(motion) == set()
    factor, likeness, stepped_m = step_scale(motion.translation.astype(float), motion.joints().astype(float))
    assert factor == pytest.approx(1, abs=0.15) and likeness > 0.8 and stepped_m > 1


@pytest.mark.parametrize("factor", [0.01, 0.4, 2.5, 100])
def test_a_way_at_another_scale_does_not_fit_the_steps(factor):
    motion = walking()
    scaled = replace(motion, translation=motion.translation * np.array([factor, factor, 1], np.float32))
    assert doubted(scaled) == {"scale"}
    found = step_scale(scaled.translation.astype(float), scaled.joints().astype(float))[0]
    assert found == pytest.approx(1 / factor, rel=0.2)


def test_where_nobody_steps_the_scale_is_not_told():
    assert by_name(dancing_motion(120))["scale"].startswith("cannot be told")
    skating = replace(walking(), poses=np.repeat(walking().poses[:1], 150, axis=0))
    assert not {one.name: one for one in assurances(skating)}["left and right"].doubtful


def test_a_repeated_frame_rate_is_told():
    motion = walking()
    poses, translation = (np.repeat(array[::2], 2, axis=0) for array in (motion.poses, motion.translation))
    halved = replace(motion, poses=poses, translation=translation)
    assert doubted(halved) == {"rate"} and "50 % of frames repeat" in by_name(halved)["rate"]


def test_exchanged_sides_point_backwards():
    """Left and right exchanged by name: the legs are each other's, turned half about, so that they reach them."""
    motion = walking()
    half = roma.rotvec_to_rotmat(torch.tensor([0.0, np.pi, 0.0], dtype=torch.float64))
    poses = motion.poses.astype(np.float64).copy()
    root = roma.rotvec_to_rotmat(torch.from_numpy(poses[:, 0])) @ half
    poses[:, 0] = roma.rotmat_to_rotvec(root).numpy()
    for hip in (1, 2):
        legs = half.T @ roma.rotvec_to_rotmat(torch.from_numpy(poses[:, hip]))
        poses[:, hip] = roma.rotmat_to_rotvec(legs @ half @ half.T).numpy()
    assert "left and right" in doubted(replace(motion, poses=poses))


def test_up_and_floor():
    lying = replace(walking(), poses=np.where(np.arange(24)[:, None] == 0, 0.0, walking().poses))
    assert {"up"} <= doubted(lying)
    climbing = walking()
    climbing = replace(climbing, translation=climbing.translation + np.linspace([0, 0, 0], [0, 0, 2], 150))
    assert "floor" in doubted(climbing)
    assert "floor DOUBTFUL: " in said(assurances(climbing)) and "; rate: falls at" in said(assurances(climbing))
    assert skeleton.N_JOINTS == 24
