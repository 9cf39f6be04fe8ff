"""What a reward is, and the registry that `reward.yaml` names them from."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import torch

from rl_finetune.rewards.pair_counts import PenetrationCounts
from skeleton2stage.body.body_model import BodyModel, load_body
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.metrics.penetration import PenetrationCounter
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.music import columns
from skeleton2stage.physics.axes.read_axes import AxisReader
from skeleton2stage.physics.axes.reading import Reading
from skeleton2stage.physics.score.dance_scorer import DanceScorer, DanceScores


@dataclass(frozen=True, eq=False)
class Dances:
    """A batch of N generated dances of T frames, 30 a second, z up.

    poses: [N, T, 24, 3] axis-angle, rad. translation: [N, T, 3] m, the pelvis. contacts: [N, T, C] as the
    model predicts them, None where it does not. music: [N, T, F] features each was danced to.
    """

    poses: torch.Tensor
    translation: torch.Tensor
    contacts: torch.Tensor | None
    music: torch.Tensor

    @classmethod
    def of(cls, motions: Sequence[Motion]) -> "Dances":
        """Return motions as dances to no music, to try a reward on them: no contacts, and features [N, T, 0].

        Raises UserError for none, for motions of several lengths, and for another rate than 30 a second.
        """
        kinds = sorted({(len(motion), float(motion.fps)) for motion in motions})
        if len(kinds) != 1 or kinds[0][1] != FPS:
            told = ", ".join(f"{frames} at {fps:g} a second" for frames, fps in kinds) or "none"
            raise UserError(f"dances of one batch have as many frames each, {FPS:g} a second; these have {told}")
        poses = torch.from_numpy(np.stack([motion.poses for motion in motions]))
        translation = torch.from_numpy(np.stack([motion.translation for motion in motions]))
        return cls(poses, translation, None, translation.new_zeros(*translation.shape[:2], 0))

    def __len__(self) -> int:
        return len(self.poses)

    @cached_property
    def joints_w(self) -> torch.Tensor:
        """World joint positions [N, T, 24, 3] m."""
        return skeleton.forward_kinematics(self.poses, self.translation)

    @cached_property
    def beats(self) -> torch.Tensor:
        """Where the music has a beat, [N, T] bool; raises UserError for features that do not say, as Jukebox's."""
        width = self.music.shape[-1]
        if width != columns.N_FEATURES:
            raise UserError(
                f"music features {width} wide do not tell beats: leave out rewards that need them, such as 'beat', or "
                f"fine-tune a model of the {columns.N_FEATURES} features baseline or song_beats"
            )
        return self.music[..., columns.BEAT].squeeze(-1) > 0.5

    @cached_property
    def motions(self) -> list[Motion]:
        """The dances as N motions on the CPU."""
        pairs = zip(self.poses.cpu().numpy(), self.translation.cpu().numpy(), strict=True)
        return [Motion(poses, translation) for poses, translation in pairs]


@dataclass(frozen=True)
class RewardContext:
    """What rewards may ask for when they are made, and the physical verdict on dances.

    scorer: builds the simulator on its first use. body: reads the body whose surface counts. device: where what a
    reward brings along should live, auto, cpu or cuda.
    """

    scorer: Callable[[], DanceScorer]
    body: Callable[[], BodyModel] = load_body
    device: str = "auto"
    _verdicts: "WeakKeyDictionary[Dances, DanceScores]" = field(default_factory=WeakKeyDictionary)
    _counts: list[PenetrationCounts] = field(default_factory=list)
    _readers: list[AxisReader] = field(default_factory=list)
    _readings: "WeakKeyDictionary[Dances, dict[str, Reading]]" = field(default_factory=WeakKeyDictionary)
    _performing: Lock = field(default_factory=Lock)

    def verdict(self, dances: Dances) -> DanceScores:
        """Return the imitation policy's verdict, however many rewards ask, on any thread: dances are performed once."""
        with self._performing:
            if dances not in self._verdicts:
                self._verdicts[dances] = self.scorer().score(dances.motions)
            return self._verdicts[dances]

    def readings(self, dances: Dances) -> dict[str, Reading]:
        """Return what the axes of the verdict read of dances, [N, T, 24] each on their device, read once for all."""
        if not self._readers:
            self._readers.append(AxisReader.of(self.body()))
        if dances not in self._readings:
            self._readings[dances] = self._readers[0].read(dances.poses.detach(), dances.translation.detach())
        return self._readings[dances]

    def penetration_counts(self) -> PenetrationCounts:
        """Return what counts the body's penetrations, made at the first call and shared by all rewards."""
        if not self._counts:
            self._counts.append(PenetrationCounts(PenetrationCounter(self.body(), self.device)))
        return self._counts[0]


class Reward(ABC):
    """A score of dances, the higher the better, on any scale; `needs_simulator` says whether it has them performed."""

    needs_simulator = False

    def __init__(self, context: RewardContext) -> None:
        self.context = context

    @abstractmethod
    def __call__(self, dances: Dances) -> torch.Tensor:
        """Return one value a dance, [N], or one a frame, [N, T]."""


RewardClass = TypeVar("RewardClass", bound=type[Reward])
_REGISTRY: dict[str, type[Reward]] = {}


def register(name: str) -> Callable[[RewardClass], RewardClass]:
    """Return a class decorator that makes a reward known to reward files as `name`.

    It raises UserError for the name of one of this project's own; another is replaced.
    """

    def add(cls: RewardClass) -> RewardClass:
        if name in _REGISTRY and is_ours(_REGISTRY[name]) and not is_ours(cls):
            raise UserError(f"'{name}' is the name of a reward of this project: register yours by another")
        _REGISTRY[name] = cls
        return cls

    return add


def is_ours(cls: type[Reward]) -> bool:
    """Return whether a reward is one of this project's."""
    return cls.__module__.startswith(f"{__package__}.")


def known_rewards() -> list[str]:
    """Return the registered names."""
    return sorted(_REGISTRY)


def make_reward(name: str, context: RewardContext) -> Reward:
    """Return the reward registered as `name`; raise UserError that lists the known ones."""
    if name not in _REGISTRY:
        raise unknown_name("reward", name, known_rewards())
    return _REGISTRY[name](context)
