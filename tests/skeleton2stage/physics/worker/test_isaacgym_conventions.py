"""What is told of an engine from how its bodies move: on bodies that MuJoCo moves, each convention made by hand."""

import sys

import mujoco
import numpy as np
import pytest

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.worker.worker_process import PROGRAM

PARENTS = skeleton.parents()


@pytest.fixture(scope="module")
def program():
    """The worker's modules, which find each other by their bare names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROGRAM.parent))
        import isaacgym_conventions
        import kinematics

        yield isaacgym_conventions, kinematics
    for name in ("isaacgym_conventions", "kinematics"):
        del sys.modules[name]


@pytest.fixture(scope="module")
def moving(humanoid):
    """Two worlds in any pose at any speeds as MuJoCo has them: what is computed from, and what the engine says."""
    generator = np.random.default_rng(0)
    model, ids = humanoid.model, humanoid.body_ids
    data = mujoco.MjData(model)
    inputs = {name: [] for name in ("root_pos", "root_vel", "quat_local", "ang_vel_local")}
    outputs = {name: [] for name in ("pos", "quat", "vel", "spin")}
    for _ in range(2):
        data.qpos[:3] = generator.normal(size=3)
        quats = generator.normal(size=(24, 4))
        quats /= np.linalg.norm(quats, axis=1, keepdims=True)
        for joint, name in enumerate(skeleton.joint_names()):
            address = model.joint(name).qposadr[0] + (3 if joint == 0 else 0)
            data.qpos[address : address + 4] = quats[joint]
        data.qvel[:] = generator.normal(size=model.nv)
        mujoco.mj_forward(model, data)
        inputs["root_pos"].append(data.qpos[:3].copy())
        inputs["root_vel"].append(data.qvel[:3].copy())
        inputs["quat_local"].append(quats)
        inputs["ang_vel_local"].append(np.stack([
            data.qvel[model.joint(name).dofadr[0] + (3 if joint == 0 else 0) :][:3]
            for joint, name in enumerate(skeleton.joint_names())
        ]))
        speeds = np.empty((24, 6))
        for joint, body in enumerate(ids):
            mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, speeds[joint], 0)
        outputs["pos"].append(data.xpos[ids].copy())
        outputs["quat"].append(data.xquat[ids].copy())
        outputs["vel"].append(speeds[:, 3:].copy())
        outputs["spin"].append(speeds[:, :3].copy())
    stacked = {name: np.stack(values) for name, values in (inputs | outputs).items()}
    return stacked | {"com": model.body_ipos[ids]}


def computed(kinematics, moving, humanoid) -> dict:
    root = {"pos_w": moving["root_pos"], "lin_vel_w": moving["root_vel"]}
    return kinematics.forward_kinematics(
        root, moving["quat_local"], moving["ang_vel_local"], PARENTS, humanoid.bone_offsets
    )


def states(kinematics, moving, arm: np.ndarray) -> np.ndarray:
    """Bodies [2, 24, 13] as the engine gives them: position, rotation xyzw, velocity of a point of each, spin."""
    offset = kinematics.quat_rotate(moving["quat"], arm)
    velocity = moving["vel"] + np.cross(moving["spin"], offset)
    quat = kinematics.xyzw_from_wxyz(moving["quat"])
    return np.concatenate((moving["pos"], quat, velocity, moving["spin"]), axis=-1)


def test_forward_kinematics_are_the_engines(program, moving, humanoid):
    _, kinematics = program
    found = computed(kinematics, moving, humanoid)
    np.testing.assert_allclose(found["pos_w"], moving["pos"], atol=1e-6)
    same = np.abs((found["quat_w"] * moving["quat"]).sum(axis=-1))
    np.testing.assert_allclose(same, 1.0, atol=1e-9)
    np.testing.assert_allclose(found["ang_vel_w"], moving["spin"], atol=1e-6)
    np.testing.assert_allclose(found["lin_vel_w"], moving["vel"], atol=1e-6)


def test_the_point_whose_velocity_is_told_is_found(program, moving, humanoid):
    conventions, kinematics = program
    offsets, com = humanoid.bone_offsets, moving["com"]
    at_joints = conventions.find_velocity_arm(states(kinematics, moving, np.zeros((24, 3))), com, PARENTS, offsets)
    at_centres = conventions.find_velocity_arm(states(kinematics, moving, com), com, PARENTS, offsets)
    assert not at_joints.any()
    np.testing.assert_array_equal(at_centres, com)


def test_velocities_of_neither_are_refused(program, moving, humanoid):
    conventions, kinematics = program
    with pytest.raises(RuntimeError, match="neither the joints' nor the centres' of mass"):
        conventions.find_velocity_arm(
            states(kinematics, moving, moving["com"] + 0.2), moving["com"], PARENTS, humanoid.bone_offsets
        )


def test_an_engine_that_is_as_expected_passes_wherever_its_worlds_are(program, moving, humanoid):
    conventions, kinematics = program
    expected = computed(kinematics, moving, humanoid)
    origins = np.array([[0.0, 0.0, 0.0], [4.0, -4.0, 0.0]])
    for arm in (np.zeros((24, 3)), moving["com"]):
        bodies = states(kinematics, moving, arm)
        bodies[..., :3] += origins[:, None]
        conventions.compare(expected, bodies, origins, arm)


@pytest.mark.parametrize(("columns", "by", "words"), [
    (slice(0, 3), 3e-3, r"0.003 in positions \(m\)"),
    (slice(7, 10), 0.1, r"0.1 in velocities \(m/s\)"),
    (slice(10, 13), 0.1, "in angular velocities"),
])
def test_what_differs_is_told_with_by_how_much(program, moving, humanoid, columns, by, words):
    conventions, kinematics = program
    bodies = states(kinematics, moving, np.zeros((24, 3)))
    bodies[1, 17, columns] += by
    with pytest.raises(RuntimeError, match=words):
        conventions.compare(computed(kinematics, moving, humanoid), bodies, np.zeros((2, 3)), np.zeros((24, 3)))


def test_other_joints_than_exponential_maps_are_told(program, moving, humanoid):
    conventions, kinematics = program
    bodies = states(kinematics, moving, np.zeros((24, 3)))
    turned = kinematics.quat_multiply(moving["quat"], kinematics.rotvec_to_quat(np.array([0.01, 0.0, 0.0])))
    bodies[..., 3:7] = kinematics.xyzw_from_wxyz(turned)
    with pytest.raises(RuntimeError, match=r"by 0.01 in rotations \(rad\): its joints are no exponential maps"):
        conventions.compare(computed(kinematics, moving, humanoid), bodies, np.zeros((2, 3)), np.zeros((24, 3)))


def test_what_is_no_number_differs_too(program, moving, humanoid):
    conventions, kinematics = program
    bodies = states(kinematics, moving, np.zeros((24, 3)))
    bodies[0, 3, 0] = np.nan
    with pytest.raises(RuntimeError, match="nan in positions"):
        conventions.compare(computed(kinematics, moving, humanoid), bodies, np.zeros((2, 3)), np.zeros((24, 3)))
