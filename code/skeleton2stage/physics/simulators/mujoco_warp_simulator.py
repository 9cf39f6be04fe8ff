"""The `mujoco_warp` backend: thousands of worlds on an NVIDIA GPU, tensors never leaving it."""

import numpy as np
import torch

from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.simulators.engine_layout import MAX_SPEED, engine_layout, pd_controls
from skeleton2stage.physics.simulators.simulator import CONTROL_HZ, BodyState, ResetState, Simulator
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.physics.simulators.warp_engine import OverflowWatch, WarpEngine

PARKED_HEIGHT_M = 10.0


class MujocoWarpSimulator(Simulator):
    """`n_worlds` humanoids on one GPU, or, with device=cpu, on one CPU thread.

    The engine always steps all worlds. One that has diverged is parked, in the rest pose high above the floor,
    while the others step, and then put back into its last finite state, so it costs its neighbours nothing.
    Worlds begin parked. Raises UserError without a GPU, and when contacts outgrow their buffers: within some
    control steps, or at once in `check`.
    """

    def __init__(self, humanoid: Humanoid, n_worlds: int, options: SimulatorOptions | None = None) -> None:
        super().__init__(n_worlds)
        options = options or SimulatorOptions()
        model = humanoid.model
        substeps = round(1.0 / (CONTROL_HZ * model.opt.timestep))
        self._engine = WarpEngine(model, n_worlds, substeps, options)
        self._watch = OverflowWatch(self.device, options)
        self._find_columns(humanoid)
        self._parked = torch.tensor(model.qpos0, dtype=torch.float32, device=self.device)
        self._parked[2] += PARKED_HEIGHT_M
        self._alive = torch.ones(n_worlds, dtype=torch.bool, device=self.device)
        self._finite_qpos = self._parked.repeat(n_worlds, 1)
        self._finite_qvel = torch.zeros_like(self._engine.qvel)
        self._clear(slice(None))
        self._put_back()
        self._refresh()

    def _find_columns(self, humanoid: Humanoid) -> None:
        layout = engine_layout(humanoid)
        self._root = int(layout.bodies[0])
        self._bodies = self._index(layout.bodies)
        self._quat_columns = self._index(layout.quat_columns)
        self._vel_columns = self._index(layout.vel_columns)
        self._ctrl_columns = self._index(layout.ctrl_columns)

    def _here(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a tensor on the simulator's device, without waiting for a GPU."""
        return tensor.to(self.device, non_blocking=self.device.type == "cuda")

    def _index(self, indices: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(indices, dtype=torch.long, device=self.device)

    @property
    def device(self) -> torch.device:
        """The GPU, or the CPU."""
        return self._engine.device

    @property
    def engine(self) -> WarpEngine:
        """The bare engine, for measuring it."""
        return self._engine

    @property
    def diverged(self) -> torch.Tensor:
        """[W] bool: the worlds that have diverged since they were last set, or were set to what is not finite."""
        return ~self._alive

    def read(self) -> BodyState:
        """Return the present state of every world, current to the last substep."""
        return self._last

    def actuator_torques(self) -> torch.Tensor:
        """Return the joint torques of the last substep, [W, 23, 3] N·m in each body's own frame."""
        torques = self._engine.actuator_force[:, self._ctrl_columns].unflatten(-1, (-1, 3))
        return torch.where(self._alive[:, None, None], torques, 0.0)

    def self_contacts(self) -> torch.Tensor:
        """Return each world's summed depth of contacts between body parts, [W] m."""
        return self._engine.self_contact_depth()

    def snapshot(self) -> dict[str, torch.Tensor]:
        """Return copies of what a step carries over to the next."""
        return {name: tensor.clone() for name, tensor in self._carried().items()}

    def put_back(self, snapshot: dict[str, torch.Tensor]) -> None:
        """Make every world what it was at a `snapshot`."""
        for name, tensor in self._carried().items():
            tensor.copy_(snapshot[name])
        self._put_back()
        self._refresh()

    def _carried(self) -> dict[str, torch.Tensor]:
        engine = self._engine
        return {
            "alive": self._alive, "qpos": self._finite_qpos, "qvel": self._finite_qvel,
            "qacc_warmstart": engine.qacc_warmstart, "ctrl": engine.ctrl, "xfrc_applied": engine.xfrc_applied,
        }

    def check(self) -> None:
        """Wait for the GPU and raise UserError where contacts have outgrown their buffers so far."""
        self._watch.check()

    def _set_state(self, worlds: torch.Tensor, state: ResetState) -> None:
        worlds = self._here(worlds)
        qpos, qvel = self._rows(state)
        finite = torch.isfinite(qpos).all(dim=-1) & torch.isfinite(qvel).all(dim=-1)
        self._alive[worlds] = finite
        self._finite_qpos[worlds] = torch.where(finite[:, None], qpos, self._finite_qpos[worlds])
        self._finite_qvel[worlds] = torch.where(finite[:, None], qvel, self._finite_qvel[worlds])
        self._clear(worlds)
        self._put_back()
        self._refresh()

    def _rows(self, state: ResetState) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a state as rows of qpos [n, nq] and qvel [n, nv]."""
        n = len(state.root_pos_w)
        qpos, qvel = self._parked.repeat(n, 1), self._finite_qvel.new_zeros(n, self._finite_qvel.shape[1])
        qpos[:, :3] = self._here(state.root_pos_w)
        qpos[:, self._quat_columns] = self._here(state.quat_local)
        qvel[:, :3] = self._here(state.root_lin_vel_w)
        qvel[:, self._vel_columns] = self._here(state.ang_vel_local)
        return qpos, qvel

    def _clear(self, worlds: torch.Tensor | slice) -> None:
        """Forget what the engine carries from one step to the next, besides the state."""
        engine = self._engine
        for carried in (engine.qacc_warmstart, engine.ctrl, engine.xfrc_applied, engine.actuator_force):
            carried[worlds] = 0.0

    def _step(self, target_quat_local: torch.Tensor, wrench_w: torch.Tensor) -> None:
        engine, alive = self._engine, self._alive[:, None]
        controls = pd_controls(self._last.quat_local[:, 1:], self._here(target_quat_local))
        engine.ctrl[:, self._ctrl_columns] = torch.where(alive, controls, 0.0)
        engine.xfrc_applied[:, self._root] = torch.where(alive, self._here(wrench_w), 0.0)
        self._park()
        engine.step()
        self._contain()
        self._refresh()

    def _park(self) -> None:
        engine, alive = self._engine, self._alive[:, None]
        engine.qpos.copy_(torch.where(alive, engine.qpos, self._parked))
        engine.qvel.copy_(torch.where(alive, engine.qvel, 0.0))
        engine.qacc_warmstart.copy_(torch.where(alive, engine.qacc_warmstart, 0.0))

    def _contain(self) -> None:
        """Find the worlds that have just diverged, and put all that have into their last finite state."""
        engine = self._engine
        sane = torch.isfinite(engine.qpos).all(dim=-1)
        sane &= engine.qvel.abs().amax(dim=-1) < MAX_SPEED  # false for NaN
        self._alive &= sane
        self._watch.note(engine.overflow, self._alive)
        engine.overflow.zero_()
        alive = self._alive[:, None]
        self._finite_qpos.copy_(torch.where(alive, engine.qpos, self._finite_qpos))
        self._finite_qvel.copy_(torch.where(alive, engine.qvel, self._finite_qvel))
        self._put_back()

    def _put_back(self) -> None:
        self._engine.qpos.copy_(self._finite_qpos)
        self._engine.qvel.copy_(self._finite_qvel)

    def _refresh(self) -> None:
        """Bring the bodies up to the joints, and keep a copy of their state for `read`."""
        self._engine.kinematics()
        self._last = self._gather()

    def _gather(self) -> BodyState:
        engine = self._engine
        pos_w, cvel = engine.xpos[:, self._bodies], engine.cvel[:, self._bodies]
        ang_vel_w = cvel[..., :3]
        arm = pos_w - engine.subtree_com[:, self._root, None]
        return BodyState(
            pos_w=pos_w,
            quat_w=engine.xquat[:, self._bodies],
            lin_vel_w=cvel[..., 3:] + torch.linalg.cross(ang_vel_w, arm),
            ang_vel_w=ang_vel_w,
            quat_local=engine.qpos[:, self._quat_columns],
            ang_vel_local=engine.qvel[:, self._vel_columns],
        )
