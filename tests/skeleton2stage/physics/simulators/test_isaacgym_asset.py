"""The humanoid as it is written for Isaac Gym, read back by MuJoCo; and the mathematics of its host."""

import ast
import json
from itertools import combinations

import mujoco
import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics import quaternions
from skeleton2stage.physics.humanoid.humanoid import gains
from skeleton2stage.physics.simulators.engine_layout import pd_controls
from skeleton2stage.physics.simulators.isaacgym_asset import excluded_pairs, filter_masks, write_isaacgym_assets
from skeleton2stage.physics.simulators.mujoco_simulator import MujocoSimulator
from skeleton2stage.physics.simulators.simulator import ResetState
from skeleton2stage.physics.worker.program import kinematics
from skeleton2stage.physics.worker.worker_process import PROGRAM


@pytest.fixture(scope="module")
def folder(humanoid, tmp_path_factory):
    folder = tmp_path_factory.mktemp("asset")
    write_isaacgym_assets(humanoid, folder)
    return folder


@pytest.fixture(scope="module")
def about(folder):
    return json.loads((folder / "humanoid.json").read_text())


@pytest.fixture(scope="module")
def written(folder, about) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_path(str(folder / about["mjcf"]))


def random_quats(shape: tuple[int, ...], scale: float = 1.0, seed: int = 0) -> torch.Tensor:
    rotvec = scale * torch.randn(*shape, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return quaternions.rotvec_to_quat(rotvec)


def test_the_written_humanoid_has_the_same_parts(humanoid, written):
    assert written.nbody == 25 and written.nv == 6 + 69
    for name, parent, joint in zip(skeleton.joint_names(), skeleton.parents(), humanoid.rest_joints, strict=True):
        own, other = written.body(name), humanoid.model.body(name)
        np.testing.assert_allclose(own.mass, other.mass, rtol=2e-3)
        np.testing.assert_allclose(own.ipos, other.ipos, atol=2e-4)
        np.testing.assert_allclose(sorted(own.inertia), sorted(other.inertia), rtol=5e-3)
        origin = humanoid.rest_joints[parent] if parent >= 0 else 0.0
        np.testing.assert_allclose(own.pos, joint - origin, atol=1e-6)
    assert written.body_mass.sum() == pytest.approx(70.0, rel=1e-3)


def test_every_joint_is_three_hinges_at_one_place(written):
    for name in skeleton.joint_names()[1:]:
        axes = np.stack([written.joint(f"{name}_{axis}").axis for axis in "xyz"])
        assert np.array_equal(axes, np.eye(3))
        assert all(np.array_equal(written.joint(f"{name}_{axis}").pos, np.zeros(3)) for axis in "xyz")
        assert all(written.joint(f"{name}_{axis}").range[1] > 2 * np.pi for axis in "xyz")
        assert written.body_dofnum[written.body(name).id] == 3


def test_the_description_is_in_smpl_order(humanoid, about):
    names = skeleton.joint_names()
    assert about["names"] == names and about["parents"] == skeleton.parents()
    assert sum(about["masses_kg"]) == pytest.approx(70.0)
    knee = names.index("left_knee")
    assert (about["stiffness"][knee - 1], about["damping"][knee - 1]) == gains("left_knee")
    assert about["physics_hz"] / about["substeps"] == 30.0
    np.testing.assert_allclose(about["offsets_m"], humanoid.bone_offsets)


def test_masks_keep_exactly_the_excluded_pairs_apart(humanoid, about):
    masks, pairs = about["filters"], excluded_pairs(humanoid)
    for first, second in combinations(range(24), 2):
        assert bool(masks[first] & masks[second]) == ((first, second) in pairs)
    names = skeleton.joint_names()
    assert (names.index("left_hip"), names.index("right_hip")) in pairs
    assert (names.index("left_hip"), names.index("left_knee")) in pairs  # a parent and its child
    assert (names.index("left_wrist"), names.index("right_wrist")) not in pairs
    assert len(pairs) == 36 and 0 < max(masks) < 2**31


def test_masks_by_hand():
    assert filter_masks(set(), 2) == [0, 0]
    # A triangle needs one bit, the pair beside it another.
    assert filter_masks({(0, 1), (1, 2), (0, 2), (2, 3)}, 5) == [1, 1, 3, 2, 0]
    with pytest.raises(ValueError, match="need 32 collision filters, Isaac Gym has 31"):
        filter_masks({(0, other) for other in range(1, 33)}, 33)


def test_rotations_are_the_librarys():
    first, second = random_quats((50,)), random_quats((50,), seed=1)
    vector = torch.randn(50, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    a, b, v = first.numpy(), second.numpy(), vector.numpy()
    for own, library in (
        (kinematics.quat_multiply(a, b), quaternions.quat_multiply(first, second)),
        (kinematics.quat_conjugate(a), quaternions.quat_conjugate(first)),
        (kinematics.quat_rotate(a, v), quaternions.quat_rotate(first, vector)),
        (kinematics.quat_to_rotvec(a), quaternions.quat_to_rotvec(first)),
        (kinematics.rotvec_to_quat(4 * v), quaternions.rotvec_to_quat(4 * vector)),
    ):
        np.testing.assert_allclose(own, library.numpy(), atol=1e-12)


def test_rotations_by_hand():
    np.testing.assert_allclose(kinematics.rotvec_to_quat(np.zeros(3)), [1, 0, 0, 0])
    np.testing.assert_allclose(kinematics.quat_to_rotvec(np.array([-1.0, 0, 0, 0])), [0, 0, 0])
    quarter = kinematics.rotvec_to_quat(np.array([0, 0, np.pi / 2]))
    np.testing.assert_allclose(kinematics.quat_rotate(quarter, np.array([1.0, 0, 0])), [0, 1, 0], atol=1e-12)
    # Three quarters one way are one quarter the other way.
    far = kinematics.quat_to_rotvec(kinematics.rotvec_to_quat(np.array([0, 0, 1.5 * np.pi])))
    np.testing.assert_allclose(far, [0, 0, -np.pi / 2], atol=1e-12)
    assert kinematics.wxyz_from_xyzw(np.array([1, 2, 3, 0])).tolist() == [0, 1, 2, 3]
    assert kinematics.xyzw_from_wxyz(np.array([0, 1, 2, 3])).tolist() == [1, 2, 3, 0]


def test_bodies_move_as_mujoco_says(humanoid, about):
    simulator = MujocoSimulator(humanoid, 3)
    generator = torch.Generator().manual_seed(0)
    state = ResetState(
        torch.randn(3, 3, generator=generator), random_quats((3, 24)).float(),
        torch.randn(3, 3, generator=generator), torch.randn(3, 24, 3, generator=generator),
    )
    simulator.set_state(torch.arange(3), state)
    root = {"pos_w": state.root_pos_w.numpy(), "lin_vel_w": state.root_lin_vel_w.numpy()}
    own = kinematics.forward_kinematics(
        root, state.quat_local.numpy(), state.ang_vel_local.numpy(), about["parents"], np.array(about["offsets_m"])
    )
    for name, value in own.items():
        np.testing.assert_allclose(value, getattr(simulator.read(), name).numpy(), atol=3e-5, err_msg=name)


def test_velocities_taken_elsewhere_are_recognised(about):
    """What the start-up check rests on: only velocities of the joints' points keep the joints together."""
    parents, offsets = about["parents"], np.array(about["offsets_m"])
    random = np.random.RandomState(0)
    root = {"pos_w": np.zeros((2, 3)), "lin_vel_w": random.randn(2, 3)}
    quats = random_quats((2, 24), 0.5).numpy()
    moving = kinematics.forward_kinematics(root, quats, random.randn(2, 24, 3), parents, offsets)
    arm = kinematics.quat_rotate(moving["quat_w"], 0.05 * random.randn(24, 3))
    at_com = moving["lin_vel_w"] + np.cross(moving["ang_vel_w"], arm)
    rest = (moving["ang_vel_w"], moving["quat_w"], parents, offsets)
    assert kinematics.joint_velocity_misfit(moving["lin_vel_w"], *rest) < 1e-12
    assert kinematics.joint_velocity_misfit(at_com, *rest) > 0.1


def test_drives_aim_where_the_library_does():
    present, target = random_quats((4, 23)), random_quats((4, 23), 2.0, seed=3)
    rotvec = quaternions.quat_to_rotvec(present).numpy()
    own = kinematics.drive_targets(rotvec, target.numpy(), np.pi / 2)
    np.testing.assert_allclose(own.reshape(4, 69), pd_controls(present, target).numpy(), atol=1e-12)


def test_drives_count_from_the_coordinates_they_are_given():
    """Coordinates beyond half a turn, which an engine may keep, must not be unwound."""
    beyond = np.array([0.0, 0.0, 3.5])
    target = kinematics.rotvec_to_quat(np.array([0.0, 0.0, 3.7]))
    np.testing.assert_allclose(kinematics.drive_targets(beyond, target, 1.5), [0, 0, 3.7], atol=1e-12)
    far = kinematics.rotvec_to_quat(np.array([0.0, 0.0, 3.5 + 2.0]))
    np.testing.assert_allclose(kinematics.drive_targets(beyond, far, 1.5), [0, 0, 5.0], atol=1e-12)


@pytest.mark.parametrize("name", [
    "protocol", "host", "serve", "kinematics", "isaacgym_host", "isaacgym_worlds", "isaacgym_conventions"
])
def test_the_worker_is_written_for_python_3_6(name):
    ast.parse(PROGRAM.with_name(f"{name}.py").read_text(), feature_version=(3, 6))
