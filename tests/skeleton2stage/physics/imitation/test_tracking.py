import math

import pytest
import torch

from skeleton2stage.physics.imitation.reference_motions import ReferenceFrames, reference_frames
from skeleton2stage.physics.imitation.tracking import (
    TrackingErrors,
    closeness_reward,
    mean_body_error,
    tracking_errors,
    tracking_reward,
    wrench_reward,
)
from skeleton2stage.physics.quaternions import quat_multiply, rotvec_to_quat
from skeleton2stage.physics.simulators.simulator import BodyState


def as_state(frames: ReferenceFrames) -> BodyState:
    nothing = torch.zeros_like(frames.pos_w)
    return BodyState(
        frames.pos_w, frames.quat_w, nothing, nothing, frames.quat_local, frames.ang_vel_local
    )


@pytest.fixture()
def frames(humanoid, standing) -> ReferenceFrames:
    return reference_frames(standing, humanoid, None)[torch.arange(3)]


def test_being_there_earns_everything(frames):
    reward = tracking_reward(tracking_errors(as_state(frames), frames))
    torch.testing.assert_close(reward, torch.ones(3))


def test_each_error_is_its_own_mean_square(frames):
    moved = ReferenceFrames(
        frames.pos_w + torch.tensor([0.1, 0.0, 0.0]), frames.quat_w, frames.quat_local,
        frames.root_lin_vel_w, frames.ang_vel_local + 2.0, frames.feedforward,
    )
    errors = tracking_errors(as_state(frames), moved)
    torch.testing.assert_close(errors.body_pos, torch.full((3,), 0.01 / 3))
    torch.testing.assert_close(errors.joint_vel, torch.full((3,), 4.0))
    torch.testing.assert_close(errors.rot6d, torch.zeros(3))
    torch.testing.assert_close(errors.angle, torch.zeros(3))
    torch.testing.assert_close(mean_body_error(as_state(frames), moved), torch.full((3,), 0.1))


def test_rotations_count_locally_and_globally(frames):
    turn = rotvec_to_quat(torch.tensor([0.0, 0.0, 0.5]))
    local = frames.quat_local.clone()
    local[:, 0] = quat_multiply(turn.expand(3, 4), local[:, 0])
    turned = ReferenceFrames(
        frames.pos_w, quat_multiply(turn.expand_as(frames.quat_w), frames.quat_w), local,
        frames.root_lin_vel_w, frames.ang_vel_local, frames.feedforward,
    )
    errors = tracking_errors(as_state(frames), turned)
    torch.testing.assert_close(errors.angle, torch.full((3,), 0.25), atol=1e-4, rtol=0)
    torch.testing.assert_close(errors.rot6d, torch.zeros(3), atol=1e-6, rtol=0)  # the root is left out


def test_the_reward_is_the_published_sum():
    errors = TrackingErrors(*(torch.tensor([v]) for v in (0.01, 2.0, 0.003, 0.02)))
    expected = (
        0.6 * math.exp(-0.6) + 0.1 * math.exp(-0.4) + 0.2 * math.exp(-0.3) + 0.1 * math.exp(-0.8)
    )
    assert tracking_reward(errors).item() == pytest.approx(expected, rel=1e-6)


def test_a_strong_wrench_is_worth_less():
    weak, strong = wrench_reward(torch.zeros(1, 6)), wrench_reward(torch.full((1, 6), 0.2))
    assert weak.item() == pytest.approx(0.1)
    assert strong.item() == pytest.approx(0.1 * math.exp(-1.2), rel=1e-5)


def test_closeness_is_steepest_where_the_body_is():
    """weight exp(-error / scale): all of it at the reference, 1/e of it a scale away, and never more than all."""
    errors = torch.tensor([0.0, 0.1, 0.2])
    expected = 0.5 * torch.tensor([1.0, math.exp(-1.0), math.exp(-2.0)])
    torch.testing.assert_close(closeness_reward(errors, 0.5, 0.1), expected)


def test_worlds_are_judged_each_by_itself(frames):
    """A world far away changes nothing of its neighbours' errors, and angles are of the short way round."""
    moved = frames.pos_w.clone()
    moved[1] += 5.0
    other = ReferenceFrames(
        moved, -frames.quat_w, -frames.quat_local, frames.root_lin_vel_w, frames.ang_vel_local, frames.feedforward
    )
    errors = tracking_errors(as_state(frames), other)
    torch.testing.assert_close(errors.body_pos, torch.tensor([0.0, 25.0, 0.0]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(errors.angle, torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(errors.rot6d, torch.zeros(3), atol=1e-6, rtol=0)


def test_one_joint_counts_its_share_of_the_components(frames):
    """One of 23 joints turned by a right angle about x: (0, 1, 0) becomes (0, 0, -1) in its matrix' second row."""
    local = frames.quat_local.clone()
    local[:, 5] = quat_multiply(local[:, 5], rotvec_to_quat(torch.tensor([math.pi / 2, 0.0, 0.0])).expand(3, 4))
    turned = ReferenceFrames(
        frames.pos_w, frames.quat_w, local, frames.root_lin_vel_w, frames.ang_vel_local, frames.feedforward
    )
    errors = tracking_errors(as_state(frames), turned)
    torch.testing.assert_close(errors.rot6d, torch.full((3,), 2.0 / (23 * 6)), atol=1e-6, rtol=0)
