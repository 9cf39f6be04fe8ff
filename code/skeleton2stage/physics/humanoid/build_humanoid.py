"""The humanoid cut from a body mesh, jointed where the body's joints are: MuJoCo's model of it."""

import mujoco
import numpy as np

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.humanoid.humanoid import (
    ARMATURE_KGM2,
    FLOOR_FRICTION,
    PHYSICS_HZ,
    TOTAL_MASS_KG,
    Humanoid,
    gains,
)

MAX_HULL_VERTICES = 64

# Pairs that jam when posed although they are clear of each other at rest.
_JAMMING_PAIRS = (
    ("left_hip", "right_hip"),
    ("left_knee", "left_foot"),
    ("right_knee", "right_foot"),
    ("left_knee", "right_ankle"),
    ("left_knee", "right_foot"),
    ("right_knee", "left_ankle"),
    ("right_knee", "left_foot"),
    ("spine1", "spine3"),
    ("spine3", "head"),
    ("left_shoulder", "spine2"),
    ("left_shoulder", "spine3"),
    ("right_shoulder", "spine2"),
    ("right_shoulder", "spine3"),
)


def part_vertices(vertices: np.ndarray, weights: np.ndarray, joints: np.ndarray) -> list[np.ndarray]:
    """Return for each joint the rest vertices it owns (largest skinning weight), relative to the joint.

    vertices [V, 3] m, weights [V, 24], joints [24, 3] m, all in one frame.
    """
    owner = weights.argmax(axis=1)
    return [vertices[owner == joint] - joints[joint] for joint in range(skeleton.N_JOINTS)]


def build_humanoid(vertices: np.ndarray, weights: np.ndarray, joints: np.ndarray) -> Humanoid:
    """Return the humanoid of a body: rest vertices [V, 3], skinning weights [V, 24], joints [24, 3] m.

    Every part is the convex hull of its vertices; one density for all makes the whole weigh 70 kg.
    Raises ValueError where a joint owns too few vertices to have a hull.
    """
    joints = np.asarray(joints, dtype=np.float64)
    parts = part_vertices(np.asarray(vertices, dtype=np.float64), np.asarray(weights), joints)
    for name, points in zip(skeleton.joint_names(), parts, strict=True):
        if len(points) < 4:
            raise ValueError(f"the body's {name} owns {len(points)} vertices: too few for a part")
    joints = joints - joints[0]
    draft = _spec(parts, joints, density=1.0, excluded=[]).compile()
    density = TOTAL_MASS_KG / float(draft.body_subtreemass[0])
    overlapping = rest_overlaps(_spec(parts, joints, density, excluded=[]).compile())
    excluded = {tuple(sorted(pair)) for pair in (*_JAMMING_PAIRS, *overlapping)}
    spec = _spec(parts, joints, density, sorted(excluded))
    model = spec.compile()
    return Humanoid(model, spec.to_xml(), joints, tuple(_hulls(model)))


def rest_overlaps(model: mujoco.MjModel) -> list[tuple[str, str]]:
    """Return the pairs of parts that touch each other in the rest pose, high above the floor."""
    data = mujoco.MjData(model)
    data.qpos[2] = 10.0
    mujoco.mj_forward(model, data)
    bodies = {tuple(sorted(model.geom_bodyid[list(contact.geom)])) for contact in data.contact}
    return sorted((model.body(a).name, model.body(b).name) for a, b in bodies)


def _spec(
    parts: list[np.ndarray], joints: np.ndarray, density: float, excluded: list[tuple[str, str]]
) -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.modelname = "humanoid"
    _set_options(spec)
    spec.worldbody.add_geom(
        name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 0.05], friction=[FLOOR_FRICTION, 0.005, 1e-4]
    )
    bodies: dict[int, mujoco.MjsBody] = {}
    for joint, (name, parent) in enumerate(zip(skeleton.joint_names(), skeleton.parents(), strict=True)):
        _add_hull(spec, name, parts[joint])
        holder = spec.worldbody if parent < 0 else bodies[parent]
        position = joints[joint] - (joints[parent] if parent >= 0 else joints[joint])
        bodies[joint] = _add_body(spec, holder, name, position, density, is_root=parent < 0)
    for first, second in excluded:
        spec.add_exclude(bodyname1=first, bodyname2=second)
    return spec


def _set_options(spec: mujoco.MjSpec) -> None:
    spec.option.timestep = 1.0 / PHYSICS_HZ
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # A diverged world must stay visible: by default MuJoCo resets it to the rest pose and goes on.
    spec.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
    spec.option.iterations = 20
    spec.option.ls_iterations = 20


def _add_hull(spec: mujoco.MjSpec, name: str, points: np.ndarray) -> None:
    mesh = spec.add_mesh(name=name)
    mesh.uservert = points.ravel().tolist()
    mesh.maxhullvert = MAX_HULL_VERTICES
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX


def _add_body(
    spec: mujoco.MjSpec,
    holder: mujoco.MjsBody,
    name: str,
    position: np.ndarray,
    density: float,
    is_root: bool,
) -> mujoco.MjsBody:
    body = holder.add_body(name=name, pos=position)
    body.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, density=density,
        friction=[FLOOR_FRICTION, 0.005, 1e-4],
    )
    if is_root:
        body.add_freejoint(name=name)
        return body
    body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_BALL, armature=ARMATURE_KGM2)
    kp, kd = gains(name)
    for axis, gear in zip("xyz", np.eye(3), strict=True):
        actuator = spec.add_actuator(name=f"{name}_{axis}", target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.gear = [*gear, 0, 0, 0]
        actuator.set_to_position(kp=kp, kv=kd)
    return body


def _hulls(model: mujoco.MjModel) -> list[np.ndarray]:
    hulls = []
    for name in skeleton.joint_names():
        geom = model.geom(name)
        mesh = model.mesh(int(geom.dataid[0]))
        start, count = int(mesh.vertadr[0]), int(mesh.vertnum[0])
        points = model.mesh_vert[start : start + count]
        graph = _hull_indices(model, int(geom.dataid[0]))
        rotation = np.empty(9)
        mujoco.mju_quat2Mat(rotation, geom.quat)
        hulls.append(points[graph] @ rotation.reshape(3, 3).T + geom.pos)
    return hulls


def _hull_indices(model: mujoco.MjModel, mesh_id: int) -> np.ndarray:
    """Return which of a mesh's vertices its hull keeps (MuJoCo's mesh_graph layout)."""
    start = int(model.mesh_graphadr[mesh_id])
    count = int(model.mesh_graph[start])
    first = start + 2 + count
    return model.mesh_graph[first : first + count]
