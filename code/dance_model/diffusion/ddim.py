"""DDIM as a chain of Gaussian steps: the same function draws a step and scores a given one.

Fine-tuning treats denoising as a decision process (Black et al., "Training Diffusion Models with
Reinforcement Learning", 2023): its policy is the Gaussian of `ddim_step`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch

from dance_model.diffusion.denoiser import Denoiser
from dance_model.diffusion.predictor import Predictor
from dance_model.diffusion.schedule import DDIMStep, cosine_schedule, ddim_steps

DEFAULT_GUIDANCE = 2.0  # EDGE's

# Changes a step's predicted x_0 [B, T, D] before it is used, as test-time guidance does.
RefineX0 = Callable[[torch.Tensor, DDIMStep], torch.Tensor]


class Transition(NamedTuple):
    """One step t -> s.

    x_next: [B, T, D] x_s. mean: [B, T, D] of its Gaussian. log_prob: [B, T] of x_next, averaged over the
    features; zero, without gradient, at a step that has no density. x0: [B, T, D] the prediction used.
    """

    x_next: torch.Tensor
    mean: torch.Tensor
    log_prob: torch.Tensor
    x0: torch.Tensor


@dataclass(frozen=True)
class SamplingConfig:
    """How to sample: DDIM steps, eta (scale of the noise), classifier-free guidance weight; precision and compiled
    as `Predictor` has them.
    """

    n_steps: int = 50
    eta: float = 1.0
    guidance: float = DEFAULT_GUIDANCE
    precision: str = "float32"
    compiled: bool = False

    def steps(self) -> list[DDIMStep]:
        """Return the chain's steps, noisiest first."""
        return ddim_steps(cosine_schedule(), self.n_steps, self.eta)


DEFAULT_SAMPLING = SamplingConfig()


@dataclass(frozen=True)
class Samples:
    """Sampled motions, normalised.

    x0: [B, T, D]. trajectory: [steps + 1, B, T, D] x_t from the first noise to x0, and
    log_prob: [steps, B, T] of each step when drawn; both None unless recorded.
    """

    x0: torch.Tensor
    steps: list[DDIMStep]
    trajectory: torch.Tensor | None = None
    log_prob: torch.Tensor | None = None


def gaussian_log_prob(x: torch.Tensor, mean: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return log N(x; mean, sigma^2) averaged over the last dimension, [...] of [..., D]."""
    error = ((x - mean) / sigma).square()
    return -0.5 * error.mean(dim=-1) - math.log(sigma) - 0.5 * math.log(2 * math.pi)


def step_mean(x_t: torch.Tensor, x0: torch.Tensor, step: DDIMStep) -> torch.Tensor:
    """Return the mean of x_s [B, T, D]: sqrt(abar_s) x_0 + c epsilon, epsilon being x_t's implied noise."""
    noise = (math.sqrt(1 / step.alpha) * x_t - x0) / math.sqrt(1 / step.alpha - 1)
    return math.sqrt(step.alpha_next) * x0 + step.c * noise


def ddim_step(
    x_t: torch.Tensor,
    x0: torch.Tensor,
    step: DDIMStep,
    *,
    noise: torch.Tensor | None = None,
    x_next: torch.Tensor | None = None,
    sigma_floor: float = 0.0,
) -> Transition:
    """Draw x_s with standard normal `noise`, or score a given `x_next`; exactly one of them is given.

    `sigma_floor` gives the last step, which adds no noise, a density all the same (the original uses
    1e-6); for drawing it changes nothing.
    """
    if (noise is None) == (x_next is None):
        raise ValueError("give either noise (to draw a step) or x_next (to score one)")
    mean = step_mean(x_t, x0, step)
    if x_next is None:
        x_next = mean + step.sigma * noise
    sigma = max(step.sigma, sigma_floor)
    log_prob = gaussian_log_prob(x_next, mean, sigma) if sigma > 0 else torch.zeros_like(mean[..., 0])
    return Transition(x_next, mean, log_prob.detach() if sigma == 0 else log_prob, x0)


def generator_for(model: Denoiser, seed: int) -> torch.Generator:
    """Return a random generator on the model's device."""
    return torch.Generator(model.device).manual_seed(seed)


@torch.no_grad()
def sample(
    model: Denoiser,
    music: torch.Tensor,
    generator: torch.Generator,
    config: SamplingConfig = DEFAULT_SAMPLING,
    *,
    record: bool = False,
    refine_x0: RefineX0 | None = None,
) -> Samples:
    """Return one motion window for each window of music [B, T, F].

    The model must be in evaluation mode, so that what is recorded can be scored again.
    """
    predict = Predictor(model, music, config.precision, config.compiled)
    x = noise_like_motion(model, len(music), generator)
    states, log_probs = [x], []
    steps = config.steps()
    for step in steps:
        noise = noise_like_motion(model, len(music), generator)
        x0 = predict(x, step.time, config.guidance)
        drawn = ddim_step(x, x0 if refine_x0 is None else refine_x0(x0, step), step, noise=noise)
        x = drawn.x_next
        if record:
            states.append(x)
            log_probs.append(drawn.log_prob)
    if not record:
        return Samples(x, steps)
    return Samples(x, steps, torch.stack(states), torch.stack(log_probs))


def noise_like_motion(model: Denoiser, batch: int, generator: torch.Generator) -> torch.Tensor:
    """Return standard normal noise [B, T, D] on the model's device."""
    shape = (batch, model.config.window_frames, model.config.motion_width)
    return torch.randn(shape, generator=generator, device=model.device)
