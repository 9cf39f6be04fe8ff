from dataclasses import replace

import numpy as np
import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.axes import read_axes
from skeleton2stage.physics.axes.read_axes import AXES


def swaying(n: int, seed: int) -> Motion:
    generator = np.random.default_rng(seed)
    time = np.arange(n)[:, None, None] / 30.0
    poses = 0.4 * np.sin(generator.uniform(1, 6, (24, 3)) * time + generator.uniform(0, 6, (24, 3)))
    poses[:, 0] += (np.pi / 2, 0.0, 0.0)
    return Motion(poses, np.tile([0.3, -2.0, 0.95], (n, 1)))


def test_motions_of_several_lengths_read_as_each_alone(reader):
    motions = [swaying(40, 0), swaying(25, 1), swaying(40, 2)]
    together = reader.read_motions(motions)
    for motion, readings in zip(motions, together, strict=True):
        alone = reader.read_motions([motion])[0]
        assert tuple(readings) == AXES
        for name in AXES:
            assert readings[name].value.shape == (1, len(motion), 24)
            torch.testing.assert_close(readings[name].value, alone[name].value, atol=0.3, rtol=0.02)
            assert readings[name].share.min() >= 0 and readings[name].share.max() <= 1


def test_chunks_change_nothing(reader, monkeypatch):
    motions = [swaying(30, seed) for seed in range(5)]
    poses = torch.stack([torch.from_numpy(motion.poses) for motion in motions])
    moved = torch.stack([torch.from_numpy(motion.translation) for motion in motions])
    whole = reader.read(poses, moved)
    monkeypatch.setattr(read_axes, "CPU_CHUNK_FRAMES", 60)
    parts = reader.read(poses, moved)
    for name in AXES:
        torch.testing.assert_close(parts[name].value, whole[name].value, atol=0.3, rtol=0.02)


@pytest.mark.parametrize("lift_m", [0.0, 0.6])
def test_windows_of_a_long_motion_change_nothing(reader, monkeypatch, lift_m):
    """Neither figures nor, of a motion off the floor, where the floor is taken to be: by the whole, not by a window."""
    motions = [swaying(260, seed) for seed in range(2)]
    poses = torch.stack([torch.from_numpy(motion.poses) for motion in motions])
    moved = torch.stack([torch.from_numpy(motion.translation) for motion in motions])
    moved[..., 2] += lift_m + 0.1 * torch.linspace(0, 1, 260)
    whole = reader.read(poses, moved)
    monkeypatch.setattr(read_axes, "CPU_CHUNK_FRAMES", 70)
    windows = reader.read(poses, moved)
    for name in AXES:
        tight = name in read_axes.KINEMATIC or name == "sink"
        tolerance = {"atol": 1e-3, "rtol": 1e-4} if tight else {"atol": 0.3, "rtol": 0.02}
        torch.testing.assert_close(windows[name].value, whole[name].value, **tolerance)
        torch.testing.assert_close(windows[name].soundness, whole[name].soundness, atol=2e-3, rtol=0)


def test_what_cannot_be_read_is_told(reader):
    with pytest.raises(UserError, match="30 frames a second"):
        reader.read_motions([replace(swaying(30, 0), fps=60.0)])
    with pytest.raises(UserError, match="at least 4 frames, not 3"):
        reader.read_motions([swaying(3, 0)])
    with pytest.raises(ValueError, match="expected poses"):
        reader.read(torch.zeros(1, 9, 22, 3), torch.zeros(1, 9, 3))


@pytest.mark.parametrize("turn", [0.0, 1.3])
def test_axes_know_no_directions(reader, turn):
    """Turned about the vertical and moved, a motion reads the same."""
    import roma

    motion = swaying(40, 3)
    about = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, turn]))
    poses = torch.from_numpy(motion.poses).clone()
    poses[:, 0] = roma.rotmat_to_rotvec(about @ roma.rotvec_to_rotmat(poses[:, 0]))
    moved = torch.from_numpy(motion.translation) @ about.T + torch.tensor([2.0, 1.0, 0.0])
    one, other = reader.read_motions([motion])[0], reader.read(poses[None], moved[None])
    for name in AXES:
        assert other[name].soundness.item() == pytest.approx(one[name].soundness.item(), abs=0.01), name
