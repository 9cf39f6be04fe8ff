"""The imitation task as episodes for reinforcement learning."""

from dataclasses import dataclass
from typing import Any

import torch

from pretrain.clip_sampler import HardClipSampler
from skeleton2stage.physics.imitation.imitation_task import N_JOINT_ACTIONS, ImitationTask, StepOutcome
from skeleton2stage.physics.imitation.tracking import closeness_reward, wrench_reward
from skeleton2stage.settings import check_own_settings, setting


@dataclass(frozen=True)
class ClosenessConfig:
    """What training adds to the published reward: weight x exp(-mean body error / scale_m), `closeness_reward`."""

    weight: float = setting("0: the published reward alone", default=0.0, minimum=0)
    scale_m: float = setting("m", default=0.05, above=0)

    def __post_init__(self) -> None:
        check_own_settings(self)


@dataclass(frozen=True)
class EpisodeRules:
    """When an episode ends: frames at most, head below, mean body error above (m)."""

    max_frames: int
    fall_height_m: float
    stray_m: float


@dataclass(frozen=True)
class Transition:
    """A step of W worlds: rewards [W], done [W], failed [W], timed out (not failed) [W], the task's outcome."""

    reward: torch.Tensor
    done: torch.Tensor
    failed: torch.Tensor
    timed_out: torch.Tensor
    outcome: StepOutcome


class EpisodeEnvironment:
    """Worlds whose episodes start where the sampler says, and start anew when they end."""

    def __init__(
        self,
        task: ImitationTask,
        rules: EpisodeRules,
        sampler: HardClipSampler,
        closeness: ClosenessConfig = ClosenessConfig(),
    ) -> None:
        self.task = task
        self.rules = rules
        self.closeness = closeness
        self.sampler = sampler
        self._age = torch.zeros(task.simulator.n_worlds, dtype=torch.long, device=task.device)
        self._start(torch.arange(task.simulator.n_worlds, device=task.device))

    def observe(self) -> torch.Tensor:
        """Return observations [W, D]."""
        return self.task.observe()

    def step(self, action: torch.Tensor) -> Transition:
        """Advance all worlds under actions [W, A], begin new episodes where one ended."""
        outcome = self.task.step(action)
        self._age += 1
        failed = outcome.diverged | (outcome.head_height_m < self.rules.fall_height_m)
        failed |= outcome.body_error_m > self.rules.stray_m
        self.sampler.record(self.task.frame, failed)
        over = outcome.at_end | (self._age >= self.rules.max_frames)
        reward = self._reward(outcome, action)
        done = failed | over
        self._start(done.nonzero().squeeze(-1))
        return Transition(reward, done, failed, over & ~failed, outcome)

    def state_dict(self) -> dict[str, Any]:
        """Return what the sampler has learned, and where every world is in its episode, if the simulator can tell."""
        own = {"age": self._age, "frame": self.task.frame, "last_frame": self.task.last_frame}
        return {"sampler": self.sampler.state_dict(), **own, "simulator": self.task.simulator.snapshot()}

    def load_state_dict(self, state: dict[str, Any], episodes: bool = True) -> None:
        """Go on from a saved state; where it has no simulator's, or without `episodes`, these begin anew.

        Raises ValueError where it is of other clips.
        """
        self.sampler.load_state_dict(state["sampler"])
        if state["simulator"] is None or not episodes:
            return
        self._age.copy_(state["age"])
        self.task.go_on_from(state["frame"], state["last_frame"])
        self.task.simulator.put_back(state["simulator"])

    def _reward(self, outcome: StepOutcome, action: torch.Tensor) -> torch.Tensor:
        """Return what a step is worth in training, [W]; nothing where the world diverged."""
        reward = outcome.reward + wrench_reward(action[:, N_JOINT_ACTIONS:])
        reward = reward + closeness_reward(outcome.body_error_m, self.closeness.weight, self.closeness.scale_m)
        return torch.where(outcome.diverged, torch.zeros_like(reward), reward)

    def _start(self, worlds: torch.Tensor) -> None:
        if not len(worlds):
            return
        clips, frames = self.sampler.draw(len(worlds))
        self.task.reset(worlds, clips, frames)
        self._age[worlds] = 0
