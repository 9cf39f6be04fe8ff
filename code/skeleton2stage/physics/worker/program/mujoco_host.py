"""The library's own `mujoco` simulator in a worker; needs the library, so Python 3.11."""

import os

import mujoco
import numpy as np
import torch
from host import Host
from protocol import SET_ARRAYS, STATE_ARRAYS

from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.simulators.mujoco_simulator import MujocoSimulator
from skeleton2stage.physics.simulators.simulator import ResetState, Simulator


class SimulatorHost(Host):
    """Any simulator of the library, served as it is."""

    provides = ("actuator_torques", "self_contacts")

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def packages(self) -> dict:
        """Return the versions of what computes here."""
        return {"mujoco": mujoco.__version__, "torch": torch.__version__}

    def set_state(self, n: int, arrays: dict) -> None:
        """Set worlds[:n] to the first n rows of the `set_` arrays."""
        worlds = torch.from_numpy(arrays["worlds"][:n].astype(np.int64))
        state = ResetState(*(torch.from_numpy(arrays[name][:n]) for name in SET_ARRAYS))
        self._simulator.set_state(worlds, state)

    def step(self, arrays: dict) -> None:
        """Advance by one control step."""
        targets, wrench = (torch.from_numpy(arrays[name]) for name in ("target_quat_local", "wrench_w"))
        self._simulator.step(targets, wrench)

    def publish(self, arrays: dict) -> None:
        """Write the present state of every world."""
        state = self._simulator.read()
        for name in STATE_ARRAYS:
            arrays[name][:] = getattr(state, name).cpu().numpy()
        arrays["diverged"][:] = self._simulator.diverged.cpu().numpy()

    def measure(self, name: str, arrays: dict) -> None:
        """Write the joint torques or the depth of self-contacts."""
        if name not in self.provides:
            raise ValueError(f"this worker does not measure {name}")
        arrays[name][:] = getattr(self._simulator, name)().cpu().numpy()


def make_host(folder: str, n_worlds: int, options: dict) -> Host:
    """Return the host of the humanoid in `folder`; options: n_threads (0: all that this process may use)."""
    torch.set_num_threads(1)  # its tensors are small, and the cores are for the worlds
    model = mujoco.MjModel.from_binary_path(os.path.join(folder, "humanoid.mjb"))
    humanoid = Humanoid(model, "", np.load(os.path.join(folder, "rest_joints.npy")), ())
    return SimulatorHost(MujocoSimulator(humanoid, n_worlds, options.get("n_threads", 0)))
