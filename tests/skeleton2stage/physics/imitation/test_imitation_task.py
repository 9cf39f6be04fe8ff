import math

import pytest
import torch

from skeleton2stage.physics.imitation.imitation_task import ACTION_WIDTH, N_JOINT_ACTIONS, WRENCH_UNIT, ImitationTask
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
