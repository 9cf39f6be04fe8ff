import mujoco
import numpy as np
import pytest

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.build_humanoid import build_humanoid
from skeleton2stage.physics.humanoid.humanoid import gains


def test_it_weighs_seventy_kilograms(humanoid):
    assert humanoid.model.body_subtreemass[0] == pytest.approx(70.0, rel=1e-6)


def test_its_joints_are_smpls(humanoid):
    np.testing.assert_allclose(humanoid.rest_joints, skeleton.rest_joints(), atol=1e-4)
    np.testing.assert_allclose(humanoid.bone_offsets, skeleton.offsets(), atol=2e-4)


def test_every_part_is_a_small_hull(humanoid):
    assert len(humanoid.hull_vertices) == 24
    assert all(4 <= len(vertices) <= 64 for vertices in humanoid.hull_vertices)


def test_hull_vertices_are_where_the_engine_puts_them(humanoid):
    """The lowest hull vertex of a foot is as high as the engine's own distance to the floor says."""
    data = mujoco.MjData(humanoid.model)
    data.qpos[:7] = [0, 0, 2.0, np.sqrt(0.5), np.sqrt(0.5), 0, 0]
    mujoco.mj_forward(humanoid.model, data)
    name = "left_foot"
    joint = skeleton.joint_index(name)
    rotation = data.body(name).xmat.reshape(3, 3)
    lowest = (humanoid.hull_vertices[joint] @ rotation.T + data.body(name).xpos)[:, 2].min()
    floor, foot = humanoid.model.geom("floor").id, humanoid.model.geom(name).id
    distance = mujoco.mj_geomDistance(humanoid.model, data, floor, foot, 10.0, None)
    assert lowest == pytest.approx(distance, abs=1e-5)


def test_the_rest_pose_touches_nothing(humanoid):
    data = mujoco.MjData(humanoid.model)
    data.qpos[2] = 5.0
    mujoco.mj_forward(humanoid.model, data)
    assert data.ncon == 0


def test_an_arm_pushed_into_the_chest_touches_it(humanoid):
    data = mujoco.MjData(humanoid.model)
    data.qpos[2] = 5.0
    for name, turn in (("left_shoulder", [0, -1.6, 0]), ("left_elbow", [0, -2.0, 0])):
        address = humanoid.model.joint(name).qposadr[0]
        angle = np.linalg.norm(turn)
        mujoco.mju_axisAngle2Quat(data.qpos[address : address + 4], np.array(turn) / angle, angle)
    mujoco.mj_forward(humanoid.model, data)
    assert data.ncon > 0


def test_the_mjcf_compiles_to_the_same_model(humanoid):
    again = mujoco.MjModel.from_xml_string(humanoid.xml)
    np.testing.assert_allclose(again.body_mass, humanoid.model.body_mass, rtol=1e-4)
    assert again.nexclude == humanoid.model.nexclude


def test_gains_are_scaled_by_mass():
    assert gains("left_knee") == pytest.approx((500 * 70 / 90, 50 * 70 / 90))
    assert gains("right_hand") == pytest.approx((100 * 70 / 90, 10 * 70 / 90))


def test_every_joint_has_gains():
    for name in skeleton.joint_names()[1:]:
        assert all(value > 0 for value in gains(name))


def test_a_part_without_vertices_is_refused(humanoid):
    vertices = np.random.default_rng(0).normal(size=(100, 3))
    weights = np.zeros((100, 24))
    weights[:, 0] = 1.0
    with pytest.raises(ValueError, match="left_hip owns 0 vertices"):
        build_humanoid(vertices, weights, humanoid.rest_joints)
