import math

import numpy as np
import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation.reference_motions import lowest_vertex_height, reference_frames, reference_motions


def turning(n: int, rate: float) -> Motion:
    """Walking along x at 0.6 m/s while the left elbow bends at `rate` rad/s."""
    poses = np.zeros((n, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = math.pi / 2
    poses[:, 18, 1] = rate * np.arange(n) / 30.0
    translation = np.zeros((n, 3), dtype=np.float32)
    translation[:, 0] = 0.6 * np.arange(n) / 30.0
    translation[:, 2] = 1.3
    return Motion(poses, translation)


def test_velocities_are_forward_differences(humanoid):
    frames = reference_frames(turning(10, 1.5), humanoid, None)
    torch.testing.assert_close(frames.root_lin_vel_w, torch.tensor([0.6, 0.0, 0.0]).expand(10, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(frames.ang_vel_local[:, 18, 1], torch.full((10,), 1.5), atol=1e-3, rtol=0)
    assert frames.ang_vel_local[:, :18].abs().max() < 1e-3


def test_the_lowest_vertex_of_the_first_frame_touches_the_floor(humanoid):
    frames = reference_frames(turning(10, 0.0), humanoid, None)
    heights = lowest_vertex_height(frames.pos_w, frames.quat_w, humanoid.hull_vertices)
    torch.testing.assert_close(heights, torch.zeros(10), atol=1e-5, rtol=0)


def test_a_percentile_puts_the_floor_among_the_feet(humanoid):
    motion = turning(11, 0.0)
    motion.translation[:, 2] += np.linspace(0.0, 0.1, 11, dtype=np.float32)
    frames = reference_frames(motion, humanoid, 50.0)
    heights = lowest_vertex_height(frames.pos_w, frames.quat_w, humanoid.hull_vertices)
    assert heights[5].item() == pytest.approx(0.0, abs=1e-5)
    assert heights[0].item() == pytest.approx(-0.05, abs=1e-5)


def test_hands_are_still(humanoid):
    motion = turning(5, 0.0)
    motion.poses[:, 22:] = 0.7
    quat = reference_frames(motion, humanoid, None).quat_local[:, 22:]
    assert torch.equal(quat, torch.tensor([1.0, 0, 0, 0]).expand_as(quat))


def test_clips_lie_end_to_end(humanoid):
    motions = reference_motions([turning(7, 0.0), turning(4, 1.0)], humanoid)
    assert motions.start.tolist() == [0, 7] and motions.length.tolist() == [7, 4]
    assert len(motions) == 2 and len(motions.frames.pos_w) == 11


@pytest.mark.parametrize("percentile", [None, 30.0])
def test_clips_of_any_lengths_are_prepared_as_if_alone(humanoid, percentile):
    """Neither velocities, accelerations nor the floor know of the clips beside."""
    clips = [turning(7, 0.4), turning(2, -1.0).shifted(np.array([3.0, 1.0, 5.0])), turning(30, 2.0), turning(4, 0.0)]
    for clip in clips:
        clip.translation[:, 2] += 0.05 * np.sin(np.arange(len(clip)))
    together = reference_motions(clips, humanoid, percentile)
    alone = [vars(reference_frames(clip, humanoid, percentile)) for clip in clips]
    for name, value in vars(together.frames).items():
        torch.testing.assert_close(value, torch.cat([frames[name] for frames in alone]), atol=1e-5, rtol=1e-4)


def test_a_percentile_is_numpys(humanoid):
    motion = turning(14, 0.0)
    motion.translation[:, 2] += np.random.default_rng(0).uniform(0.0, 0.2, 14).astype(np.float32)
    placed = reference_frames(motion, humanoid, 37.0)
    heights = lowest_vertex_height(placed.pos_w, placed.quat_w, humanoid.hull_vertices)
    assert np.percentile(heights.numpy(), 37.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.gpu
def test_a_gpu_prepares_the_same(humanoid):
    clips = [turning(30, 2.0), turning(4, 0.0)]
    there = reference_motions(clips, humanoid, 30.0, device="cuda")
    assert there.start.device.type == "cuda"
    for name, value in vars(reference_motions(clips, humanoid, 30.0).frames).items():
        torch.testing.assert_close(getattr(there.frames, name).cpu(), value, atol=1e-4, rtol=1e-3)


def test_what_cannot_be_imitated_is_refused(humanoid):
    with pytest.raises(UserError, match="30 frames a second; this motion has 60"):
        reference_frames(Motion(turning(5, 0).poses, turning(5, 0).translation, fps=60.0), humanoid, None)
    with pytest.raises(UserError, match="at least 2 frames"):
        reference_frames(turning(1, 0), humanoid, None)
