"""The policy gradient over the steps by which dances came about.

Sampling is a decision process: a diffusion's steps are those of denoising, a model of codes writes a code a step. The
loss is -(1/S) sum over the S steps of the mean over dances and frames of A log p(step), as the family defines its log p
(Skeleton2Stage, arXiv 2602.13778; DDPO's score-function estimator, Black et al., 2023). Steps without a density are
left out. With several inner epochs the same dances are used again, by the clipped importance ratio of DDPO (section
4.3).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from dance_model.dance_policy import DancePolicy, Rollout, StepScores
from rl_finetune.algorithms.algorithm import Algorithm


@dataclass(frozen=True)
class GradientConfig:
    """How the gradient is gathered.

    dances_per_pass, steps_per_pass: of one backward pass. clip_range: of the importance ratio, above 0 for dances that
    are used again.
    """

    dances_per_pass: int
    steps_per_pass: int
    clip_range: float = 0.0


@dataclass(frozen=True)
class StepChoice:
    """Which steps an update is trained on: n of those at a diffusion's min_time or noisier, all where n is 0."""

    n: int = 0
    min_time: int = 0

    def draw(self, policy: DancePolicy, rollout: Rollout, generator: torch.Generator) -> list[int]:
        """Return the indices of the chosen steps, in order."""
        steps = policy.scored_steps(rollout, self.min_time)
        if not 0 < self.n < len(steps):
            return steps
        chosen = torch.randperm(len(steps), generator=generator)[: self.n]
        return sorted(steps[index] for index in chosen.tolist())


class PolicyGradient(Algorithm):
    """One optimiser step an epoch along the policy gradient, or `inner_epochs` of them with clipped ratios."""

    def __init__(self, config: GradientConfig, steps: StepChoice, inner_epochs: int = 1) -> None:
        self.config, self.steps, self.inner_epochs = config, steps, inner_epochs

    def gradients(
        self, policy: DancePolicy, rollout: Rollout, advantages: torch.Tensor, generator: torch.Generator
    ) -> Iterator[dict[str, float]]:
        """Add the gradient of an epoch's dances and yield its loss, `inner_epochs` times."""
        for _ in range(self.inner_epochs):
            steps = self.steps.draw(policy, rollout, generator)
            yield {"loss": accumulate_gradient(policy, rollout, advantages, steps, self.config)}


def accumulate_gradient(
    policy: DancePolicy, rollout: Rollout, advantages: torch.Tensor, trained_steps: list[int], config: GradientConfig
) -> float:
    """Add the gradient of the loss to the parameters and return the loss.

    rollout: N recorded dances; advantages: [N, T]; trained_steps: which steps to use, scaled up so that a random subset
    estimates the sum over all.
    """
    scale = len(policy.scored_steps(rollout)) / (len(trained_steps) * rollout.n_steps)
    loss = torch.zeros((), device=advantages.device)
    recorded = policy.recorded_log_prob(rollout) if config.clip_range > 0 else None
    for start in range(0, len(rollout), config.dances_per_pass):
        chosen = slice(start, start + config.dances_per_pass)
        share = scale * len(advantages[chosen]) / len(rollout)
        with policy.scoring(rollout, chosen) as scores:
            for steps in _chunks(trained_steps, config.steps_per_pass):
                old = None if recorded is None else recorded[steps, chosen]
                objective = _surrogate(scores, steps, advantages[chosen], old, config.clip_range)
                (-share * objective).backward()
                loss -= share * objective.detach()
    return float(loss)


def _surrogate(
    scores: StepScores, steps: list[int], advantages: torch.Tensor, old: torch.Tensor | None, clip_range: float
) -> torch.Tensor:
    """Return the sum over steps of the mean over dances and frames of A log p, or of the clipped ratio's A."""
    log_prob = scores(steps)
    if old is None:
        return (advantages * log_prob).mean(dim=(1, 2)).sum()
    ratio = (log_prob - old).exp()
    clipped = ratio.clamp(1.0 - clip_range, 1.0 + clip_range)
    return torch.minimum(advantages * ratio, advantages * clipped).mean(dim=(1, 2)).sum()


def _chunks(items: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
