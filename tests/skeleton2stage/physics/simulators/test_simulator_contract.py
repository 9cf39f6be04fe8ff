"""What every simulator must do, run for each backend that this machine has.

A new backend is one more entry of BACKENDS: its name, and a function of humanoid and number of worlds.
"""

import dataclasses
import math

import mujoco
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.humanoid import FLOOR_FRICTION, gains
from skeleton2stage.physics.quaternions import quat_conjugate, quat_multiply, quat_to_rotvec, rotvec_to_quat
from skeleton2stage.physics.simulators.make_simulator import make_simulator
from skeleton2stage.physics.simulators.remote_simulator import RemoteSimulator, write_mujoco_assets
from skeleton2stage.physics.simulators.simulator import BodyState, ResetState
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.physics.worker.worker_process import WorkerConfig


def warp_on(device):
    def build(humanoid, n_worlds):
        pytest.importorskip("mujoco_warp")
        options = SimulatorOptions(device, deterministic=device != "cpu")
        return make_simulator("mujoco_warp", humanoid, n_worlds, options)

    return build


def remote_mujoco(humanoid, n_worlds):
    return RemoteSimulator(humanoid, n_worlds, WorkerConfig("mujoco"), write_mujoco_assets)


BACKENDS = {
    "remote_mujoco": remote_mujoco,
    "mujoco": lambda humanoid, n_worlds: make_simulator("mujoco", humanoid, n_worlds),
    "mujoco_warp": warp_on("cpu"),
    "mujoco_warp_gpu": warp_on("cuda"),
}
# In a worker, mujoco is compared with itself in test_remote_simulator.py: here it would only start a worker a test.
MARKS = {"mujoco_warp_gpu": pytest.mark.gpu, "remote_mujoco": pytest.mark.slow}


@pytest.fixture(scope="module", params=[pytest.param(name, marks=MARKS.get(name, ())) for name in BACKENDS])
def make(request, humanoid):
    """A function that makes a simulator with n worlds of the humanoid, or of another."""
    return lambda n_worlds, body=humanoid: BACKENDS[request.param](body, n_worlds)


@pytest.fixture(scope="module")
def simulator(make):
    """Four worlds, for tests that set all of them first."""
    return make(4)


def random_state(n, seed=0) -> ResetState:
    generator = torch.Generator().manual_seed(seed)
    position = torch.randn(n, 3, generator=generator) + torch.tensor([0.0, 0.0, 5.0])
    quats = rotvec_to_quat(0.3 * torch.randn(n, 24, 3, generator=generator))
    velocity = torch.randn(n, 3, generator=generator)
    return ResetState(position, quats, velocity, torch.randn(n, 24, 3, generator=generator))


def rest_state(height, n=1) -> ResetState:
    """Still, in the rest pose, lying on the back."""
    quats = identity(n, 24)
    return ResetState(torch.tensor([0.0, 0.0, height]).repeat(n, 1), quats, torch.zeros(n, 3), torch.zeros(n, 24, 3))


def identity(*shape) -> torch.Tensor:
    return torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(*shape, 1)


def one(state, world=0) -> ResetState:
    return ResetState(*(value[world : world + 1].clone() for value in vars(state).values()))


def put(simulator, state, worlds=None):
    worlds = torch.arange(simulator.n_worlds) if worlds is None else torch.tensor(worlds)
    device = simulator.device
    simulator.set_state(worlds.to(device), ResetState(*(value.to(device) for value in vars(state).values())))


def play(simulator, targets, steps, wrench=None) -> BodyState:
    wrench = torch.zeros(simulator.n_worlds, 6) if wrench is None else wrench
    for _ in range(steps):
        simulator.step(targets.to(simulator.device), wrench.to(simulator.device))
    return read(simulator)


def read(simulator) -> BodyState:
    return simulator.read().to("cpu")


def test_what_is_set_is_read(simulator):
    state = random_state(4)
    put(simulator, state)
    now = read(simulator)
    torch.testing.assert_close(now.pos_w[:, 0], state.root_pos_w)
    torch.testing.assert_close(now.quat_local, state.quat_local)
    torch.testing.assert_close(now.ang_vel_local, state.ang_vel_local)
    torch.testing.assert_close(now.lin_vel_w[:, 0], state.root_lin_vel_w, atol=1e-4, rtol=1e-4)


def test_bodies_are_where_forward_kinematics_puts_them(simulator, humanoid):
    state = random_state(4)
    put(simulator, state)
    offsets = torch.as_tensor(humanoid.bone_offsets, dtype=torch.float32)
    joints = skeleton.forward_kinematics(quat_to_rotvec(state.quat_local), state.root_pos_w, offsets)
    torch.testing.assert_close(read(simulator).pos_w, joints, atol=1e-4, rtol=0)


def test_velocities_are_those_of_the_joints_points(simulator):
    """Bodies' positions and rotations move by the velocities read, to first order."""
    put(simulator, random_state(4))
    before = read(simulator)
    moved = ResetState(
        before.pos_w[:, 0] + 1e-3 * before.lin_vel_w[:, 0],
        quat_multiply(before.quat_local, rotvec_to_quat(1e-3 * before.ang_vel_local)),
        before.lin_vel_w[:, 0],
        before.ang_vel_local,
    )
    put(simulator, moved)
    after = read(simulator)
    torch.testing.assert_close((after.pos_w - before.pos_w) / 1e-3, before.lin_vel_w, atol=0.05, rtol=0.02)
    turn = quat_to_rotvec(quat_multiply(after.quat_w, quat_conjugate(before.quat_w))) / 1e-3
    torch.testing.assert_close(turn, before.ang_vel_w, atol=0.05, rtol=0.02)


def test_only_the_chosen_worlds_are_set(simulator):
    put(simulator, random_state(4, seed=1))
    before = read(simulator)
    put(simulator, random_state(1, seed=2), worlds=[2])
    after = read(simulator)
    assert torch.equal(after.pos_w[[0, 1, 3]], before.pos_w[[0, 1, 3]])
    assert not torch.allclose(after.pos_w[2], before.pos_w[2])


def test_worlds_are_set_in_any_order(simulator):
    state = random_state(3, seed=3)
    put(simulator, state, worlds=[3, 0, 2])
    torch.testing.assert_close(read(simulator).pos_w[[3, 0, 2], 0], state.root_pos_w)


def test_setting_forgets_the_past(simulator):
    """A world set anew runs on as it did the first time, whatever it went through in between."""
    state, targets = random_state(4), identity(4, 23)
    put(simulator, state)
    first = play(simulator, targets, 2)
    put(simulator, random_state(4, seed=3))
    play(simulator, targets, 3, torch.full((4, 6), 300.0))
    put(simulator, state)
    assert torch.equal(first.pos_w, play(simulator, targets, 2).pos_w)


def test_a_body_in_the_air_falls_freely(simulator):
    put(simulator, rest_state(5.0, 4))
    fallen = 5.0 - play(simulator, identity(4, 23), 6).pos_w[:, 0, 2]
    # 24 substeps of semi-implicit Euler: g h^2 (1 + 2 + ... + 24)
    expected = 9.81 / 120.0**2 * sum(range(1, 25))
    torch.testing.assert_close(fallen, torch.full((4,), expected), atol=2e-3, rtol=0)


def test_standing_on_the_floor_does_not_sink(make, standing_state):
    simulator = make(1)
    put(simulator, standing_state(1))
    feet = [skeleton.joint_index(name) for name in ("left_foot", "right_foot", "left_ankle", "right_ankle")]
    start = read(simulator).pos_w[0, feet]
    sunk = start - play(simulator, identity(1, 23), 10).pos_w[0, feet]
    assert sunk[:, 2].max() < 0.01
    assert sunk[:, :2].norm(dim=-1).max() < 0.01
    assert not simulator.diverged.any()


def test_friction_slows_a_sliding_body(make, humanoid):
    """On its back at 5 m/s: mu g t is lost, which is less than the whole."""
    simulator = make(1)
    lowest = min(float(v[:, 2].min()) + humanoid.rest_joints[i, 2] for i, v in enumerate(humanoid.hull_vertices))
    state = rest_state(-lowest)
    state.root_lin_vel_w[0, 1] = 5.0
    put(simulator, state)
    mass = torch.as_tensor(humanoid.model.body_mass[humanoid.body_ids], dtype=torch.float32)
    velocity = play(simulator, identity(1, 23), 10).lin_vel_w[0]
    lost = 5.0 - float((mass[:, None] * velocity).sum(dim=0)[1] / mass.sum())
    assert lost == pytest.approx(FLOOR_FRICTION * 9.81 * 10 / 30, rel=0.2)


def test_large_targets_settle(make):
    """A hip sent to 2 rad gets there and stays, which sending the target's components would not give."""
    simulator = make(1)
    put(simulator, rest_state(100.0))
    targets, hip = identity(1, 23), skeleton.joint_index("left_hip") - 1
    targets[0, hip] = rotvec_to_quat(torch.tensor([-2.0, 0.0, 0.0]))
    state = play(simulator, targets, 40)
    error = quat_to_rotvec(quat_multiply(quat_conjugate(state.quat_local[:, 1:]), targets))[0, hip]
    assert error.norm() < 0.05
    assert state.ang_vel_local[0, hip + 1].norm() < 0.2


def test_torques_are_those_of_springs_and_dampers(make):
    """Lying at rest on the floor, every joint's torque is its gain times what it gives way."""
    simulator = make(1)
    put(simulator, rest_state(0.2))
    state = play(simulator, identity(1, 23), 25)
    gain = torch.tensor([gains(name) for name in skeleton.joint_names()[1:]])
    spring = -gain[:, :1] * quat_to_rotvec(state.quat_local[0, 1:])
    expected = spring - gain[:, 1:] * state.ang_vel_local[0, 1:]
    assert expected.abs().max() > 10.0
    torch.testing.assert_close(simulator.actuator_torques()[0].cpu(), expected, atol=0.1, rtol=0.01)


def test_the_wrench_pushes_the_pelvis(make):
    simulator = make(2)
    state = one(random_state(2))
    put(simulator, ResetState(*(value.repeat(2, *[1] * (value.dim() - 1)) for value in vars(state).values())))
    wrench = torch.zeros(2, 6)
    wrench[1, 0] = 700.0
    before = read(simulator).lin_vel_w
    gained = (play(simulator, state.quat_local[:, 1:].repeat(2, 1, 1), 1, wrench).lin_vel_w - before)[:, 0, 0]
    # 700 N on 70 kg for 1/30 s is 1/3 m/s at the centre of mass; the pelvis leads the rest of the body
    assert 0.3 < gained[1] - gained[0] < 3.0


def without_self_collision(humanoid):
    spec = mujoco.MjSpec.from_string(humanoid.xml)
    for geom in spec.geoms:
        geom.contype, geom.conaffinity = (0, 1) if geom.name == "floor" else (1, 0)
    model = spec.compile()
    return dataclasses.replace(humanoid, model=model, xml=spec.to_xml())


def test_parts_stop_each_other_where_they_collide(make, humanoid):
    """Arms bent across the chest: kept apart by contact, and through it where parts do not collide."""
    targets = identity(1, 23)
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for part, angle in (("shoulder", 1.3), ("elbow", 2.4)):
            joint = skeleton.joint_index(f"{side}_{part}") - 1
            targets[0, joint] = rotvec_to_quat(torch.tensor([0.0, sign * angle, 0.0]))
    errors, depths = [], []
    for body in (humanoid, without_self_collision(humanoid)):
        simulator = make(1, body)
        put(simulator, rest_state(100.0))
        assert simulator.self_contacts().item() == 0.0
        state = play(simulator, targets, 20)
        errors.append(quat_to_rotvec(quat_multiply(quat_conjugate(state.quat_local[:, 1:]), targets)).norm())
        depths.append(simulator.self_contacts().item())
    assert errors[0] > 3 * errors[1]
    assert depths[0] > 0.0 == depths[1]


def test_a_poisoned_world_stays_alone(make):
    runs = [make(4), make(4)]
    bad = one(random_state(4))
    bad.root_lin_vel_w[0, 0] = math.nan
    for simulator in runs:
        put(simulator, random_state(4))
    put(runs[1], bad, worlds=[1])
    clean, poisoned = (play(simulator, identity(4, 23), 5) for simulator in runs)
    assert runs[1].diverged.tolist() == [False, True, False, False]
    others = [0, 2, 3]
    assert torch.equal(clean.pos_w[others], poisoned.pos_w[others])
    for simulator in runs:
        put(simulator, one(random_state(4), world=1), worlds=[1])
    revived, fresh = (play(simulator, identity(4, 23), 2) for simulator in runs[::-1])
    assert not runs[1].diverged.any()
    assert torch.equal(revived.pos_w, fresh.pos_w)


def test_a_diverged_world_keeps_its_last_finite_state(simulator):
    put(simulator, random_state(4))
    before = vars(read(simulator))
    wrench = torch.zeros(4, 6)
    wrench[0, 0] = 1e9
    after = play(simulator, identity(4, 23), 3, wrench)
    assert simulator.diverged.tolist() == [True, False, False, False]
    assert all(torch.equal(value[0], before[name][0]) for name, value in vars(after).items())
    assert torch.isfinite(after.pos_w).all()


def test_a_target_that_is_no_number_hurts_its_world_alone(simulator):
    put(simulator, random_state(4))
    targets = identity(4, 23)
    targets[3, 5] = math.nan
    assert torch.isfinite(play(simulator, targets, 2).pos_w).all()
    assert simulator.diverged.tolist() == [False, False, False, True]


def test_two_runs_are_the_same(make, standing_state):
    ends = []
    for _ in range(2):
        simulator = make(2)
        put(simulator, standing_state(2))
        ends.append(play(simulator, random_state(2).quat_local[:, 1:], 8).pos_w)
    assert torch.equal(*ends)


def test_a_state_once_read_stays(simulator):
    put(simulator, random_state(4))
    then = simulator.read()
    kept = then.pos_w.clone()
    play(simulator, identity(4, 23), 1)
    assert torch.equal(then.pos_w, kept)


def test_wrong_shapes_are_refused(make, simulator):
    with pytest.raises(ValueError, match=r"wrench_w must have shape \(4, 6\)"):
        simulator.step(identity(4, 23), torch.zeros(4, 3))
    with pytest.raises(ValueError, match="at least one world"):
        make(0)
