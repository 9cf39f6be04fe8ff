"""Simulators by name: the only place that knows every backend."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import MappingProxyType

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.own_code import import_class, is_own
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.simulators.simulator import Simulator
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions


def _mujoco(humanoid: Humanoid, n_worlds: int, _: SimulatorOptions) -> Simulator:
    from skeleton2stage.physics.simulators.mujoco_simulator import MujocoSimulator

    return MujocoSimulator(humanoid, n_worlds)


def _mujoco_warp(humanoid: Humanoid, n_worlds: int, options: SimulatorOptions) -> Simulator:
    try:
        from skeleton2stage.physics.simulators.mujoco_warp_simulator import MujocoWarpSimulator
    except ImportError as error:
        raise UserError(f"simulator mujoco_warp needs a library ({error}): pip install 'mujoco-warp>=4,<5'") from None
    return MujocoWarpSimulator(humanoid, n_worlds, options)


def _isaacgym(humanoid: Humanoid, n_worlds: int, options: SimulatorOptions) -> Simulator:
    from skeleton2stage.physics.simulators.isaacgym_simulator import make_isaacgym_simulator

    return make_isaacgym_simulator(humanoid, n_worlds, options.device)


# Each builder imports its backend itself, so that a machine needs only the one it uses.
_BACKENDS: MappingProxyType[str, Callable[[Humanoid, int, SimulatorOptions], Simulator]] = MappingProxyType(
    {"mujoco": _mujoco, "mujoco_warp": _mujoco_warp, "isaacgym": _isaacgym}
)


def simulator_names() -> list[str]:
    """Return the names that `make_simulator` knows."""
    return sorted(_BACKENDS)


def check_simulator(name: str) -> None:
    """Raise UserError for a name that `make_simulator` does not know."""
    if name in _BACKENDS:
        return
    if not is_own(name):
        raise unknown_name("simulator", name, simulator_names())
    _own(name)


@cache
def _own(name: str) -> type[Simulator]:
    return import_class(name, Simulator, Path(), f"simulator={name}")


def make_simulator(
    name: str, humanoid: Humanoid, n_worlds: int, options: SimulatorOptions | None = None
) -> Simulator:
    """Return a simulator by name with that many worlds; raise UserError that lists the known names, or says what
    this machine lacks for it. The options matter to simulators on a GPU alone.

    A name such as my_simulator.py:MySimulator is a class of somebody's own, made with humanoid and number of worlds.
    """
    check_simulator(name)
    if name not in _BACKENDS:
        return _own(name)(humanoid, n_worlds)
    return _BACKENDS[name](humanoid, n_worlds, options or SimulatorOptions())
