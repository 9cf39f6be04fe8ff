"""Worlds of Isaac Gym: its simulation, a humanoid in each environment, and its tensors.

Written as `isaacgym_host` is: never run. An environment's origin is measured, for it could not be looked up.
"""

import json
import os
import sys

import numpy as np

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


class IsaacGymWorlds:
    """One humanoid, as `folder` describes it, in each of `n_worlds` environments on the GPU of that index."""

    def __init__(self, folder: str, n_worlds: int, device: int) -> None:
        with open(os.path.join(folder, "humanoid.json"), encoding="utf-8") as file:
            self._about = json.load(file)
        self._n = n_worlds
        self._device = f"cuda:{device}"
        self._offsets = np.array(self._about["offsets_m"])
        self._stiffness, self._damping = (np.array(self._about[k])[:, None] for k in ("stiffness", "damping"))
        self._gym = gymapi.acquire_gym()
        self._sim = self._create_sim(device)
        self._create_worlds(folder)
        self._acquire_tensors()

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
        self._origins = as_numpy(self._roots)[:, :3] - np.array([0.0, 0.0, PARKED_HEIGHT_M])

    def _refresh(self) -> None:
        self._gym.refresh_actor_root_state_tensor(self._sim)
        self._gym.refresh_dof_state_tensor(self._sim)
        self._gym.refresh_rigid_body_state_tensor(self._sim)


def _asset_options() -> object:
    options = gymapi.AssetOptions()
    options.angular_damping = options.linear_damping = 0.0
    options.max_angular_velocity = options.max_linear_velocity = 1000.0
    options.fix_base_link = False
    options.collapse_fixed_joints = False
    options.replace_cylinder_with_capsule = False
    options.default_dof_drive_mode = gymapi.DOF_MODE_POS
    return options


def isaacgym_version() -> str:
    """Return what this Isaac Gym calls itself."""
    return str(getattr(isaacgym, "__version__", "unknown"))


def as_numpy(tensor: "torch.Tensor") -> np.ndarray:
    """Return a tensor as an array of doubles."""
    return tensor.detach().cpu().numpy().astype(np.float64)
