"""Isaac Gym Preview 4 in a worker: one humanoid in each of `n_worlds` environments, on PhysX' GPU pipeline.

Written against Isaac Gym's programming interface and the field's code for it, on machines where it cannot be
installed: never run. What could not be looked up is therefore measured when it starts (`_measure_conventions`):
where an environment's origin is, which point velocities belong to, that the joints' coordinates are exponential
maps and their velocities those of the child's frame. It refuses to start where they are not. What runs there
but needs no Isaac Gym is in `kinematics.py` and tested.

State is kept here, in numpy: the pelvis (13 numbers) and the joints (69 + 69), from which forward kinematics
gives every body; Isaac Gym's own bodies are stale after a reset until the next step. Resets are collected and
sent once, before the next step: Isaac Gym keeps only the last of several indexed calls.
"""

import json
import os
import sys

import kinematics
import numpy as np
from host import Host
from protocol import STATE_ARRAYS

try:
    # Before torch, or it refuses to be imported.
    import isaacgym  # noqa: F401
    from isaacgym import gymapi, gymtorch
except ImportError as error:
    version = ".".join(map(str, sys.version_info[:3]))
    raise ImportError(f"no Isaac Gym in {sys.executable} (Python {version}): {error}") from None

import torch

SPACING_M = 2.0
PARKED_HEIGHT_M = 10.0
_POSITION_TOLERANCE_M = 2e-3
_ANGLE_TOLERANCE_RAD = 5e-3
_SPEED_TOLERANCE = 0.05  # m/s or rad/s, at joint speeds about 1 rad/s
_UPRIGHT = np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])  # turns the pelvis' y up into z up


class IsaacGymHost(Host):
    """Worlds in Isaac Gym. options: device (index of the GPU, 0 unless given)."""

    provides = ("actuator_torques",)

    def __init__(self, folder: str, n_worlds: int, options: dict) -> None:
        with open(os.path.join(folder, "humanoid.json"), encoding="utf-8") as file:
            self._about = json.load(file)
        self._n = n_worlds
        self._device = f"cuda:{options.get('device', 0)}"
        self._offsets = np.array(self._about["offsets_m"])
        self._stiffness, self._damping = (np.array(self._about[k])[:, None] for k in ("stiffness", "damping"))
        self._gym = gymapi.acquire_gym()
        self._sim = self._create_sim(options.get("device", 0))
        self._create_worlds(folder)
        self._acquire_tensors()
        self._state = self._standing_state()
        self._targets = np.zeros((n_worlds, 69), dtype=np.float32)
        self._alive = np.ones(n_worlds, dtype=bool)
        self._changed = np.ones(n_worlds, dtype=bool)
        self._measure_conventions()

    def packages(self) -> dict:
        """Return the versions of what computes here."""
        return {"torch": torch.__version__, "cuda": str(torch.version.cuda), "isaacgym": _isaacgym_version()}

    # Building

    def _create_sim(self, device: int) -> object:
        params = gymapi.SimParams()
        # One simulate() per physics step: a force holds for one of them, and how long within its substeps is
        # not documented.
        params.dt, params.substeps = 1.0 / self._about["physics_hz"], 1
        params.up_axis = gymapi.UP_AXIS_Z
        params.gravity = gymapi.Vec3(0.0, 0.0, -9.81)
        params.use_gpu_pipeline = True
        params.physx.use_gpu = True
        params.physx.solver_type = 1  # temporal Gauss-Seidel
        params.physx.num_position_iterations = 4
        params.physx.num_velocity_iterations = 0
        params.physx.contact_offset = 0.02
        params.physx.rest_offset = 0.0
        params.physx.bounce_threshold_velocity = 0.2
        params.physx.max_depenetration_velocity = 10.0
        params.physx.max_gpu_contact_pairs = 2**23
        params.physx.default_buffer_size_multiplier = 10.0
        sim = self._gym.create_sim(device, -1, gymapi.SIM_PHYSX, params)
        if sim is None:
            raise RuntimeError("Isaac Gym could not create its simulation: it needs an NVIDIA GPU, A100 or older")
        return sim

    def _create_worlds(self, folder: str) -> None:
        gym, sim = self._gym, self._sim
        plane = gymapi.PlaneParams()
        plane.normal = gymapi.Vec3(0.0, 0.0, 1.0)
        plane.static_friction = plane.dynamic_friction = self._about["friction"]
        plane.restitution = 0.0
        gym.add_ground(sim, plane)
        asset = gym.load_asset(sim, folder, self._about["mjcf"], _asset_options())
        self._index(gym.get_asset_rigid_body_names(asset), gym.get_asset_dof_names(asset))
        lower, upper = gymapi.Vec3(-SPACING_M, -SPACING_M, 0.0), gymapi.Vec3(SPACING_M, SPACING_M, SPACING_M)
        start = gymapi.Transform()
        start.p = gymapi.Vec3(0.0, 0.0, PARKED_HEIGHT_M)
        for world in range(self._n):
            env = gym.create_env(sim, lower, upper, int(np.ceil(np.sqrt(self._n))))
            # Own collision group: worlds do not meet. Filter 0: parts meet, but for the masks set below.
            actor = gym.create_actor(env, asset, start, "humanoid", world, 0, 0)
            self._set_properties(env, actor)
        self._com_local = self._read_com(env, actor)
        gym.prepare_sim(sim)

    def _index(self, body_names: list, dof_names: list) -> None:
        """Find SMPL's joints among Isaac Gym's bodies and degrees of freedom."""
        names = self._about["names"]
        wanted = {f"{name}_{axis}" for name in names[1:] for axis in "xyz"}
        if sorted(body_names) != sorted(names) or set(dof_names) != wanted:
            raise RuntimeError(
                f"Isaac Gym read another humanoid than was written: bodies {body_names}, joints {dof_names}"
            )
        self._bodies = np.array([body_names.index(name) for name in names])
        self._dofs = np.array([dof_names.index(f"{name}_{axis}") for name in names[1:] for axis in "xyz"])

    def _set_properties(self, env: object, actor: int) -> None:
        gym = self._gym
        dofs = gym.get_actor_dof_properties(env, actor)
        dofs["driveMode"].fill(gymapi.DOF_MODE_POS)
        dofs["stiffness"][self._dofs] = np.repeat(self._stiffness, 3)
        dofs["damping"][self._dofs] = np.repeat(self._damping, 3)
        dofs["armature"].fill(self._about["armature_kgm2"])
        dofs["friction"].fill(0.0)
        # Nothing holds the drives back, as nothing does in the library's other simulators.
        dofs["effort"].fill(1e6)
        dofs["velocity"].fill(self._about["max_speed"])
        gym.set_actor_dof_properties(env, actor, dofs)
        bodies = gym.get_actor_rigid_body_properties(env, actor)
        for joint, mass in enumerate(self._about["masses_kg"]):
            bodies[self._bodies[joint]].mass = mass
        gym.set_actor_rigid_body_properties(env, actor, bodies, recomputeInertia=True)
        self._set_shapes(env, actor)

    def _set_shapes(self, env: object, actor: int) -> None:
        spans = self._gym.get_actor_rigid_body_shape_indices(env, actor)
        shapes = self._gym.get_actor_rigid_shape_properties(env, actor)
        for joint, mask in enumerate(self._about["filters"]):
            span = spans[self._bodies[joint]]
            for index in range(span.start, span.start + span.count):
                shapes[index].filter = mask
                shapes[index].friction = self._about["friction"]
                shapes[index].restitution = 0.0
        self._gym.set_actor_rigid_shape_properties(env, actor, shapes)

    def _read_com(self, env: object, actor: int) -> np.ndarray:
        """Return the centres of mass in body frames, [24, 3] m."""
        bodies = self._gym.get_actor_rigid_body_properties(env, actor)
        return np.array([[bodies[i].com.x, bodies[i].com.y, bodies[i].com.z] for i in self._bodies])

    def _acquire_tensors(self) -> None:
        gym, sim = self._gym, self._sim
        roots, dofs = gym.acquire_actor_root_state_tensor(sim), gym.acquire_dof_state_tensor(sim)
        bodies = gym.acquire_rigid_body_state_tensor(sim)
        self._refresh()
        self._roots = gymtorch.wrap_tensor(roots).view(self._n, 13)
        self._dof_state = gymtorch.wrap_tensor(dofs).view(self._n, 69, 2)
        self._body_state = gymtorch.wrap_tensor(bodies).view(self._n, 24, 13)
        self._force = torch.zeros(self._n, 24, 3, device=self._device)
        self._torque = torch.zeros_like(self._force)
        # Every actor was created at the same place of its environment, so where it is tells that one's origin.
        self._origins = _numpy(self._roots)[:, :3] - np.array([0.0, 0.0, PARKED_HEIGHT_M])

    def _refresh(self) -> None:
        self._gym.refresh_actor_root_state_tensor(self._sim)
        self._gym.refresh_dof_state_tensor(self._sim)
        self._gym.refresh_rigid_body_state_tensor(self._sim)

    # Stating and driving

    def _standing_state(self) -> dict:
        """Return the rest pose high in the air: generalised state of every world."""
        quat = np.zeros((self._n, 24, 4))
        quat[..., 0] = 1.0
        quat[:, 0] = _UPRIGHT
        pos = np.tile([0.0, 0.0, PARKED_HEIGHT_M], (self._n, 1))
        rotvec = np.zeros((self._n, 23, 3))
        return {
            "root_pos_w": pos, "quat_local": quat, "root_lin_vel_w": np.zeros((self._n, 3)),
            "ang_vel_local": np.zeros((self._n, 24, 3)), "rotvec": rotvec,
        }

    def set_state(self, n: int, arrays: dict) -> None:
        """Set worlds[:n] to the first n rows of the `set_` arrays."""
        worlds = arrays["worlds"][:n]
        for name in ("root_pos_w", "quat_local", "root_lin_vel_w", "ang_vel_local"):
            self._state[name][worlds] = arrays["set_" + name][:n]
        self._state["rotvec"][worlds] = kinematics.quat_to_rotvec(self._state["quat_local"][worlds, 1:])
        self._alive[worlds] = True
        self._changed[worlds] = True

    def step(self, arrays: dict) -> None:
        """Advance by one control step."""
        targets = kinematics.drive_targets(
            self._state["rotvec"], arrays["target_quat_local"].astype(np.float64), self._about["max_error_rad"]
        ).reshape(self._n, 69)
        # What is no number must not reach PhysX, which takes the other worlds with it.
        self._alive &= _finite(dict(self._state, targets=targets, wrench=arrays["wrench_w"]), self._n)
        if not self._alive.any():
            return
        self._targets[:, self._dofs] = targets
        wrench = self._tensor(np.where(self._alive[:, None], arrays["wrench_w"], 0.0))
        self._force[:, self._bodies[0]], self._torque[:, self._bodies[0]] = wrench[:, :3], wrench[:, 3:]
        self._send_changed()
        self._simulate(self._about["substeps"])
        self._receive()

    def _send_changed(self) -> None:
        """Send the states set since the last step; worlds that diverged are parked in the rest pose, out of harm."""
        parked = ~self._alive
        worlds = np.flatnonzero(self._changed | parked)
        if len(worlds):
            full = {name: value.copy() for name, value in self._state.items()}
            for name, value in self._standing_state().items():
                full[name][parked] = value[parked]
            self._roots[worlds] = self._tensor(self._pack_roots(full)[worlds])
            self._dof_state[worlds] = self._tensor(self._pack_dofs(full)[worlds])
            # Kept: what is unwrapped is an address, and the memory must be there when the engine reads it.
            self._indices = torch.as_tensor(worlds, dtype=torch.int32, device=self._device)
            indices = gymtorch.unwrap_tensor(self._indices)
            self._gym.set_actor_root_state_tensor_indexed(
                self._sim, gymtorch.unwrap_tensor(self._roots), indices, len(worlds)
            )
            self._gym.set_dof_state_tensor_indexed(
                self._sim, gymtorch.unwrap_tensor(self._dof_state), indices, len(worlds)
            )
            self._changed[:] = False
        self._targets[parked] = 0.0

    def _pack_roots(self, state: dict) -> np.ndarray:
        """Return [W, 13] as Isaac Gym has it: position, quaternion xyzw, velocities, all in its world."""
        quat = state["quat_local"][:, 0]
        spin = kinematics.quat_rotate(quat, state["ang_vel_local"][:, 0])
        velocity = state["root_lin_vel_w"] + np.cross(spin, kinematics.quat_rotate(quat, self._velocity_arm[0]))
        return np.concatenate(
            [state["root_pos_w"] + self._origins, kinematics.xyzw_from_wxyz(quat), velocity, spin], axis=-1
        )

    def _pack_dofs(self, state: dict) -> np.ndarray:
        """Return [W, 69, 2], exponential maps and velocities in the order of Isaac Gym's joints."""
        packed = np.empty((self._n, 69, 2))
        packed[:, self._dofs, 0] = state["rotvec"].reshape(self._n, 69)
        packed[:, self._dofs, 1] = state["ang_vel_local"][:, 1:].reshape(self._n, 69)
        return packed

    def _simulate(self, n_steps: int) -> None:
        gym, sim = self._gym, self._sim
        targets = self._tensor(self._targets)
        gym.set_dof_position_target_tensor(sim, gymtorch.unwrap_tensor(targets))
        for _ in range(n_steps):
            gym.apply_rigid_body_force_tensors(
                sim, gymtorch.unwrap_tensor(self._force), gymtorch.unwrap_tensor(self._torque), gymapi.ENV_SPACE
            )
            gym.simulate(sim)
        gym.fetch_results(sim, True)
        self._refresh()

    def _receive(self) -> None:
        """Take the new state of worlds that stayed sane; the others diverged and keep what they had."""
        now = self._unpack(_numpy(self._roots), _numpy(self._dof_state))
        speeds = np.concatenate(
            [now["root_lin_vel_w"], now["ang_vel_local"].reshape(self._n, -1)], axis=-1
        )
        # Comparisons with NaN are false: too fast, too.
        sane = _finite(now, self._n) & (np.abs(speeds).max(axis=-1) < self._about["max_speed"])
        self._alive &= sane
        for name, value in now.items():
            self._state[name][self._alive] = value[self._alive]

    def _unpack(self, roots: np.ndarray, dofs: np.ndarray) -> dict:
        """Return the generalised state of every world, from Isaac Gym's [W, 13] and [W, 69, 2]."""
        quat = kinematics.wxyz_from_xyzw(roots[:, 3:7])
        spin = roots[:, 10:13]
        arm = kinematics.quat_rotate(quat, self._velocity_arm[0])
        rotvec, speed = (dofs[:, self._dofs, i].reshape(self._n, 23, 3) for i in (0, 1))
        pelvis = kinematics.quat_rotate(kinematics.quat_conjugate(quat), spin)
        return {
            "root_pos_w": roots[:, :3] - self._origins,
            "quat_local": np.concatenate([quat[:, None], kinematics.rotvec_to_quat(rotvec)], axis=1),
            "root_lin_vel_w": roots[:, 7:10] - np.cross(spin, arm),
            "ang_vel_local": np.concatenate([pelvis[:, None], speed], axis=1),
            "rotvec": rotvec,
        }

    def _tensor(self, array: np.ndarray) -> "torch.Tensor":
        return torch.as_tensor(np.asarray(array, dtype=np.float32), device=self._device)

    # Reading

    def publish(self, arrays: dict) -> None:
        """Write the present state of every world."""
        state = dict(self._state, **self._kinematics(self._state))
        for name in STATE_ARRAYS:
            arrays[name][:] = state[name]
        arrays["diverged"][:] = ~self._alive

    def _kinematics(self, state: dict) -> dict:
        root = {"pos_w": state["root_pos_w"], "lin_vel_w": state["root_lin_vel_w"]}
        return kinematics.forward_kinematics(
            root, state["quat_local"], state["ang_vel_local"], self._about["parents"], self._offsets
        )

    def measure(self, name: str, arrays: dict) -> None:
        """Write the torques that the drives' law gives at the present state, [W, 23, 3]."""
        if name not in self.provides:
            raise ValueError(f"this worker does not measure {name}")
        targets = self._targets[:, self._dofs].reshape(self._n, 23, 3)
        spring = self._stiffness * (targets - self._state["rotvec"])
        arrays[name][:] = spring - self._damping * self._state["ang_vel_local"][:, 1:]

    # Checking what could not be looked up

    def _measure_conventions(self) -> None:
        """Move one step from a random state in the air; compare Isaac Gym's bodies with forward kinematics."""
        self._velocity_arm = np.zeros((24, 3))
        random = np.random.RandomState(0)
        self._state["rotvec"] = 0.5 * random.randn(self._n, 23, 3)
        self._state["quat_local"][:, 1:] = kinematics.rotvec_to_quat(self._state["rotvec"])
        self._state["ang_vel_local"] = random.randn(self._n, 24, 3)
        self._targets[:, self._dofs] = self._state["rotvec"].reshape(self._n, 69)
        self._send_changed()
        self._simulate(1)
        bodies = _numpy(self._body_state)[:, self._bodies]
        self._velocity_arm = self._find_velocity_arm(bodies)
        computed = self._kinematics(self._unpack(_numpy(self._roots), _numpy(self._dof_state)))
        _compare(computed, bodies, self._origins, self._velocity_arm)
        self._state = self._standing_state()
        self._changed[:] = True

    def _find_velocity_arm(self, bodies: np.ndarray) -> np.ndarray:
        """Return where in body frames, [24, 3] m, the velocities of `bodies` [W, 24, 13] are taken: zero or com."""
        quat, spin = kinematics.wxyz_from_xyzw(bodies[..., 3:7]), bodies[..., 10:13]
        misfits = []
        for arm in (np.zeros((24, 3)), self._com_local):
            at_joint = bodies[..., 7:10] - np.cross(spin, kinematics.quat_rotate(quat, arm))
            misfits.append(kinematics.joint_velocity_misfit(
                at_joint, spin, quat, self._about["parents"], self._offsets
            ))
        if min(misfits) > _SPEED_TOLERANCE:
            raise RuntimeError(f"Isaac Gym's velocities are neither the joints' nor the centres' of mass: {misfits}")
        return np.zeros((24, 3)) if misfits[0] <= misfits[1] else self._com_local


def _asset_options() -> object:
    options = gymapi.AssetOptions()
    options.angular_damping = options.linear_damping = 0.0
    options.max_angular_velocity = options.max_linear_velocity = 1000.0
    options.fix_base_link = False
    options.collapse_fixed_joints = False
    options.replace_cylinder_with_capsule = False
    options.default_dof_drive_mode = gymapi.DOF_MODE_POS
    return options


def _compare(computed: dict, bodies: np.ndarray, origins: np.ndarray, arm: np.ndarray) -> None:
    """Raise RuntimeError where forward kinematics and Isaac Gym's bodies [W, 24, 13] disagree."""
    quat = kinematics.wxyz_from_xyzw(bodies[..., 3:7])
    turn = kinematics.quat_to_rotvec(kinematics.quat_multiply(kinematics.quat_conjugate(quat), computed["quat_w"]))
    at_joint = bodies[..., 7:10] - np.cross(bodies[..., 10:13], kinematics.quat_rotate(quat, arm))
    checks = (
        ("positions (m)", bodies[..., :3] - origins[:, None] - computed["pos_w"], _POSITION_TOLERANCE_M),
        ("rotations (rad): its joints are no exponential maps", turn, _ANGLE_TOLERANCE_RAD),
        ("angular velocities (rad/s)", bodies[..., 10:13] - computed["ang_vel_w"], _SPEED_TOLERANCE),
        ("velocities (m/s)", at_joint - computed["lin_vel_w"], _SPEED_TOLERANCE),
    )
    for what, difference, tolerance in checks:
        worst = float(np.abs(difference).max())
        if not worst <= tolerance:
            raise RuntimeError(f"this Isaac Gym differs from what was expected by {worst:.3g} in {what}")


def _finite(values: dict, n: int) -> np.ndarray:
    """Return of which worlds all values are finite, [n] bool."""
    return np.isfinite(np.concatenate([value.reshape(n, -1) for value in values.values()], axis=-1)).all(axis=-1)


def _isaacgym_version() -> str:
    return str(getattr(isaacgym, "__version__", "unknown"))


def _numpy(tensor: "torch.Tensor") -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


def make_host(folder: str, n_worlds: int, options: dict) -> Host:
    """Return the host of the humanoid in `folder`."""
    return IsaacGymHost(folder, n_worlds, options)
