"""The imitation task as episodes for reinforcement learning."""

from dataclasses import dataclass

import torch

from skeleton2stage.physics.imitation import N_JOINT_ACTIONS, ImitationTask, StepOutcome
from skeleton2stage.physics.tracking import wrench_reward


@dataclass(frozen=True)
class EpisodeRules:
    """When an episode ends: frames at most, head below, mean body error above (m)."""

    max_frames: int
    fall_height_m: float
    stray_m: float


@dataclass(frozen=True)
class Transition:
    """A step of W worlds: rewards [W], done [W], timed out (not failed) [W], and the task's own outcome."""

    reward: torch.Tensor
    done: torch.Tensor
    timed_out: torch.Tensor
    outcome: StepOutcome


class EpisodeEnvironment:
    """Worlds that start at random frames of random clips, and start anew when an episode ends."""

    def __init__(self, task: ImitationTask, rules: EpisodeRules, generator: torch.Generator) -> None:
        self.task = task
        self.rules = rules
        self._generator = generator
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
        over = outcome.at_end | (self._age >= self.rules.max_frames)
        reward = outcome.reward + wrench_reward(action[:, N_JOINT_ACTIONS:])
        reward = torch.where(outcome.diverged, torch.zeros_like(reward), reward)
        done = failed | over
        self._start(done.nonzero().squeeze(-1))
        return Transition(reward, done, over & ~failed, outcome)

    def _start(self, worlds: torch.Tensor) -> None:
        """Begin episodes at frames drawn uniformly from all clips, the last frame of each excepted."""
        references = self.task.references
        lengths = (references.length - 1).double()
        draw = torch.multinomial(lengths.cpu(), max(len(worlds), 1), replacement=True, generator=self._generator)
        clips = draw.to(worlds.device)[: len(worlds)]
        within = torch.rand(len(worlds), generator=self._generator).to(worlds.device)
        self.task.reset(worlds, clips, (within * (references.length[clips] - 1)).long())
        self._age[worlds] = 0
