import math

import numpy as np
import pytest
import torch

from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.imitation.imitation_task import ACTION_WIDTH, N_JOINT_ACTIONS, WRENCH_UNIT, ImitationTask
from skeleton2stage.physics.imitation.observation import FUTURE_WIDTH, OBSERVATION_WIDTH, OWN_WIDTH
from skeleton2stage.physics.imitation.reference_motions import reference_motions
from skeleton2stage.physics.simulators.make_simulator import make_simulator


@pytest.fixture()
def task(humanoid, standing):
    task = ImitationTask(make_simulator("mujoco", humanoid, 2), reference_motions([standing], humanoid))
    task.reset(torch.arange(2), torch.zeros(2, dtype=torch.long), torch.tensor([0, 55]))
    return task


def test_standing_is_tracked_at_first(task):
    outcome = task.step(torch.zeros(2, ACTION_WIDTH))
    assert (outcome.reward > 0.95).all()
    assert (outcome.body_error_m < 0.005).all()
    assert not outcome.diverged.any()


def test_a_clip_ends_at_its_last_frame(task):
    ends = [task.step(torch.zeros(2, ACTION_WIDTH)).at_end.tolist() for _ in range(5)]
    assert ends == [[False, False]] * 3 + [[False, True]] * 2
    assert task.frame.tolist() == [5, 59]


def test_a_unit_of_the_wrench_is_so_many_newtons():
    assert WRENCH_UNIT == 31.85  # N or N·m, what shipped policies were trained with
    assert (N_JOINT_ACTIONS, ACTION_WIDTH) == (69, 75)


def test_moments_turn_with_the_heading_too_and_the_scale_multiplies(humanoid, standing):
    references = reference_motions([standing], humanoid)
    task = ImitationTask(make_simulator("mujoco", humanoid, 1), references, wrench_scale=0.5)
    nought = torch.zeros(1, dtype=torch.long)
    task.reset(nought, nought, nought)
    action = torch.zeros(1, ACTION_WIDTH)
    action[:, N_JOINT_ACTIONS + 3 :] = torch.tensor([1.0, 2.0, 3.0])
    half = 0.5 * WRENCH_UNIT  # forward is world -y, to the left world +x
    expected = half * torch.tensor([[0.0, 0.0, 0.0, 2.0, -1.0, 3.0]])
    torch.testing.assert_close(task.step(action).wrench_w, expected, atol=1e-2, rtol=0)


def test_the_goal_is_the_next_frame_and_at_the_end_the_last(humanoid):
    """Of a body that only moves along x by 1 cm a frame, the planar offset that is seen says which frame is meant."""
    poses = np.zeros((5, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = math.pi / 2
    moving = Motion(poses, np.linspace([0.0, 0.0, 1.0], [0.04, 0.0, 1.0], 5, dtype=np.float32))
    references = reference_motions([moving, moving], humanoid)
    task = ImitationTask(make_simulator("mujoco", humanoid, 3), references)
    task.reset(torch.arange(3), torch.tensor([0, 1, 1]), torch.tensor([0, 2, 4]))
    offset_h = task.observe()[:, OWN_WIDTH + 7 : OWN_WIDTH + 9]
    # Looking along -y, +x is to the left, which is +y of the heading frame.
    expected = torch.tensor([[0.0, 0.01], [0.0, 0.01], [0.0, 0.0]])
    torch.testing.assert_close(offset_h, expected, atol=1e-5, rtol=0)
    assert task.frame.tolist() == [0, 7, 9] and task.last_frame.tolist() == [4, 9, 9]


def test_frames_to_come_are_counted_from_the_next_and_stay_within_the_clip(humanoid):
    poses = np.zeros((6, 24, 3), dtype=np.float32)
    poses[:, 0, 0] = math.pi / 2
    moving = Motion(poses, np.linspace([0.0, 0.0, 1.0], [0.05, 0.0, 1.0], 6, dtype=np.float32))
    references = reference_motions([moving, moving], humanoid)
    task = ImitationTask(make_simulator("mujoco", humanoid, 2), references, future_frames=(1, 3))
    task.reset(torch.arange(2), torch.tensor([0, 0]), torch.tensor([0, 2]))
    ahead = task.observe()[:, OBSERVATION_WIDTH:]
    assert ahead.shape == (2, 2 * FUTURE_WIDTH)
    # To its left, which is y of the heading frame: frames 2 and 4 from frame 0; frames 4 and 5, the last, from frame 2.
    left = torch.stack((ahead[:, 1], ahead[:, 73]), dim=1)
    torch.testing.assert_close(left, torch.tensor([[0.02, 0.04], [0.02, 0.03]]), atol=1e-5, rtol=0)


def test_going_on_from_a_frame_is_having_come_to_it(humanoid, standing):
    references = reference_motions([standing], humanoid)
    task, other = (ImitationTask(make_simulator("mujoco", humanoid, 1), references) for _ in range(2))
    nought = torch.zeros(1, dtype=torch.long)
    for each in (task, other):
        each.reset(nought, nought, nought)
    for _ in range(3):
        task.step(torch.zeros(1, ACTION_WIDTH))
    place = task.frame, task.last_frame
    other.go_on_from(*place)
    assert (other.frame.tolist(), other.last_frame.tolist()) == ([3], [59])
    other.step(torch.zeros(1, ACTION_WIDTH))
    assert place[0].tolist() == [3] and other.frame.tolist() == [4]  # what was given is not written to


def test_the_heads_height_and_the_body_error_are_the_worlds_own(task):
    outcome = task.step(torch.zeros(2, ACTION_WIDTH))
    state = task.state()
    torch.testing.assert_close(outcome.head_height_m, state.pos_w[:, 15, 2])
    assert (outcome.head_height_m > 1.3).all() and outcome.body_error_m.shape == (2,)


def test_the_wrench_is_told_in_the_heading_frame(task):
    """Forward for a pelvis that looks along -y is world -y; up is up."""
    action = torch.zeros(2, ACTION_WIDTH)
    action[:, N_JOINT_ACTIONS] = 2.0
    action[:, N_JOINT_ACTIONS + 2] = 1.0
    wrench = task.step(action).wrench_w
    expected = torch.tensor([0.0, -2.0 * WRENCH_UNIT, WRENCH_UNIT, 0.0, 0.0, 0.0])
    torch.testing.assert_close(wrench, expected.expand(2, 6), atol=1e-2, rtol=0)


def test_the_wrench_can_be_switched_off(humanoid, standing):
    task = ImitationTask(
        make_simulator("mujoco", humanoid, 1), reference_motions([standing], humanoid), wrench_scale=0.0
    )
    task.reset(torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long))
    assert task.step(torch.ones(1, ACTION_WIDTH)).wrench_w.abs().max() == 0


def test_offsets_move_the_joints(task):
    action = torch.zeros(2, ACTION_WIDTH)
    elbow = 17  # of 23: left elbow is joint 18
    action[:, 3 * elbow + 1] = 0.5
    for _ in range(8):
        task.step(action)
    bent = task.state().quat_local[0, 18]
    assert 2 * math.acos(min(1.0, abs(float(bent[0])))) == pytest.approx(0.5, abs=0.1)


def test_actions_must_fit(task):
    with pytest.raises(ValueError, match="expected actions"):
        task.step(torch.zeros(2, 3))
