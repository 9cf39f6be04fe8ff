"""Advantages taught to the forward process: dances are noised afresh, and neither steps nor likelihoods are needed.

DiffusionNFT (Zheng et al., "DiffusionNFT: Online Diffusion Reinforcement with Forward Process", arXiv 2509.16117), here
for a denoiser D that predicts clean dances, under guidance, with credit by frame. With D_old the denoiser that danced
x_0, x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise, and the optimality r = 1/2 + A / (2 A_max) of a frame,

    L = mean r ||D+ - x_0||^2 / w+  +  (1 - r) ||D- - x_0||^2 / w-,   D+- = D_old +- beta (D - D_old)

where w+- are the mean absolute errors of D+- over the dance, without gradient. Good frames pull what the model implies
towards them, bad ones pull what it implies the other way; at its least D is D_old + E[(2r - 1) (x_0 - D_old)] / beta.
Any sampler will do, in few steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from dance_model.dance_policy import Rollout
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.schedule import N_TIMES, cosine_schedule
from dance_model.diffusion_policy import DiffusionPolicy
from rl_finetune.algorithms.algorithm import Algorithm
from rl_finetune.algorithms.direct import Targets, guided, spread_times
from rl_finetune.group_advantages import CLIP
from skeleton2stage.settings import setting

LEAST_ERROR = 1e-5


@dataclass(frozen=True)
class ForwardConfig:
    """How noised dances become gradients; numbers of dances are those of one process.

    beta: how far D+ and D- are apart, in steps of the model.
    times_per_dance: denoising times drawn for each dance, evenly spread over all times.
    min_time, max_time: times drawn are from min_time to max_time.
    shared: so many dances in a row, of one prompt, have times and noise in common, which then cancel in what they are
        compared by; 1: none.
    optimiser_steps: optimiser steps an epoch; each uses its share of the dances and times.
    dances_per_pass: noised dances in one backward pass.
    precision, compiled: as `Predictor` has them.
    """

    beta: float = setting(default=1.0, above=0)
    times_per_dance: int = setting(default=4, minimum=1)
    min_time: int = setting(default=0, minimum=0, maximum=N_TIMES - 1)
    max_time: int = setting(default=N_TIMES - 1, minimum=0, maximum=N_TIMES - 1)
    shared: int = setting(default=1, minimum=1)
    optimiser_steps: int = setting(default=1, minimum=1)
    dances_per_pass: int = setting(default=16, minimum=1, may_change=True)
    precision: str = "float32"
    compiled: bool = setting(default=False, may_change=True)


@dataclass(frozen=True)
class Lessons:
    """B noised dances: `noised` has the dances x_0 as what to predict. old: [B, T, D] what D_old predicts of them.

    optimality: r [B, T] of their frames.
    """

    noised: Targets
    old: torch.Tensor
    optimality: torch.Tensor

    def split(self, size: int) -> "Iterator[Lessons]":
        """Yield them in order, at most `size` at a time."""
        for start in range(0, len(self.old), size):
            part = slice(start, start + size)
            yield Lessons(self.noised.select(part), self.old[part], self.optimality[part])


class ForwardProcess(Algorithm):
    """A few optimiser steps an epoch by DiffusionNFT, of the epoch's dances noised afresh."""

    def __init__(self, config: ForwardConfig) -> None:
        self.config = config

    def gradients(
        self, policy: DiffusionPolicy, rollout: Rollout, advantages: torch.Tensor, generator: torch.Generator
    ) -> Iterator[dict[str, float]]:
        """Add the gradient of one share of the noised dances and yield its loss, for each share."""
        lessons = self.lessons(policy.model, rollout, advantages, generator)
        size = -(-len(lessons.old) // self.config.optimiser_steps)
        for share in lessons.split(size):
            yield {"loss": self._accumulate(policy.model, share)}

    @torch.no_grad()
    def lessons(
        self, model: DanceModel, rollout: Rollout, advantages: torch.Tensor, generator: torch.Generator
    ) -> Lessons:
        """Return dances noised at their times, group by group in random order."""
        config, x0 = self.config, rollout.trace.x0
        n_groups, shared = -(-len(x0) // config.shared), config.shared
        times = spread_times(n_groups, config, generator)
        order = torch.randperm(times.numel(), generator=generator)
        noise = torch.randn(len(order), *x0.shape[1:], generator=generator)
        members = (order[:, None] % n_groups) * shared + torch.arange(shared)
        known = (members < len(x0)).flatten()
        dances = members.flatten()[known].to(x0.device)
        times = times.flatten()[order].repeat_interleave(shared)[known].to(x0.device)
        noise = noise.repeat_interleave(shared, dim=0)[known].to(x0.device)
        x_t = cosine_schedule().add_noise(x0[dances], times, noise)
        noised = Targets(x_t, times, rollout.music[dances], x0[dances])
        old = [guided(model.denoiser, part, model.guidance, config) for part in noised.split(config.dances_per_pass)]
        return Lessons(noised, torch.cat(old), optimality(advantages)[dances])

    def _accumulate(self, model: DanceModel, lessons: Lessons) -> float:
        """Add the gradient of the loss to the parameters and return the loss."""
        loss, config = torch.zeros((), device=lessons.old.device), self.config
        for part in lessons.split(config.dances_per_pass):
            now = guided(model.denoiser, part.noised, model.guidance, config)
            share = len(part.old) / len(lessons.old) * contrast(now, part, config.beta).mean()
            share.backward()
            loss += share.detach()
        return float(loss)


def optimality(advantages: torch.Tensor) -> torch.Tensor:
    """Return how likely frames are good, in [0, 1], by their advantages [N, T] within +-5."""
    return (0.5 + advantages / (2.0 * CLIP)).clamp(0.0, 1.0)


def contrast(now: torch.Tensor, lessons: Lessons, beta: float) -> torch.Tensor:
    """Return the loss of every frame [B, T] for the model's predictions `now` [B, T, D]."""
    step = beta * (now - lessons.old)
    towards, away = (_relative(lessons.old + sign * step - lessons.noised.x0) for sign in (1.0, -1.0))
    return lessons.optimality * towards + (1.0 - lessons.optimality) * away


def _relative(error: torch.Tensor) -> torch.Tensor:
    """Return mean squares [B, T] of errors [B, T, D], over the dance's mean absolute error."""
    scale = error.detach().abs().mean(dim=(1, 2)).clamp(min=LEAST_ERROR)
    return error.square().mean(dim=-1) / scale[:, None]
