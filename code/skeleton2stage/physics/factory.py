"""Humanoids, simulators and scorers by name: the only place that knows every backend."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import MappingProxyType

from skeleton2stage.body.model import load_body
from skeleton2stage.errors import unknown_name
from skeleton2stage.physics.humanoid import Humanoid, build_humanoid
from skeleton2stage.physics.policy import ImitationPolicy
from skeleton2stage.physics.scoring import DanceScorer
from skeleton2stage.physics.simulator import Simulator


def _mujoco(humanoid: Humanoid, n_worlds: int) -> Simulator:
    from skeleton2stage.physics.mujoco_simulator import MujocoSimulator

    return MujocoSimulator(humanoid, n_worlds)


# Each builder imports its backend itself, so that a machine needs only the one it uses.
_BACKENDS: MappingProxyType[str, Callable[[Humanoid, int], Simulator]] = MappingProxyType({"mujoco": _mujoco})


def simulator_names() -> list[str]:
    """Return the names that `make_simulator` knows."""
    return sorted(_BACKENDS)


def make_simulator(name: str, humanoid: Humanoid, n_worlds: int) -> Simulator:
    """Return a simulator by name with that many worlds; raise UserError that lists the known names."""
    if name not in _BACKENDS:
        raise unknown_name("simulator", name, simulator_names())
    return _BACKENDS[name](humanoid, n_worlds)


def load_humanoid(body: str = "open") -> Humanoid:
    """Return the humanoid cut from a body, by the names and files that `load_body` takes."""
    loaded = load_body(body)
    return build_humanoid(loaded.rest_vertices, loaded.weights, loaded.rest_joints)


def make_scorer(policy: Path, simulator: str = "mujoco", body: str = "open", max_worlds: int = 256) -> DanceScorer:
    """Return the scorer of dances with the policy of a checkpoint; raise UserError for a missing or unknown part."""
    if simulator not in _BACKENDS:
        raise unknown_name("simulator", simulator, simulator_names())
    make = partial(make_simulator, simulator)
    return DanceScorer(ImitationPolicy.load(policy), load_humanoid(body), make, max_worlds)
