"""Humanoids, simulators and scorers by name: the only place that knows every backend."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import MappingProxyType

from skeleton2stage.body.model import load_body
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.physics.humanoid import Humanoid, build_humanoid
from skeleton2stage.physics.policy import ImitationPolicy
from skeleton2stage.physics.scoring import DanceScorer
from skeleton2stage.physics.simulator import Simulator
from skeleton2stage.physics.simulator_options import SimulatorOptions


def _mujoco(humanoid: Humanoid, n_worlds: int, _: SimulatorOptions) -> Simulator:
    from skeleton2stage.physics.mujoco_simulator import MujocoSimulator

    return MujocoSimulator(humanoid, n_worlds)


def _mujoco_warp(humanoid: Humanoid, n_worlds: int, options: SimulatorOptions) -> Simulator:
    try:
        from skeleton2stage.physics.mujoco_warp_simulator import MujocoWarpSimulator
    except ImportError as error:
        raise UserError(f"simulator mujoco_warp needs a library ({error}): pip install mujoco-warp warp-lang") from None
    return MujocoWarpSimulator(humanoid, n_worlds, options)


def _isaacgym(humanoid: Humanoid, n_worlds: int, options: SimulatorOptions) -> Simulator:
    from skeleton2stage.physics.isaacgym_simulator import make_isaacgym_simulator

    return make_isaacgym_simulator(humanoid, n_worlds, options.device)


# Each builder imports its backend itself, so that a machine needs only the one it uses.
_BACKENDS: MappingProxyType[str, Callable[[Humanoid, int, SimulatorOptions], Simulator]] = MappingProxyType(
    {"mujoco": _mujoco, "mujoco_warp": _mujoco_warp, "isaacgym": _isaacgym}
)

# Dances performed at once by the simulators that gain from many.
_WORLDS_AT_ONCE: MappingProxyType[str, int] = MappingProxyType({"mujoco_warp": 4096, "isaacgym": 4096})


def simulator_names() -> list[str]:
    """Return the names that `make_simulator` knows."""
    return sorted(_BACKENDS)


def make_simulator(
    name: str, humanoid: Humanoid, n_worlds: int, options: SimulatorOptions | None = None
) -> Simulator:
    """Return a simulator by name with that many worlds; raise UserError that lists the known names, or says what
    this machine lacks for it. The options matter to simulators on a GPU alone.
    """
    if name not in _BACKENDS:
        raise unknown_name("simulator", name, simulator_names())
    return _BACKENDS[name](humanoid, n_worlds, options or SimulatorOptions())


def load_humanoid(body: str = "open") -> Humanoid:
    """Return the humanoid cut from a body, by the names and files that `load_body` takes."""
    loaded = load_body(body)
    return build_humanoid(loaded.rest_vertices, loaded.weights, loaded.rest_joints)


def make_scorer(
    policy: Path,
    simulator: str = "mujoco",
    body: str = "open",
    max_worlds: int | None = None,
    wrench_scale: float | None = None,
    show_progress: bool = False,
    options: SimulatorOptions | None = None,
) -> DanceScorer:
    """Return the scorer of dances with the policy of a checkpoint; raise UserError for a missing or unknown part.

    `max_worlds` dances are performed at once: 256, or 4,096 on a GPU, unless given. `wrench_scale` is the
    policy's own unless given; `show_progress` draws a bar; the options matter to simulators on a GPU alone.
    """
    if simulator not in _BACKENDS:
        raise unknown_name("simulator", simulator, simulator_names())
    make = partial(make_simulator, simulator, options=options)
    worlds = max_worlds or _WORLDS_AT_ONCE.get(simulator, 256)
    return DanceScorer(
        ImitationPolicy.load(policy), load_humanoid(body), make, worlds, wrench_scale, show_progress=show_progress
    )
