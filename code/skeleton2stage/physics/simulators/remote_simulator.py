"""Any backend, in another process and another interpreter: a `Simulator` whose worlds live in a worker.

States and controls pass through shared memory; commands, answers and errors through pipes
(`worker/protocol.py`). What a worker cannot measure itself is measured here, from the state it gave.
"""

from collections.abc import Callable
from pathlib import Path

import mujoco
import numpy as np
import torch

from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.simulators.engine_layout import engine_layout
from skeleton2stage.physics.simulators.simulator import BodyState, ResetState, Simulator
from skeleton2stage.physics.worker.program.protocol import SET_ARRAYS, STATE_ARRAYS
from skeleton2stage.physics.worker.worker_process import WorkerConfig, WorkerProcess


class RemoteSimulator(Simulator):
    """`n_worlds` humanoids in a worker; ended by `close`, at the end of a `with`, or when nobody holds it.

    write_assets: writes what the worker's host needs of the humanoid into a folder. Every method may raise
    WorkerError: the worker cannot start, failed, died, or did not answer in time.
    """

    def __init__(
        self,
        humanoid: Humanoid,
        n_worlds: int,
        config: WorkerConfig,
        write_assets: Callable[[Humanoid, Path], None],
    ) -> None:
        super().__init__(n_worlds)
        self._humanoid = humanoid
        self._worker = WorkerProcess(config, n_worlds, lambda folder: write_assets(humanoid, folder))
        self._refresh()

    def __enter__(self) -> "RemoteSimulator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker and give its memory back; what was read stays readable."""
        self._worker.close()

    @property
    def worker(self) -> WorkerProcess:
        """The process behind it: its pid, and what it said of its interpreter and packages."""
        return self._worker

    @property
    def device(self) -> torch.device:
        """The CPU, whatever the worker computes on: shared memory is there."""
        return torch.device("cpu")

    @property
    def diverged(self) -> torch.Tensor:
        """[W] bool: the worlds that have diverged since they were last set."""
        return self._diverged

    def read(self) -> BodyState:
        """Return the present state of every world, current to the last substep."""
        return self._last

    def actuator_torques(self) -> torch.Tensor:
        """Return the joint torques of the last substep, [W, 23, 3] N·m in each body's own frame."""
        return self._measure("actuator_torques")

    def self_contacts(self) -> torch.Tensor:
        """Return each world's summed depth of contacts between body parts, [W] m."""
        if "self_contacts" in self._worker.introduction["provides"]:
            return self._measure("self_contacts")
        return contact_depths(self._humanoid, self._last)

    def _measure(self, name: str) -> torch.Tensor:
        self._worker.request({"command": "measure", "name": name})
        return torch.from_numpy(self._worker.arrays[name].copy())

    def _set_state(self, worlds: torch.Tensor, state: ResetState) -> None:
        n = len(worlds)
        if n > self.n_worlds:
            raise ValueError(f"cannot set {n} of {self.n_worlds} worlds at once")
        arrays = self._worker.arrays
        # As indices count from the end when negative, so here.
        arrays["worlds"][:n] = np.arange(self.n_worlds)[worlds.cpu().numpy()]
        for name, value in zip(SET_ARRAYS, vars(state).values(), strict=True):
            arrays[name][:n] = value.cpu().numpy()
        self._worker.request({"command": "set_state", "n": n})
        self._refresh()

    def _step(self, target_quat_local: torch.Tensor, wrench_w: torch.Tensor) -> None:
        self._worker.arrays["target_quat_local"][:] = target_quat_local.cpu().numpy()
        self._worker.arrays["wrench_w"][:] = wrench_w.cpu().numpy()
        self._worker.request({"command": "step"})
        self._refresh()

    def _refresh(self) -> None:
        """Copy the state out of shared memory, which the next command overwrites."""
        arrays = self._worker.arrays
        self._last = BodyState(**{name: torch.from_numpy(arrays[name].copy()) for name in STATE_ARRAYS})
        self._diverged = torch.from_numpy(arrays["diverged"].astype(bool))


def contact_depths(humanoid: Humanoid, state: BodyState) -> torch.Tensor:
    """Return the summed depth of contacts between body parts, [W] m, of a state, as MuJoCo finds them."""
    model, data = humanoid.model, mujoco.MjData(humanoid.model)
    floor, columns = model.geom("floor").id, engine_layout(humanoid).quat_columns
    depths = []
    for root, quats in zip(state.pos_w[:, 0].cpu().numpy(), state.quat_local.cpu().numpy(), strict=True):
        data.qpos[:3], data.qpos[columns] = root, quats
        mujoco.mj_fwdPosition(model, data)
        between_parts = (data.contact.geom != floor).all(axis=1)
        depths.append(float(np.maximum(-data.contact.dist[between_parts], 0.0).sum()))
    return torch.tensor(depths)


def write_mujoco_assets(humanoid: Humanoid, folder: Path) -> None:
    """Write the humanoid for `mujoco_host`: the compiled model, number for number, and the joints."""
    mujoco.mj_saveModel(humanoid.model, str(folder / "humanoid.mjb"))
    np.save(folder / "rest_joints.npy", humanoid.rest_joints)
