"""The simulator protocol: many worlds, each with one humanoid, advanced a control step at a time.

Joints and bodies are in SMPL order, quaternions are wxyz, frames are named by suffix: `_w` world (z up),
`_local` relative to the parent body. A backend implements the private hooks; the public methods check.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from skeleton2stage.motion.skeleton import N_JOINTS

CONTROL_HZ = 30.0


@dataclass(frozen=True)
class ResetState:
    """What one sets in n worlds.

    root_pos_w: [n, 3] m, the pelvis joint.
    quat_local: [n, 24, 4] wxyz, the pelvis' relative to the world.
    root_lin_vel_w: [n, 3] m/s.
    ang_vel_local: [n, 24, 3] rad/s, each body's relative to its parent, in its own frame.
    """

    root_pos_w: torch.Tensor
    quat_local: torch.Tensor
    root_lin_vel_w: torch.Tensor
    ang_vel_local: torch.Tensor


@dataclass(frozen=True)
class BodyState:
    """What one reads of all W worlds.

    pos_w: [W, 24, 3] m, the joint each body hangs on.
    quat_w: [W, 24, 4] wxyz.
    lin_vel_w: [W, 24, 3] m/s, of that joint's point.
    ang_vel_w: [W, 24, 3] rad/s.
    quat_local: [W, 24, 4] wxyz.
    ang_vel_local: [W, 24, 3] rad/s, relative to the parent, in the body's own frame.
    """

    pos_w: torch.Tensor
    quat_w: torch.Tensor
    lin_vel_w: torch.Tensor
    ang_vel_w: torch.Tensor
    quat_local: torch.Tensor
    ang_vel_local: torch.Tensor

    def to(self, device: torch.device | str) -> "BodyState":
        """Return the state on another device."""
        # Not to the CPU: the caller would read what has not arrived yet.
        waits = torch.device(device).type == "cpu"
        return BodyState(*(value.to(device, non_blocking=not waits) for value in vars(self).values()))


class Simulator(ABC):
    """Many worlds of one humanoid.

    A world that diverges is reported by `diverged`, keeps its last finite state, and is not stepped again
    until it is reset; it never touches its neighbours.
    """

    def __init__(self, n_worlds: int) -> None:
        if n_worlds < 1:
            raise ValueError(f"a simulator needs at least one world, not {n_worlds}")
        self.n_worlds = n_worlds

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the tensors this simulator gives and takes live."""

    @property
    @abstractmethod
    def diverged(self) -> torch.Tensor:
        """[W] bool: the worlds that have diverged since they were last set."""

    def set_state(self, worlds: torch.Tensor, state: ResetState) -> None:
        """Set the state of the chosen worlds [n] (indices) and make `read` reflect it."""
        n = len(worlds)
        _expect("root_pos_w", state.root_pos_w, (n, 3))
        _expect("quat_local", state.quat_local, (n, N_JOINTS, 4))
        _expect("root_lin_vel_w", state.root_lin_vel_w, (n, 3))
        _expect("ang_vel_local", state.ang_vel_local, (n, N_JOINTS, 3))
        if n:
            self._set_state(worlds, state)

    def step(self, target_quat_local: torch.Tensor, wrench_w: torch.Tensor) -> None:
        """Advance all worlds by 1/30 s under PD targets and a wrench on the pelvis.

        target_quat_local: [W, 23, 4] wxyz, the joints' targets.
        wrench_w: [W, 6], force (N) and torque (N·m) in world axes at the pelvis' centre of mass.
        """
        _expect("target_quat_local", target_quat_local, (self.n_worlds, N_JOINTS - 1, 4))
        _expect("wrench_w", wrench_w, (self.n_worlds, 6))
        self._step(target_quat_local, wrench_w)

    def check(self) -> None:  # noqa: B027 - most simulators cannot run out of anything
        """Wait for what was asked so far; raise UserError where it cannot be trusted, as for want of memory."""

    def snapshot(self) -> dict[str, torch.Tensor] | None:
        """Return all that the next step depends on, for `put_back`; None where a simulator cannot tell."""
        return None

    def put_back(self, snapshot: dict[str, torch.Tensor]) -> None:
        """Make every world what it was at a `snapshot`, so that it goes on to the last bit as it did then."""
        raise NotImplementedError(f"{type(self).__name__} gives no snapshots")

    @abstractmethod
    def read(self) -> BodyState:
        """Return the present state of every world, current to the last substep."""

    @abstractmethod
    def actuator_torques(self) -> torch.Tensor:
        """Return the joint torques of the last substep, [W, 23, 3] N·m in each body's own frame."""

    @abstractmethod
    def self_contacts(self) -> torch.Tensor:
        """Return how deep each world's humanoid is in itself, [W] m: the summed depth of its contacts."""

    @abstractmethod
    def _set_state(self, worlds: torch.Tensor, state: ResetState) -> None: ...

    @abstractmethod
    def _step(self, target_quat_local: torch.Tensor, wrench_w: torch.Tensor) -> None: ...


def _expect(name: str, value: torch.Tensor, shape: tuple[int, ...]) -> None:
    if tuple(value.shape) != shape:
        raise ValueError(f"{name} must have shape {shape}, not {tuple(value.shape)}")
