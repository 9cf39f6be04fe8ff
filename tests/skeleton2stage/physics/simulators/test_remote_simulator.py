"""The `mujoco` backend in a worker must be the `mujoco` backend."""

import os
import signal

import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.physics.quaternions import rotvec_to_quat
from skeleton2stage.physics.simulators.make_simulator import make_simulator
from skeleton2stage.physics.simulators.mujoco_simulator import MujocoSimulator
from skeleton2stage.physics.simulators.remote_simulator import RemoteSimulator, contact_depths, write_mujoco_assets
from skeleton2stage.physics.simulators.simulator import ResetState, Simulator
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.physics.worker.worker_process import WorkerConfig, WorkerError

N_WORLDS = 4


@pytest.fixture(scope="module")
def remote(humanoid):
    with RemoteSimulator(humanoid, N_WORLDS, WorkerConfig("mujoco"), write_mujoco_assets) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def direct(humanoid):
    return MujocoSimulator(humanoid, N_WORLDS)


def near_the_floor(n: int, seed: int) -> ResetState:
    generator = torch.Generator().manual_seed(seed)
    position = 0.1 * torch.randn(n, 3, generator=generator) + torch.tensor([0.0, 0.0, 0.8])
    quats = rotvec_to_quat(0.6 * torch.randn(n, 24, 3, generator=generator))
    velocity = torch.randn(n, 3, generator=generator)
    return ResetState(position, quats, velocity, torch.randn(n, 24, 3, generator=generator))


def assert_same(first: Simulator, second: Simulator) -> None:
    for name, value in vars(first.read()).items():
        assert torch.equal(value, getattr(second.read(), name)), name
    assert torch.equal(first.diverged, second.diverged)
    assert torch.equal(first.actuator_torques(), second.actuator_torques())
    assert torch.equal(first.self_contacts(), second.self_contacts())


def test_every_step_is_the_same_to_the_last_bit(remote, direct):
    state = near_the_floor(N_WORLDS, seed=0)
    targets = near_the_floor(N_WORLDS, seed=1).quat_local[:, 1:]
    for simulator in (remote, direct):
        simulator.set_state(torch.arange(N_WORLDS), state)
    assert_same(remote, direct)
    for step in range(6):
        wrench = torch.randn(N_WORLDS, 6, generator=torch.Generator().manual_seed(step)) * 30
        for simulator in (remote, direct):
            simulator.step(targets, wrench)
        assert_same(remote, direct)
    assert direct.self_contacts().max() > 0 and direct.actuator_torques().abs().max() > 1


def test_only_chosen_worlds_are_set(remote, direct):
    for simulator in (remote, direct):
        simulator.set_state(torch.arange(N_WORLDS), near_the_floor(N_WORLDS, seed=2))
        simulator.set_state(torch.tensor([1, 3]), near_the_floor(2, seed=3))
    assert_same(remote, direct)
    assert torch.equal(remote.read().pos_w[[1, 3], 0], near_the_floor(2, seed=3).root_pos_w)


def test_divergence_comes_through(remote, direct):
    wrench = torch.zeros(N_WORLDS, 6)
    wrench[2, 0] = 1e9
    targets = near_the_floor(N_WORLDS, seed=1).quat_local[:, 1:]
    for simulator in (remote, direct):
        simulator.set_state(torch.arange(N_WORLDS), near_the_floor(N_WORLDS, seed=4))
        simulator.step(targets, wrench)
    assert remote.diverged.tolist() == [False, False, True, False]
    assert_same(remote, direct)


def test_what_was_read_stays_as_it_was(remote):
    remote.set_state(torch.arange(N_WORLDS), near_the_floor(N_WORLDS, seed=5))
    before = remote.read()
    copy = before.pos_w.clone()
    remote.step(before.quat_local[:, 1:], torch.zeros(N_WORLDS, 6))
    assert torch.equal(before.pos_w, copy) and not torch.equal(remote.read().pos_w, copy)


def test_contacts_can_be_measured_here(remote, humanoid):
    remote.set_state(torch.arange(N_WORLDS), near_the_floor(N_WORLDS, seed=6))
    depths = remote.self_contacts()
    assert depths.max() > 1e-3
    torch.testing.assert_close(contact_depths(humanoid, remote.read()), depths, atol=1e-6, rtol=0)


def test_wrong_use_is_refused_before_it_is_sent(remote):
    with pytest.raises(ValueError, match=r"wrench_w must have shape \(4, 6\)"):
        remote.step(torch.zeros(N_WORLDS, 23, 4), torch.zeros(N_WORLDS, 3))
    with pytest.raises(ValueError, match="cannot set 5 of 4 worlds"):
        remote.set_state(torch.zeros(5, dtype=torch.long), near_the_floor(5, seed=0))
    with pytest.raises(IndexError):
        remote.set_state(torch.tensor([N_WORLDS]), near_the_floor(1, seed=0))
    remote.set_state(torch.tensor([-1]), near_the_floor(1, seed=7))
    assert torch.equal(remote.read().pos_w[3, 0], near_the_floor(1, seed=7).root_pos_w[0])


def test_a_dead_worker_is_one_error_and_its_last_state_readable(humanoid):
    simulator = RemoteSimulator(humanoid, 1, WorkerConfig("mujoco", options={"n_threads": 1}), write_mujoco_assets)
    os.kill(simulator.worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="mujoco worker .* was ended by SIGKILL"):
        simulator.step(torch.zeros(1, 23, 4), torch.zeros(1, 6))
    assert simulator.read().pos_w.shape == (1, 24, 3)


def test_isaacgym_without_its_interpreter_says_so(humanoid, monkeypatch):
    monkeypatch.delenv("ISAACGYM_PYTHON", raising=False)
    with pytest.raises(UserError, match="needs ISAACGYM_PYTHON"):
        make_simulator("isaacgym", humanoid, 1)
    monkeypatch.setenv("ISAACGYM_PYTHON", "/no/such/python")
    with pytest.raises(UserError, match="'/no/such/python', which is no program"):
        make_simulator("isaacgym", humanoid, 1)
    with pytest.raises(UserError, match="not on 'cpu'"):
        make_simulator("isaacgym", humanoid, 1, SimulatorOptions(device="cpu"))
