import mujoco
import numpy as np
import pytest
import trimesh

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


@pytest.mark.parametrize(("gain", "parts"), [
    (500, ("hip", "knee")), (400, ("ankle", "collar", "shoulder")), (200, ("foot",)),
    (1000, ("spine1", "spine2", "spine3")), (300, ("elbow",)), (100, ("neck", "head", "wrist", "hand")),
])
def test_gains_are_those_of_the_published_controller(humanoid, gain, parts):
    """Chosen for 90 kg, damped by a tenth, and in the compiled model on each of the joint's three axes."""
    names = [name for name in skeleton.joint_names() if name.split("_")[-1] in parts]
    assert {name.split("_")[-1] for name in names} == set(parts)
    for name in names:
        assert gains(name) == pytest.approx((gain * 70 / 90, 0.1 * gain * 70 / 90))
        for place, axis in enumerate("xyz"):
            actuator = humanoid.model.actuator(f"{name}_{axis}")
            assert actuator.gainprm[0] == pytest.approx(gain * 70 / 90)
            assert actuator.biasprm[1:3].tolist() == pytest.approx([-gain * 70 / 90, -0.1 * gain * 70 / 90])
            assert actuator.gear.tolist() == [*np.eye(3)[place], 0, 0, 0]


def test_its_physics_is_as_documented(humanoid):
    """120 steps a second, a rough floor, armature on all joints but the root, and no reset of what diverges."""
    model = humanoid.model
    assert model.opt.timestep == pytest.approx(1 / 120)
    assert model.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_AUTORESET
    assert model.opt.integrator == mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    assert (model.geom_friction[:, 0] == 1.0).all() and len(model.geom_friction) == 25
    assert model.dof_armature.tolist() == [0.0] * 6 + [0.02] * 69
    assert (model.nq, model.nv, model.nu) == (7 + 23 * 4, 6 + 23 * 3, 69)
    assert model.opt.gravity.tolist() == [0.0, 0.0, -9.81]


def test_one_density_is_for_all_parts(humanoid):
    """Mass over the volume of its own hull, by another library, is the same for every part."""
    mass = humanoid.model.body_mass[humanoid.body_ids]
    volume = np.array([trimesh.convex.convex_hull(points).volume for points in humanoid.hull_vertices])
    np.testing.assert_allclose(mass / volume, (mass / volume).mean(), rtol=0.02)
    assert (mass / volume).mean() == pytest.approx(mass.sum() / volume.sum(), rel=0.01)


def test_pairs_that_never_touch_are_those_that_jam_and_those_that_touch_at_rest(humanoid):
    model = humanoid.model
    names = [model.body(index).name for index in range(model.nbody)]
    pairs = {frozenset(names[index] for index in divmod(int(signature), 1 << 16))
             for signature in model.exclude_signature}
    jamming = [
        ("left_hip", "right_hip"), ("spine1", "spine3"), ("spine3", "head"),
        *((f"{side}_knee", f"{side}_foot") for side in ("left", "right")),
        *((f"{one}_knee", f"{other}_{part}") for one, other in (("left", "right"), ("right", "left"))
          for part in ("ankle", "foot")),
        *((f"{side}_shoulder", spine) for side in ("left", "right") for spine in ("spine2", "spine3")),
    ]
    assert {frozenset(pair) for pair in jamming} <= pairs
    free = [("left_elbow", "spine3"), ("left_wrist", "right_wrist"), ("left_knee", "right_knee"), ("head", "left_hand")]
    assert not {frozenset(pair) for pair in free} & pairs


def test_rest_pose_overlaps_are_found_and_left_out(humanoid):
    """A hand that is in the head at rest may stay there; away from it, it is told of it."""
    rng = np.random.default_rng(1)
    joints = humanoid.rest_joints.copy()
    owner = np.repeat(np.arange(24), 40)
    vertices = joints[owner] + rng.uniform(-0.03, 0.03, (24 * 40, 3))
    weights = np.eye(24)[owner]
    apart = build_humanoid(vertices, weights, joints).model.nexclude
    moved = vertices.copy()
    moved[owner == 22] += joints[15] - joints[22]
    together = build_humanoid(moved, weights, joints)
    assert together.model.nexclude == apart + 1
    names = [together.model.body(index).name for index in range(together.model.nbody)]
    pairs = [{names[index] for index in divmod(int(s), 1 << 16)} for s in together.model.exclude_signature]
    assert {"left_hand", "head"} in pairs


def test_a_body_anywhere_is_the_same_humanoid(humanoid):
    """The joints' own place in the mesh's frame does not matter: the pelvis is where the humanoid begins."""
    rng = np.random.default_rng(1)
    owner = np.repeat(np.arange(24), 12)
    vertices = humanoid.rest_joints[owner] + rng.uniform(-0.03, 0.03, (24 * 12, 3))
    here, there = (
        build_humanoid(vertices + shift, np.eye(24)[owner], humanoid.rest_joints + shift)
        for shift in (np.zeros(3), np.array([0.3, -0.5, 1.0]))
    )
    np.testing.assert_allclose(here.rest_joints[0], 0.0, atol=1e-12)
    np.testing.assert_allclose(there.rest_joints, here.rest_joints, atol=1e-9)
    np.testing.assert_allclose(there.model.body_mass, here.model.body_mass, rtol=1e-4)
    np.testing.assert_allclose(there.model.body_pos, here.model.body_pos, atol=1e-6)


def test_every_joint_has_gains():
    for name in skeleton.joint_names()[1:]:
        assert all(value > 0 for value in gains(name))


def test_a_part_without_vertices_is_refused(humanoid):
    vertices = np.random.default_rng(0).normal(size=(100, 3))
    weights = np.zeros((100, 24))
    weights[:, 0] = 1.0
    with pytest.raises(ValueError, match="left_hip owns 0 vertices"):
        build_humanoid(vertices, weights, humanoid.rest_joints)
