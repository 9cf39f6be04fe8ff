"""The `mujoco` backend: worlds on the CPU's threads, through MuJoCo's own batch of simulations."""

import os

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch

from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.simulators.engine_layout import MAX_SPEED, engine_layout, pd_controls
from skeleton2stage.physics.simulators.simulator import CONTROL_HZ, BodyState, ResetState, Simulator

_DIVERGENCE = [
    int(mujoco.mjtWarning.mjWARN_BADQPOS),
    int(mujoco.mjtWarning.mjWARN_BADQVEL),
    int(mujoco.mjtWarning.mjWARN_BADQACC),
    int(mujoco.mjtWarning.mjWARN_BADCTRL),  # MuJoCo would go on without any control
]
# What a step carries over to the next. The others are made of it.
_CARRIED = ("time", "qpos", "qvel", "qacc_warmstart", "ctrl", "xfrc_applied")
_ALIVE, _READ = "alive", "read."
_WARNING_COUNT = 1  # mjWarningStat is (last info, number of warnings)


class MujocoSimulator(Simulator):
    """`n_worlds` humanoids on `n_threads` CPU threads (0: all that this process may use)."""

    def __init__(self, humanoid: Humanoid, n_worlds: int, n_threads: int = 0) -> None:
        super().__init__(n_worlds)
        model = humanoid.model
        self._substeps = round(1.0 / (CONTROL_HZ * model.opt.timestep))
        threads = min(n_threads or len(os.sched_getaffinity(0)), n_worlds)
        self._batch = Batch(model, n_worlds, threads, persistent=True)
        self._bind(humanoid)
        self._alive = np.ones(n_worlds, dtype=bool)
        self._last: BodyState | None = None
        self._scratch = mujoco.MjData(model)  # making one anew costs 20 times what copying a world into it does
        self._batch.forward()
        self._refresh()

    def _bind(self, humanoid: Humanoid) -> None:
        batch, layout = self._batch, engine_layout(humanoid)
        self._bodies, self._ctrl_columns = layout.bodies, layout.ctrl_columns
        self._quat_columns, self._vel_columns = layout.quat_columns, layout.vel_columns
        self._qpos, self._qvel, self._ctrl = batch.bind("qpos"), batch.bind("qvel"), batch.bind("ctrl")
        self._applied = batch.bind("xfrc_applied")
        self._xpos, self._xquat = batch.bind("xpos"), batch.bind("xquat")
        self._cvel, self._subtree_com = batch.bind("cvel"), batch.bind("subtree_com")
        self._actuator_force = batch.bind("actuator_force")

    @property
    def device(self) -> torch.device:
        """The CPU."""
        return torch.device("cpu")

    @property
    def n_threads(self) -> int:
        """Threads that step worlds."""
        return self._batch.nthread

    @property
    def diverged(self) -> torch.Tensor:
        """[W] bool: the worlds that have diverged since they were last set."""
        return torch.from_numpy(~self._alive)

    def read(self) -> BodyState:
        """Return the present state of every world, current to the last substep."""
        return self._last

    def actuator_torques(self) -> torch.Tensor:
        """Return the joint torques of the last substep, [W, 23, 3] N·m in each body's own frame."""
        return _tensor(self._actuator_force[:, self._ctrl_columns]).unflatten(-1, (-1, 3))

    def self_contacts(self) -> torch.Tensor:
        """Return each world's summed depth of contacts between body parts, [W] m."""
        depths = [self._self_contact_depth(world) for world in range(self.n_worlds)]
        return torch.tensor(depths, dtype=torch.float32)

    def _self_contact_depth(self, world: int) -> float:
        data = self._batch.get_data(world, self._scratch)
        contact = data.contact
        between_parts = (contact.geom != self._batch.model.geom("floor").id).all(axis=1)
        return float(np.maximum(-contact.dist[between_parts], 0.0).sum())

    def snapshot(self) -> dict[str, torch.Tensor]:
        """Return MuJoCo's own state of all worlds, in its precision, and what was read last."""
        now = {name: torch.from_numpy(np.array(self._batch.bind(name))) for name in _CARRIED}
        return now | {_ALIVE: torch.from_numpy(self._alive.copy())} | {
            f"{_READ}{name}": value.clone() for name, value in vars(self._last).items()
        }

    def put_back(self, snapshot: dict[str, torch.Tensor]) -> None:
        """Make every world what it was at a `snapshot`."""
        self._batch.reset(stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        self._batch.warning[:] = 0
        for name in _CARRIED:
            self._batch.bind(name)[:] = snapshot[name].numpy()
        self._batch.forward(stage=mujoco.mjtStage.mjSTAGE_VEL.value)
        self._alive = snapshot[_ALIVE].numpy().copy()
        self._last = BodyState(**{
            name.removeprefix(_READ): value.clone() for name, value in snapshot.items() if name.startswith(_READ)
        })

    def _set_state(self, worlds: torch.Tensor, state: ResetState) -> None:
        ids = worlds.cpu().numpy().astype(np.int32)
        in_order = np.unique(ids)  # the batch asks for this; of a world named twice the last state stays
        self._batch.reset(in_order, stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        self._batch.warning[ids] = 0
        self._qpos[ids, :3] = state.root_pos_w.cpu().numpy()
        self._qpos[ids[:, None], self._quat_columns.ravel()] = state.quat_local.flatten(1).cpu().numpy()
        self._qvel[ids, :3] = state.root_lin_vel_w.cpu().numpy()
        self._qvel[ids[:, None], self._vel_columns.ravel()] = state.ang_vel_local.flatten(1).cpu().numpy()
        self._ctrl[ids] = 0.0
        self._applied[ids] = 0.0
        self._batch.forward(in_order, stage=mujoco.mjtStage.mjSTAGE_VEL.value)
        self._alive[ids] = True
        self._refresh()

    def _step(self, target_quat_local: torch.Tensor, wrench_w: torch.Tensor) -> None:
        alive = np.flatnonzero(self._alive).astype(np.int32)
        if not len(alive):
            return
        self._ctrl[:, self._ctrl_columns] = pd_controls(self._last.quat_local[:, 1:], target_quat_local.cpu())
        self._applied[:, self._bodies[0]] = wrench_w.cpu().numpy()
        self._batch.step(alive, nstep=self._substeps, stage=mujoco.mjtStage.mjSTAGE_VEL.value)
        self._find_diverged(alive)
        self._refresh()

    def _find_diverged(self, stepped: np.ndarray) -> None:
        counts = self._batch.warning[stepped][:, _DIVERGENCE, _WARNING_COUNT]
        speed = np.abs(self._qvel[stepped]).max(axis=1)
        diverged = (counts > 0).any(axis=1) | ~(speed < MAX_SPEED)  # so that NaN counts as too fast
        diverged |= ~np.isfinite(self._qpos[stepped]).all(axis=1)
        self._alive[stepped[diverged]] = False

    def _refresh(self) -> None:
        """Copy the state out; diverged worlds keep what they had."""
        now = self._gather()
        if self._last is not None and not self._alive.all():
            frozen = torch.from_numpy(~self._alive)
            for name, value in vars(now).items():
                value[frozen] = getattr(self._last, name)[frozen]
        self._last = now

    def _gather(self) -> BodyState:
        pos_w = self._xpos[:, self._bodies]
        ang_vel_w, lin_vel_com = self._cvel[:, self._bodies, :3], self._cvel[:, self._bodies, 3:]
        arm = pos_w - self._subtree_com[:, self._bodies[:1]]
        return BodyState(
            pos_w=_tensor(pos_w),
            quat_w=_tensor(self._xquat[:, self._bodies]),
            lin_vel_w=_tensor(lin_vel_com + np.cross(ang_vel_w, arm)),
            ang_vel_w=_tensor(ang_vel_w),
            quat_local=_tensor(self._qpos[:, self._quat_columns]),
            ang_vel_local=_tensor(self._qvel[:, self._vel_columns]),
        )


def _tensor(array: np.ndarray) -> torch.Tensor:
    with np.errstate(over="ignore"):  # a diverging world may exceed float32 before it is frozen
        return torch.from_numpy(np.asarray(array, dtype=np.float32))
