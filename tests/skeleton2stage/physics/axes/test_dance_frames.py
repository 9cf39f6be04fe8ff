"""Smoothing, differences and the floor, against scipy and by hand."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.axes.dance_frames import dance_frames, floor_heights, highest_around, smoothed
from skeleton2stage.physics.quaternions import quat_multiply, quat_to_rotvec, rotvec_to_quat

FPS = 30.0


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("sigma", [0.7, 1.5, 2.0])
@pytest.mark.parametrize("tail", [(), (3,), (24, 3)])
def test_smoothing_is_scipys_gaussian_with_ends_continued(sigma, tail):
    values = noise(2, 25, *tail)
    expected = gaussian_filter1d(values.numpy(), sigma, axis=1, mode="nearest", radius=int(np.ceil(3.0 * sigma)))
    np.testing.assert_allclose(smoothed(values, sigma), expected, atol=1e-12)


def test_no_smoothing_changes_nothing_and_a_constant_stays_itself():
    values = noise(2, 25, 3)
    assert smoothed(values, 0.0) is values
    torch.testing.assert_close(smoothed(torch.full((1, 9), 3.0), 1.5), torch.full((1, 9), 3.0))


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_the_highest_around_a_frame_is_scipys_maximum_filter(frames):
    values = noise(3, 20)
    expected = maximum_filter1d(values.numpy(), 2 * frames + 1, axis=1, mode="nearest")
    np.testing.assert_array_equal(highest_around(values, frames), expected)


def test_a_motion_reads_as_itself_beside_others(stand, humanoid):
    """Frames of two motions at once are those of each, and a slice of them is the one."""
    one, other = stand(np.zeros(12)), stand(0.01 * np.arange(12) ** 2, 0.3)
    both = dance_frames(torch.stack((one[0], other[0])), torch.stack((one[1], other[1])), humanoid)
    alone = dance_frames(other[0][None], other[1][None], humanoid)
    assert both.shape == (2, 12) and both[1:].shape == (1, 12)
    for name in ("pos_w", "quat_w", "step_vel_local", "root_acc_w", "ang_vel_local", "ang_acc_local", "floor_m"):
        torch.testing.assert_close(getattr(both[1:], name), getattr(alone, name), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 1.5])
def test_velocities_and_accelerations_of_a_parabola_and_a_spin(stand, frames_of, smoothing):
    """The pelvis gains 3 m/s^2 along y; the head turns about its bone at a speed that grows by 6 rad/s^2."""
    poses, pelvis = stand(np.zeros(40))
    time = torch.arange(40) / FPS
    pelvis[:, 1] += 0.5 * 3.0 * time**2
    head = skeleton.joint_index("head")
    poses[:, head, 1] = 0.5 * 6.0 * time**2
    frames = frames_of((poses, pelvis), smoothing)
    inner = slice(8, -8)
    expected = torch.tensor([0.0, 3.0, 0.0]).expand(1, 24, 3)
    torch.testing.assert_close(frames.root_acc_w[:, inner], expected, atol=2e-2, rtol=0)
    torch.testing.assert_close(frames.ang_vel_local[0, inner, head, 1], (6.0 * time)[inner], atol=1e-3, rtol=0)
    torch.testing.assert_close(frames.ang_acc_local[0, inner, head, 1], torch.full((24,), 6.0), atol=2e-2, rtol=0)
    steps = frames.step_vel_local[0, :, head, 1]  # never smoothed
    torch.testing.assert_close(steps, 6.0 * (time[1:] + time[:-1]) / 2, atol=2e-3, rtol=0)


def test_differences_are_central_and_at_the_ends_those_next_to_them(stand, frames_of):
    """A step of 3 cm between frames 5 and 6: seen at both of them by half, as acceleration forth and back."""
    poses, pelvis = stand(np.zeros(12))
    pelvis[6:, 0] += 0.03
    acceleration = frames_of((poses, pelvis), 0.0).root_acc_w[0, :, 0]
    expected = torch.zeros(12)
    expected[5], expected[6] = 0.03 * FPS**2, -0.03 * FPS**2
    torch.testing.assert_close(acceleration, expected, atol=1e-2, rtol=0)
    poses, pelvis = stand(np.zeros(12))
    pelvis[0, 0] -= 0.03  # from the first frame to the second
    acceleration = frames_of((poses, pelvis), 0.0).root_acc_w[0, :, 0]
    torch.testing.assert_close(acceleration[:3], torch.tensor([-27.0, -27.0, 0.0]), atol=1e-2, rtol=0)


def test_the_acceleration_is_the_pelvis_own_and_not_that_of_what_swings_about_it(stand, frames_of):
    """A body that turns in place ever faster: its hips go round the pelvis, which stays."""
    poses, pelvis = stand(np.zeros(20))
    turn = rotvec_to_quat(torch.tensor([0.0, 0.0, 1.0]) * (torch.arange(20) / 10.0)[:, None] ** 2)
    poses[:, 0] = quat_to_rotvec(quat_multiply(turn, rotvec_to_quat(poses[:, 0])))
    frames = frames_of((poses, pelvis))
    assert frames.root_acc_w.abs().max() < 1e-2
    assert frames.pos_w[0, :, 1].diff(dim=0).norm(dim=-1).max() > 0.01


def test_the_turn_rate_of_a_frame_is_the_mean_of_the_steps_beside_it(stand, frames_of):
    poses, pelvis = stand(np.zeros(12))
    head = skeleton.joint_index("head")
    poses[6:, head, 1] = 0.1
    rate = frames_of((poses, pelvis), 0.0).ang_vel_local[0, :, head, 1]
    expected = torch.zeros(12)
    expected[5:7] = 0.5 * 0.1 * FPS
    torch.testing.assert_close(rate, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(("height", "floor"), [(0.0, 0.0), (0.099, 0.0), (-0.099, 0.0), (0.105, 0.105), (-0.4, -0.4)])
def test_within_ten_centimetres_a_motion_stands_on_the_floor_that_it_declares(stand, frames_of, height, floor):
    frames = frames_of(stand(np.full(11, height)))
    assert frames.floor_m.item() == pytest.approx(floor, abs=1e-4)


def test_elsewhere_the_floor_is_at_the_thirtieth_percentile(stand, frames_of, humanoid):
    """Of eleven heights the fourth lowest, whatever their order; what was subtracted is told and gone from heights."""
    heights = 0.5 + 0.1 * np.random.default_rng(0).permutation(11)
    motion = stand(heights)
    frames = frames_of(motion)
    assert frames.floor_m.item() == pytest.approx(0.8, abs=1e-4)
    torch.testing.assert_close(frames.pos_w[0, :, 0, 2], motion[1][:, 2] - 0.8, atol=1e-4, rtol=0)
    for at_once in (3, 11, 50):
        found = floor_heights(motion[0][None], motion[1][None], humanoid, at_once)
        torch.testing.assert_close(found, frames.floor_m)


@pytest.mark.parametrize(("poses", "pelvis"), [
    ((1, 3, 24, 3), (1, 3, 3)), ((1, 4, 22, 3), (1, 4, 3)), ((1, 4, 24, 3), (1, 5, 3)), ((1, 4, 24, 3), (1, 4, 2)),
])
def test_other_shapes_are_told(humanoid, poses, pelvis):
    with pytest.raises(ValueError, match="at least 4 frames"):
        dance_frames(torch.zeros(poses), torch.zeros(pelvis), humanoid)
