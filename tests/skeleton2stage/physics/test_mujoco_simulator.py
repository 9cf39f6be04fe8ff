import math

import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.mujoco_simulator import MujocoSimulator
from skeleton2stage.physics.rotations import quat_conjugate, quat_multiply, quat_to_rotvec, rotvec_to_quat
from skeleton2stage.physics.simulator import ResetState


def random_state(n: int, seed: int = 0) -> ResetState:
    generator = torch.Generator().manual_seed(seed)
    position = torch.randn(n, 3, generator=generator) + torch.tensor([0.0, 0.0, 5.0])
    quats = rotvec_to_quat(0.3 * torch.randn(n, 24, 3, generator=generator))
    velocity = torch.randn(n, 3, generator=generator)
    return ResetState(position, quats, velocity, torch.randn(n, 24, 3, generator=generator))


def held_targets(n: int) -> torch.Tensor:
    targets = torch.zeros(n, 23, 4)
    targets[..., 0] = 1.0
    return targets


@pytest.fixture()
def simulator(humanoid):
    return MujocoSimulator(humanoid, 4, n_threads=2)


def test_what_is_set_is_read(simulator):
    state = random_state(4)
    simulator.set_state(torch.arange(4), state)
    read = simulator.read()
    torch.testing.assert_close(read.pos_w[:, 0], state.root_pos_w)
    torch.testing.assert_close(read.quat_local, state.quat_local)
    torch.testing.assert_close(read.ang_vel_local, state.ang_vel_local)
    torch.testing.assert_close(read.lin_vel_w[:, 0], state.root_lin_vel_w, atol=1e-4, rtol=1e-4)


def test_bodies_are_where_forward_kinematics_puts_them(simulator, humanoid):
    state = random_state(4)
    simulator.set_state(torch.arange(4), state)
    offsets = torch.as_tensor(humanoid.bone_offsets, dtype=torch.float32)
    joints = skeleton.forward_kinematics(quat_to_rotvec(state.quat_local), state.root_pos_w, offsets)
    torch.testing.assert_close(simulator.read().pos_w, joints, atol=1e-4, rtol=0)


def test_velocities_are_those_of_the_joints_points(simulator):
    """In free flight the bodies' positions move by the velocities read, to first order."""
    simulator.set_state(torch.arange(4), random_state(4))
    before = simulator.read()
    state = ResetState(
        before.pos_w[:, 0] + 1e-4 * before.lin_vel_w[:, 0],
        quat_multiply(before.quat_local, rotvec_to_quat(1e-4 * before.ang_vel_local)),
        before.lin_vel_w[:, 0],
        before.ang_vel_local,
    )
    simulator.set_state(torch.arange(4), state)
    moved = (simulator.read().pos_w - before.pos_w) / 1e-4
    torch.testing.assert_close(moved, before.lin_vel_w, atol=0.05, rtol=0.02)


def test_only_the_chosen_worlds_are_set(simulator):
    simulator.set_state(torch.arange(4), random_state(4, seed=1))
    before = simulator.read()
    simulator.set_state(torch.tensor([2]), random_state(1, seed=2))
    after = simulator.read()
    torch.testing.assert_close(after.pos_w[[0, 1, 3]], before.pos_w[[0, 1, 3]])
    assert not torch.allclose(after.pos_w[2], before.pos_w[2])


def test_a_body_in_the_air_falls_freely(simulator):
    state = random_state(4)
    still = ResetState(state.root_pos_w, state.quat_local, 0 * state.root_lin_vel_w, 0 * state.ang_vel_local)
    simulator.set_state(torch.arange(4), still)
    targets = still.quat_local[:, 1:]
    for _ in range(6):
        simulator.step(targets, torch.zeros(4, 6))
    fallen = still.root_pos_w[:, 2] - simulator.read().pos_w[:, 0, 2]
    # 24 substeps of semi-implicit Euler: g h^2 (1 + 2 + ... + 24)
    expected = 9.81 / 120.0**2 * sum(range(1, 25))
    torch.testing.assert_close(fallen, torch.full((4,), expected), atol=2e-3, rtol=0)


def test_standing_on_the_floor_does_not_sink(humanoid, standing_state):
    simulator = MujocoSimulator(humanoid, 1)
    simulator.set_state(torch.arange(1), standing_state(1))
    start = simulator.read().pos_w[0, :, 2].clone()
    for _ in range(10):
        simulator.step(held_targets(1), torch.zeros(1, 6))
    feet = [skeleton.joint_index(name) for name in ("left_foot", "right_foot", "left_ankle", "right_ankle")]
    sunk = start[feet] - simulator.read().pos_w[0, feet, 2]
    assert sunk.max() < 0.01
    assert not simulator.diverged.any()


def test_large_targets_settle(humanoid):
    """A hip sent to 2 rad gets there and stays, which sending the target's components would not give."""
    simulator = MujocoSimulator(humanoid, 1)
    state = random_state(1)
    identity = torch.zeros(1, 24, 4)
    identity[..., 0] = 1.0
    high = torch.tensor([[0.0, 0.0, 100.0]])
    simulator.set_state(torch.arange(1), ResetState(high, identity, 0 * state.root_lin_vel_w, 0 * state.ang_vel_local))
    targets = held_targets(1)
    hip = skeleton.joint_index("left_hip") - 1
    targets[0, hip] = rotvec_to_quat(torch.tensor([-2.0, 0.0, 0.0]))
    for _ in range(60):
        simulator.step(targets, torch.zeros(1, 6))
    error = quat_multiply(quat_conjugate(simulator.read().quat_local[:, 1:]), targets)
    assert quat_to_rotvec(error)[0, hip].norm() < 0.05
    assert simulator.read().ang_vel_local[0, hip + 1].norm() < 0.2


def test_the_wrench_pushes_the_pelvis(humanoid):
    simulator = MujocoSimulator(humanoid, 2)
    simulator.set_state(torch.arange(2), random_state(2))
    simulator.set_state(torch.tensor([1]), ResetState(*(v[:1] for v in vars(random_state(2)).values())))
    simulator.set_state(torch.tensor([0]), ResetState(*(v[:1] for v in vars(random_state(2)).values())))
    wrench = torch.zeros(2, 6)
    wrench[1, 0] = 700.0
    before = simulator.read().lin_vel_w.clone()
    targets = random_state(2).quat_local[:1, 1:].expand(2, 23, 4)
    simulator.step(targets, wrench)
    gained = (simulator.read().lin_vel_w - before)[1, 0, 0] - (simulator.read().lin_vel_w - before)[0, 0, 0]
    # 700 N on 70 kg for 1/30 s is 1/3 m/s at the centre of mass; the pelvis leads the rest of the body
    assert 0.3 < gained < 3.0


def test_a_poisoned_world_stays_alone(humanoid):
    runs = []
    for poison in (False, True):
        simulator = MujocoSimulator(humanoid, 4, n_threads=2)
        simulator.set_state(torch.arange(4), random_state(4))
        if poison:
            bad = ResetState(*(v[:1].clone() for v in vars(random_state(4)).values()))
            bad.root_lin_vel_w[0, 0] = math.nan
            simulator.set_state(torch.tensor([1]), bad)
        for _ in range(5):
            simulator.step(held_targets(4), torch.zeros(4, 6))
        runs.append(simulator)
    assert runs[1].diverged.tolist() == [False, True, False, False]
    others = [0, 2, 3]
    assert torch.equal(runs[0].read().pos_w[others], runs[1].read().pos_w[others])
    revived = ResetState(*(v[:1] for v in vars(random_state(4)).values()))
    runs[1].set_state(torch.tensor([1]), revived)
    runs[1].step(held_targets(4), torch.zeros(4, 6))
    assert not runs[1].diverged.any()


def test_a_diverged_world_keeps_its_last_finite_state(simulator):
    simulator.set_state(torch.arange(4), random_state(4))
    before = simulator.read().pos_w[0].clone()
    wrench = torch.zeros(4, 6)
    wrench[0, 0] = 1e9
    for _ in range(3):
        simulator.step(held_targets(4), wrench)
    assert simulator.diverged[0]
    assert torch.equal(simulator.read().pos_w[0], before)
    assert torch.isfinite(simulator.read().pos_w).all()


def test_two_runs_are_the_same_at_any_thread_count(humanoid):
    ends = []
    for threads in (1, 2):
        simulator = MujocoSimulator(humanoid, 4, n_threads=threads)
        simulator.set_state(torch.arange(4), random_state(4))
        for _ in range(5):
            simulator.step(held_targets(4), torch.zeros(4, 6))
        ends.append(simulator.read().pos_w)
    assert torch.equal(*ends)


def test_wrong_shapes_are_refused(simulator):
    with pytest.raises(ValueError, match=r"wrench_w must have shape \(4, 6\)"):
        simulator.step(held_targets(4), torch.zeros(4, 3))
    with pytest.raises(ValueError, match="at least one world"):
        MujocoSimulator.__init__(object.__new__(MujocoSimulator), None, 0)
