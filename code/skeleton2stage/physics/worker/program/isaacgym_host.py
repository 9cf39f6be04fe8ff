"""Isaac Gym Preview 4 in a worker: one humanoid in each of `n_worlds` environments, on PhysX' GPU pipeline.

Written against Isaac Gym's programming interface and the field's code for it, on machines where it cannot be
installed: never run. What could not be looked up is therefore measured when it starts (`_measure_conventions`):
where an environment's origin is, which point velocities belong to, that the joints' coordinates are exponential
maps and their velocities those of the child's frame. It refuses to start where they are not. What runs there
but needs no Isaac Gym is in `kinematics.py`, tested, and `isaacgym_conventions.py`.

State is kept here, in numpy: the pelvis (13 numbers) and the joints (69 + 69), from which forward kinematics
gives every body; Isaac Gym's own bodies are stale after a reset until the next step. Resets are collected and
sent once, before the next step: Isaac Gym keeps only the last of several indexed calls.
"""

import kinematics
import numpy as np
from host import Host
from isaacgym_conventions import compare, find_velocity_arm

# Isaac Gym and torch come from there, which imports the first before the second, as it must be.
from isaacgym_worlds import PARKED_HEIGHT_M, IsaacGymWorlds, as_numpy, gymapi, gymtorch, isaacgym_version, torch
from protocol import STATE_ARRAYS

_UPRIGHT = np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])  # turns the pelvis' y up into z up


class IsaacGymHost(IsaacGymWorlds, Host):
    """Worlds in Isaac Gym. options: device (index of the GPU, 0 unless given)."""

    provides = ("actuator_torques",)

    def __init__(self, folder: str, n_worlds: int, options: dict) -> None:
        super().__init__(folder, n_worlds, options.get("device", 0))
        self._state = self._standing_state()
        self._targets = np.zeros((n_worlds, 69), dtype=np.float32)
        self._alive = np.ones(n_worlds, dtype=bool)
        self._changed = np.ones(n_worlds, dtype=bool)
        self._measure_conventions()

    def packages(self) -> dict:
        """Return the versions of what computes here."""
        return {"torch": torch.__version__, "cuda": str(torch.version.cuda), "isaacgym": isaacgym_version()}

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
        now = self._unpack(as_numpy(self._roots), as_numpy(self._dof_state))
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
        bodies = as_numpy(self._body_state)[:, self._bodies]
        self._velocity_arm = find_velocity_arm(bodies, self._com_local, self._about["parents"], self._offsets)
        computed = self._kinematics(self._unpack(as_numpy(self._roots), as_numpy(self._dof_state)))
        compare(computed, bodies, self._origins, self._velocity_arm)
        self._state = self._standing_state()
        self._changed[:] = True


def _finite(values: dict, n: int) -> np.ndarray:
    """Return of which worlds all values are finite, [n] bool."""
    return np.isfinite(np.concatenate([value.reshape(n, -1) for value in values.values()], axis=-1)).all(axis=-1)


def make_host(folder: str, n_worlds: int, options: dict) -> Host:
    """Return the host of the humanoid in `folder`."""
    return IsaacGymHost(folder, n_worlds, options)
