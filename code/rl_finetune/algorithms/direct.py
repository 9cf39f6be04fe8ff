"""Penetration removed by its own geometry: dances are moved apart from themselves, and the model learns to follow.

Where a body passes through itself, spheres that fill it tell how to turn which joints, so that no reward is needed to
find out by trial. With d the displacement of a sampled dance x_0, both scaled, the denoiser D under guidance is
regressed to

    L = mean ||D(x_t + sqrt(abar_t) d, t, music) - (D_old(x_t, t, music) + d)||^2,
    x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise

that is, to what the old denoiser would say if all its dances had been displaced alike: a denoiser of displaced dances,
told by far less noise than regressing to x_0 + d itself. Noising the displaced dance matters: of one that is not, D
would learn to displace at every denoising step what earlier steps had displaced already, by far too much, and the
dances would calm down. Where d is zero the model is left as it is, and since the dances are the model's own, d shrinks
from epoch to epoch.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from dance_model.dance_policy import Rollout
from dance_model.diffusion.denoiser import Denoiser
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.predictor import precision_context, prediction
from dance_model.diffusion.schedule import N_TIMES, cosine_schedule
from dance_model.diffusion_policy import DiffusionPolicy
from rl_finetune.algorithms.algorithm import Algorithm
from rl_finetune.algorithms.displacement import LEGS, PELVIS, DisplacementConfig, displacement, keep_lively
from skeleton2stage.body.spheres import BodySpheres
from skeleton2stage.motion.skeleton import N_JOINTS
from skeleton2stage.settings import setting


@dataclass(frozen=True)
class DirectConfig:
    """How displacements become gradients; numbers of dances are those of one process."""

    displacement: DisplacementConfig = setting("how dances are moved", default=DisplacementConfig())
    motion_gain: float = setting(
        "share of its movement, from frame to frame, that a dance should gain per root mean square displacement in the "
        "model's scale; 0 keeps what it has; makes up for what a regression loses",
        default=0.15, minimum=0,
    )
    times_per_dance: int = setting(
        "denoising times drawn for each dance, evenly spread over all", default=4, minimum=1
    )
    min_time: int = setting(
        f"of the noise's {N_TIMES} times, the first that is drawn", default=0, minimum=0, maximum=N_TIMES - 1
    )
    max_time: int = setting("and the last", default=N_TIMES - 1, minimum=0, maximum=N_TIMES - 1)
    optimiser_steps: int = setting("an epoch, each by its share of dances and times", default=8, minimum=1)
    lower: float = setting(
        "how many times the squared error of the pelvis' place and rotation and of the legs counts, so that feet do "
        "not learn to slide for the sake of the arms",
        default=10.0, minimum=0,
    )
    dances_per_pass: int = setting("re-noised dances in one backward pass", default=16, minimum=1, may_change=True)
    precision: str = setting("follows the run's own `precision`", default="float32")
    compiled: bool = setting("follows the run's own `compiled`", default=False, may_change=True)


@dataclass(frozen=True)
class Targets:
    """B re-noised dances and what to predict from them.

    x_t: [B, T, D] at times [B]. music: [B, T, F]. x0: [B, T, D], what should be predicted.
    """

    x_t: torch.Tensor
    times: torch.Tensor
    music: torch.Tensor
    x0: torch.Tensor

    def __len__(self) -> int:
        return len(self.times)

    def select(self, index: slice) -> "Targets":
        """Return some of them."""
        return Targets(self.x_t[index], self.times[index], self.music[index], self.x0[index])

    def split(self, size: int) -> "Iterator[Targets]":
        """Yield them in order, at most `size` at a time."""
        for start in range(0, len(self), size):
            yield self.select(slice(start, start + size))


class Direct(Algorithm):
    """A few optimiser steps an epoch towards the epoch's dances, moved apart from themselves."""

    def __init__(self, config: DirectConfig, spheres: BodySpheres) -> None:
        self.config, self.spheres = config, spheres

    def gradients(
        self, policy: DiffusionPolicy, rollout: Rollout, advantages: torch.Tensor, generator: torch.Generator
    ) -> Iterator[dict[str, float]]:
        """Add the gradient of one share of the targets and yield its loss, for each share; advantages do not count."""
        model = policy.model
        moved = self.displacements(model, rollout.trace.x0)
        targets = self.targets(model, rollout, moved, generator)
        size = -(-len(targets) // self.config.optimiser_steps)
        for share in targets.split(size):
            loss = accumulate_regression(model, share, self.config)
            yield {"loss": loss, "displacement": float(moved.square().mean().sqrt())}

    def displacements(self, model: DanceModel, x0: torch.Tensor) -> torch.Tensor:
        """Return what to add to scaled dances [N, T, D] so that parts that are not neighbours come apart."""
        chosen, config = model.layout.rot6d, self.config
        rot6d = model.scaler.unnormalise(x0.float())[..., chosen].unflatten(-1, (N_JOINTS, 6))
        scale = model.scaler.scale[chosen].unflatten(-1, (N_JOINTS, 6))
        moved = displacement(rot6d, scale, self.spheres.to(x0.device), config.displacement)
        share = 1.0 + config.motion_gain * (moved * scale).square().mean(dim=(1, 2, 3)).sqrt()
        change = (keep_lively(rot6d, rot6d + moved, share) - rot6d) * scale
        scaled = torch.zeros_like(x0)
        scaled[..., chosen] = change.flatten(-2)
        return scaled

    @torch.no_grad()
    def targets(
        self, model: DanceModel, rollout: Rollout, moved: torch.Tensor, generator: torch.Generator
    ) -> Targets:
        """Return displaced dances re-noised at their times, in random order, and the model's predictions, displaced."""
        config, x0 = self.config, rollout.trace.x0
        times = spread_times(len(x0), config, generator)
        order = torch.randperm(times.numel(), generator=generator)
        dances, times = (order % len(x0)).to(x0.device), times.flatten()[order].to(x0.device)
        noise = torch.randn(len(order), *x0.shape[1:], generator=generator).to(x0.device)
        schedule = cosine_schedule()
        parts = Targets(schedule.add_noise(x0[dances], times, noise), times, rollout.music[dances], moved[dances])
        old = [guided(model.denoiser, part, model.guidance, config) for part in parts.split(config.dances_per_pass)]
        x_t = schedule.add_noise(x0[dances] + moved[dances], times, noise)
        return Targets(x_t, times, parts.music, torch.cat(old) + parts.x0)


def spread_times(n: int, config: DirectConfig, generator: torch.Generator) -> torch.Tensor:
    """Return denoising times [times_per_dance, n], each row a random one from every n-th part of the range."""
    shape = config.times_per_dance, n
    places = (torch.stack([torch.randperm(n, generator=generator) for _ in range(shape[0])])
              + torch.rand(shape, generator=generator)) / n
    span = config.max_time + 1 - config.min_time
    return config.min_time + (places * span).long().clamp(max=span - 1)


def guided(model: Denoiser, targets: Targets, guidance: float, config: DirectConfig) -> torch.Tensor:
    """Return the model's guided predictions [B, T, D] of x_0 from the targets' noisy dances."""
    with precision_context(model.device, config.precision):
        encoding = model.encode_guided(targets.music)
        return prediction(config.compiled)(model, targets.x_t, targets.times, encoding, guidance)


def accumulate_regression(model: DanceModel, targets: Targets, config: DirectConfig) -> float:
    """Add the gradient of the targets' weighted mean square error to the parameters and return that error."""
    loss = torch.zeros((), device=targets.x0.device)
    weights = feature_weights(model, config).to(targets.x0.device)
    for part in targets.split(config.dances_per_pass):
        error = guided(model.denoiser, part, model.guidance, config) - part.x0
        share = len(part) / len(targets) * (weights * error.square()).mean()
        share.backward()
        loss += share.detach()
    return float(loss)


def feature_weights(model: DanceModel, config: DirectConfig) -> torch.Tensor:
    """Return the weight of each feature, [D]."""
    weights = torch.ones(model.layout.width)
    weights[model.layout.translation] = config.lower
    rotations = weights[model.layout.rot6d].view(N_JOINTS, 6)
    rotations[[PELVIS, *LEGS]] = config.lower
    return weights
