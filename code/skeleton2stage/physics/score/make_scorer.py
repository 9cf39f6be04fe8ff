"""The scorer of dances by the names of its parts: policy, simulator, body."""

from functools import partial
from pathlib import Path
from types import MappingProxyType

from skeleton2stage import paths
from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy
from skeleton2stage.physics.score.dance_scorer import DanceScorer
from skeleton2stage.physics.score.own_body_scorer import OwnBodyScorer
from skeleton2stage.physics.simulators.make_simulator import check_simulator, make_simulator
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions

Scorer = DanceScorer | OwnBodyScorer
# Dances performed at once by the simulators that gain from many.
_WORLDS_AT_ONCE: MappingProxyType[str, int] = MappingProxyType({"mujoco_warp": 4096, "isaacgym": 4096})


def make_scorer(
    policy: Path | None = None,
    simulator: str = "mujoco",
    body: str | BodyModel | BodyChoice = "open",
    max_worlds: int | None = None,
    wrench_scale: float | None = None,
    show_progress: bool = False,
    options: SimulatorOptions | None = None,
) -> Scorer:
    """Return the scorer of dances with the policy of a checkpoint; raise UserError for a missing or unknown part.

    `policy` is the checkpoint that ships unless given. `body` is one for all dances, or a choice by which each has its
    dancer's own. `max_worlds` dances are performed at once: 256, or 4,096 on a GPU, unless given. `wrench_scale` is the
    policy's own unless given; `show_progress` draws a bar; the options matter to simulators on a GPU alone.
    """
    check_simulator(simulator)
    make = partial(make_simulator, simulator, options=options)
    worlds = max_worlds or _WORLDS_AT_ONCE.get(simulator, 256)
    imitation = ImitationPolicy.load(policy or paths.demo_checkpoints() / "imitation_policy.safetensors")
    choice = body if isinstance(body, BodyChoice) else BodyChoice(body)

    def scorer_of(model: BodyModel) -> DanceScorer:
        return DanceScorer(
            imitation, load_humanoid(model), make, worlds, wrench_scale, show_progress=show_progress
        )

    return OwnBodyScorer(choice, scorer_of, imitation, wrench_scale) if choice.is_own else scorer_of(choice.mean())
