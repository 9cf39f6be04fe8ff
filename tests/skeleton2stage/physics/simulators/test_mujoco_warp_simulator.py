"""What is mujoco_warp's own: agreement with mujoco, and its buffers. The rest is in test_simulator_contract.py."""

import copy
import dataclasses
import math

import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.physics.quaternions import quat_multiply, rotvec_to_quat
from skeleton2stage.physics.simulators.make_simulator import make_simulator
from skeleton2stage.physics.simulators.simulator import ResetState
from skeleton2stage.physics.simulators.simulator_options import BufferSizes, SimulatorOptions

pytest.importorskip("mujoco_warp")
CPU = SimulatorOptions("cpu")


@pytest.fixture(scope="module")
def converged(humanoid):
    """The humanoid with solvers that go on until they are done."""
    model = copy.copy(humanoid.model)
    model.opt.iterations, model.opt.ls_iterations = 100, 50
    return dataclasses.replace(humanoid, model=model)


def swings(n_worlds, step):
    """Targets of arms, legs and trunk that swing by a fifth of a radian, each world's at its own pace."""
    phase = step / 5.0 * (1.0 + 0.2 * torch.arange(n_worlds))
    angles = 0.2 * torch.sin(phase)[:, None, None] * torch.tensor([1.0, 0.3, -0.5])
    return rotvec_to_quat(angles.expand(n_worlds, 23, 3))


def perform(simulator, state, steps=15):
    """Let all worlds swing from a state on the CPU for some control steps."""
    device = simulator.device
    start = ResetState(*(value.to(device) for value in vars(state).values()))
    simulator.set_state(torch.arange(simulator.n_worlds, device=device), start)
    for step in range(steps):
        targets = quat_multiply(state.quat_local[:, 1:], swings(simulator.n_worlds, step))
        simulator.step(targets.to(device), torch.zeros(simulator.n_worlds, 6, device=device))
    return simulator.read().to("cpu")


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("height", [0.0, 4.0], ids=["on the floor", "in the air"])
def test_it_agrees_with_mujoco(converged, standing_state, height, device):
    """Half a second open loop, the same targets: joints within 2 cm of each other in the mean."""
    start = standing_state(3)
    start = dataclasses.replace(start, root_pos_w=start.root_pos_w + torch.tensor([0.0, 0.0, height]))
    ours = perform(make_simulator("mujoco_warp", converged, 3, SimulatorOptions(device)), start)
    theirs = perform(make_simulator("mujoco", converged, 3), start)
    assert (theirs.pos_w - theirs.pos_w[:1]).norm(dim=-1).mean() > 0.02  # the worlds do move apart
    assert (ours.pos_w - theirs.pos_w).norm(dim=-1).mean() < 0.02


def test_too_small_buffers_are_an_error_that_names_the_setting(humanoid, standing_state):
    small = SimulatorOptions("cpu", BufferSizes(contacts_per_world=64, constraints_per_world=8))
    simulator = make_simulator("mujoco_warp", humanoid, 2, small)
    perform(simulator, standing_state(2), steps=3)
    with pytest.raises(UserError, match=r"raise simulator_options.buffers.constraints_per_world \(now 8\)$"):
        simulator.check()


def test_what_overflows_comes_to_light_while_stepping():
    """At the second look at the latest; what a diverged world overflowed does not count."""
    from skeleton2stage.physics.simulators.warp_engine import OverflowWatch

    none, some = torch.zeros(3, dtype=torch.int32), torch.tensor([0, 8, 0], dtype=torch.int32)  # 8: narrow phase
    watch = OverflowWatch(torch.device("cpu"), CPU)
    for _ in range(70):
        watch.note(some, torch.tensor([True, False, True]))
    watch.note(some, torch.tensor([True, True, True]))
    now = CPU.buffers.contacts_per_world
    with pytest.raises(UserError, match=rf"raise simulator_options.buffers.contacts_per_world \(now {now}\)$"):
        for _ in range(60):
            watch.note(none, torch.tensor([True, True, True]))


def test_enough_room_is_no_error(humanoid, standing_state):
    simulator = make_simulator("mujoco_warp", humanoid, 2, CPU)
    perform(simulator, standing_state(2), steps=3)
    simulator.check()


def test_a_diverged_world_does_nothing(humanoid, standing_state):
    """Its torques are zero, and it is deaf to its targets and its wrench."""
    simulator = make_simulator("mujoco_warp", humanoid, 2, CPU)
    start = standing_state(2)
    start.root_lin_vel_w[1, 2] = math.inf
    state = perform(simulator, start, steps=2)
    assert simulator.diverged.tolist() == [False, True]
    assert simulator.actuator_torques()[1].abs().max() == 0.0 < simulator.actuator_torques()[0].abs().max()
    assert state.lin_vel_w[1].abs().max() == 0.0


def test_worlds_begin_apart_from_the_floor(humanoid):
    simulator = make_simulator("mujoco_warp", humanoid, 1, CPU)
    assert simulator.read().pos_w[..., 2].min() > 5.0
    assert simulator.self_contacts().item() == 0.0


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so(humanoid):
    with pytest.raises(UserError, match="finds no NVIDIA GPU for device=cuda: choose simulator=mujoco, or device=cpu"):
        make_simulator("mujoco_warp", humanoid, 1)
