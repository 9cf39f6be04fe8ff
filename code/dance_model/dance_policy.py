"""What fine-tuning asks of a dance model, whatever its family.

A dance model is a policy: to music it takes steps, each drawn from a distribution that it can score again. For a
diffusion model a step is one of denoising, for a model of codes it is the next code. Whoever brings a model of
their own writes one subclass of `DancePolicy` (docs/extending.md).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import nn

from dance_model.batch import DanceBatch, blended, split
from skeleton2stage.checkpoint import load_checkpoint, save_checkpoint
from skeleton2stage.errors import UserError
from skeleton2stage.music.kinds import BASELINE

KIND = "dance_model"
PROBED_DANCES, PROBED_STEPS = 16, 4
StepScores = Callable[[list[int]], torch.Tensor]


@dataclass(frozen=True)
class Rollout:
    """N windows danced to music, and what it takes to score the steps that led there.

    music: [N, T, F] features. trace: the family's own record, from which dances and, where recorded, scores are made.
    n_steps: steps a dance is made of.
    """

    music: torch.Tensor
    trace: Any
    n_steps: int

    def __len__(self) -> int:
        return len(self.music)


@dataclass(frozen=True)
class RolloutOptions:
    """How dances are drawn; a family takes what applies to it and leaves the rest.

    guidance: classifier-free guidance weight, None for the model's own. n_steps, eta: of a diffusion's chain.
    precision: float32 or bf16. compiled: whether kernels are fused.
    """

    guidance: float | None = None
    n_steps: int = 50
    eta: float = 1.0
    precision: str = "float32"
    compiled: bool = False


class DancePolicy(ABC):
    """A dance model that can be sampled, scored, trained by its scores, saved and loaded.

    module: the network whose parameters are fine-tuned, in evaluation mode, so that what is sampled scores the same
    in the update. music: kind of features it dances to (see skeleton2stage.music.kinds). window_frames: frames of a
    window of music and of dance, at 30 fps.
    """

    family: ClassVar[str]
    window_frames: int = 150

    def __init__(self, module: nn.Module, music: str = BASELINE, options: RolloutOptions | None = None) -> None:
        self.module, self.music, self.options = module.eval(), music, options or RolloutOptions()

    @abstractmethod
    def roll_out(self, music: torch.Tensor, generator: torch.Generator, record: bool = True) -> Rollout:
        """Return one dance to each window of music [N, T, F]; with `record`, so that its steps can be scored.

        `generator` is on the model's device and is the only source of chance.
        """

    @abstractmethod
    def dances(self, rollout: Rollout) -> DanceBatch:
        """Return the dances of a roll-out."""

    @abstractmethod
    def log_prob(self, rollout: Rollout, dances: slice, steps: list[int]) -> torch.Tensor:
        """Return, with gradient, the log-probability of recorded steps of the chosen dances, [S, n, T] by frame.

        Before any update it equals `recorded_log_prob` there. Whether a frame's is summed or averaged over its features
        is the family's choice, within which alone losses, divergences and clip ranges compare.
        """

    @abstractmethod
    def recorded_log_prob(self, rollout: Rollout) -> torch.Tensor:
        """Return the log-probability of every step when it was drawn, [n_steps, N, T]."""

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Return what `from_config` needs besides the weights; numbers, strings, lists and dictionaries alone."""

    @classmethod
    @abstractmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return a model of a configuration, its weights yet to be set.

        config: what `config` returned, and under `music` the kind of features.
        """

    @classmethod
    def from_checkpoint(cls, config: dict[str, Any], weights: dict[str, torch.Tensor]) -> Self:
        """Return the model that `save` wrote; raise RuntimeError for a missing, unknown or ill-shaped weight."""
        policy = cls.from_config(config)
        policy.module.load_state_dict(weights)
        policy.module.eval()
        return policy

    def scored_steps(self, rollout: Rollout, min_time: int = 0) -> list[int]:  # noqa: ARG002 - for families with times
        """Return the indices of the steps that have a density, in order.

        min_time: a diffusion leaves out the steps at smaller times of its noise; other families have no such times.
        """
        return list(range(rollout.n_steps))

    def long_dances(self, music: Sequence[torch.Tensor], generator: torch.Generator) -> list[DanceBatch]:
        """Return one dance, a batch of 1, to each piece of music: its windows [N_i, T, F], half a window apart.

        A family that can go on from what it has danced does that. Here every window is danced by itself, and over
        the halves that overlap one dance passes into the next.
        """
        counts = [len(windows) for windows in music]
        batch = self.dances(self.roll_out(torch.cat(list(music)).to(self.device), generator, record=False))
        return [blended(own) for own in split(batch, counts)]

    @contextmanager
    def scoring(self, rollout: Rollout, dances: slice) -> Iterator[StepScores]:
        """Yield `log_prob` of the chosen dances as a function of the steps alone, to be back-propagated in parts.

        A family whose steps have work in common does it once here, and back-propagates through it on leaving.
        """
        yield lambda steps: self.log_prob(rollout, dances, steps)

    def outlook(self, rollout: Rollout) -> Any:  # noqa: ANN401 - each family's own
        """Return what the model expects at a few steps of a few recorded dances, for `drift` to compare.

        Here the log-probabilities of what was drawn there, [S, n, T].
        """
        with torch.no_grad():
            return self.log_prob(rollout, probed_dances(rollout), probed(self.scored_steps(rollout)))

    def drift(self, rollout: Rollout, now: Any, before: Any, base: Any) -> dict[str, float]:  # noqa: ANN401
        """Return how far the model has gone: figures `step_size` and `kl`.

        now, before, base: what this model, this model before its update and the base model expect (`outlook`).
        step_size: root mean square change by the update. kl: Kullback-Leibler divergence from the base model, averaged
        over frames and summed over steps. Here it is estimated by half the mean square difference of log-probabilities
        on recent dances of the model's own: the dances are of before the update, on which the plain mean difference is
        of no use, being below 0 after the first.
        """
        n_all = len(self.scored_steps(rollout))
        return {
            "step_size": float((now - before).square().mean().sqrt()),
            "kl": 0.5 * float((now - base).square().mean()) * n_all,
        }

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.module.parameters()).device

    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters that are trained."""
        return [parameter for parameter in self.module.parameters() if parameter.requires_grad]

    def to(self, device: torch.device | str) -> Self:
        """Move the model to another device and return it."""
        self.module.to(device)
        return self

    def with_options(self, options: RolloutOptions) -> Self:
        """Take other options for drawing dances and return the model."""
        self.options = options
        return self

    def frozen_copy(self) -> Self:
        """Return a copy whose parameters are not trained and do not follow."""
        copy = deepcopy(self)
        copy.module.eval().requires_grad_(False)
        return copy

    def save(self, path: Path, half: bool = True) -> None:
        """Write a checkpoint, `half` with its weights in 16 bits; `dance_model.families.load` reads it."""
        weights = {name: _stored(value, half) for name, value in self.module.state_dict().items()}
        save_checkpoint(path, weights, {"kind": KIND, "family": self.family, "music": self.music} | self.config())


def read_saved(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the weights and the description that a family's `save` wrote.

    Raises UserError where they are missing, damaged, or no dance model's.
    """
    weights, config = load_checkpoint(path)
    if not isinstance(config, dict) or config.get("kind") != KIND:
        found = config.get("kind") if isinstance(config, dict) else None
        raise UserError(f"{path} is not a dance model but '{found}': give one that train_edge.sh or run.sh wrote")
    return weights, config


def probed(steps: list[int]) -> list[int]:
    """Return at most four of the steps, evenly spread."""
    n = min(PROBED_STEPS, len(steps))
    return [steps[int((k + 0.5) * len(steps) / n)] for k in range(n)]


def probed_dances(rollout: Rollout) -> slice:
    """Return the first dances of a roll-out, at most sixteen."""
    return slice(0, min(PROBED_DANCES, len(rollout)))


def _stored(value: torch.Tensor, half: bool) -> torch.Tensor:
    """Return a value as it is stored: no two may share their memory in a file of safetensors."""
    return value.half() if half and value.is_floating_point() else value.clone()
