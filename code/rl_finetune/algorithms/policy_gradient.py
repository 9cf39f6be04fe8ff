"""The policy gradient over denoising steps.

Denoising is a decision process: the state is (x_t, t, music), the action x_s, the policy DDIM's Gaussian
step. The loss is -(1/S) sum over steps of the mean over dances and frames of A log p(x_s | x_t, music), with
log p averaged over features (Skeleton2Stage, arXiv 2602.13778; DDPO's score-function estimator). The last
step is deterministic and left out. With several inner epochs the same dances are used again, by the clipped
importance ratio of DDPO (Black et al., 2023, section 4.3).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from rl_finetune.algorithms.base import Algorithm
from rl_finetune.dance_model.ddim import Samples, ddim_step
from rl_finetune.dance_model.denoiser import DanceDecoder, MusicEncoding
from rl_finetune.dance_model.model import DanceModel
from rl_finetune.dance_model.predictor import precision_context, prediction
from rl_finetune.rollout import Rollout


@dataclass(frozen=True)
class GradientConfig:
    """How the gradient is gathered.

    guidance: of the roll-out. dances_per_pass, steps_per_pass: of one backward pass. precision, compiled: as
    `Predictor` has them, and as the roll-out had. clip_range: of the importance ratio, above 0 for dances that are
    used again.
    """

    guidance: float
    dances_per_pass: int
    steps_per_pass: int
    precision: str = "float32"
    compiled: bool = False
    clip_range: float = 0.0


@dataclass(frozen=True)
class StepChoice:
    """Which denoising steps an update is trained on: n of those at min_time or noisier, all of them where n is 0."""

    n: int = 0
    min_time: int = 0

    def draw(self, samples: Samples, generator: torch.Generator) -> list[int]:
        """Return the indices of the chosen steps, in order."""
        steps = [i for i in stochastic_steps(samples) if samples.steps[i].time >= self.min_time]
        if not 0 < self.n < len(steps):
            return steps
        chosen = torch.randperm(len(steps), generator=generator)[: self.n]
        return sorted(steps[index] for index in chosen.tolist())


class PolicyGradient(Algorithm):
    """One optimiser step an epoch along the policy gradient, or `inner_epochs` of them with clipped ratios."""

    def __init__(self, config: GradientConfig, steps: StepChoice, inner_epochs: int = 1) -> None:
        self.config, self.steps, self.inner_epochs = config, steps, inner_epochs

    def gradients(
        self, model: DanceModel, rollout: Rollout, advantages: torch.Tensor, generator: torch.Generator
    ) -> Iterator[dict[str, float]]:
        """Add the gradient of an epoch's dances and yield its loss, `inner_epochs` times."""
        for _ in range(self.inner_epochs):
            steps = self.steps.draw(rollout.samples, generator)
            arguments = (model.denoiser, rollout.samples, rollout.music, advantages, steps, self.config)
            yield {"loss": accumulate_gradient(*arguments)}


def stochastic_steps(samples: Samples) -> list[int]:
    """Return the indices of the steps that have a density."""
    return [index for index, step in enumerate(samples.steps) if step.is_stochastic]


def accumulate_gradient(
    model: DanceDecoder,
    samples: Samples,
    music: torch.Tensor,
    advantages: torch.Tensor,
    trained_steps: list[int],
    config: GradientConfig,
) -> float:
    """Add the gradient of the loss to the parameters and return the loss.

    samples: N recorded dances; music: [N, T, F]; advantages: [N, T]; trained_steps: which steps to use,
    scaled up so that a random subset estimates the sum over all.
    """
    n_all = len(stochastic_steps(samples))
    scale = n_all / (len(trained_steps) * len(samples.steps))
    loss = torch.zeros((), device=music.device)
    for start in range(0, len(music), config.dances_per_pass):
        chosen = slice(start, start + config.dances_per_pass)
        share = scale * len(music[chosen]) / len(music)
        with precision_context(model.device, config.precision):
            encoding = model.encode_guided(music[chosen])
        # Steps back-propagate one chunk at a time into a cut-off copy, then once through the encoder.
        leaf = _leaf(encoding)
        for steps in _chunks(trained_steps, config.steps_per_pass):
            objective = _surrogate(model, samples, chosen, leaf, advantages[chosen], steps, config)
            (-share * objective).backward()
            loss -= share * objective.detach()
        _backward_through(encoding, leaf)
    return float(loss)


def _surrogate(
    model: DanceDecoder,
    samples: Samples,
    chosen: slice,
    encoding: MusicEncoding,
    advantages: torch.Tensor,
    steps: list[int],
    config: GradientConfig,
) -> torch.Tensor:
    """Return the sum over steps of the mean over dances and frames of A log p, or of the clipped ratio's A."""
    log_prob = step_log_probs(model, samples, chosen, encoding, steps, config)
    if config.clip_range <= 0:
        return (advantages * log_prob).mean(dim=(1, 2)).sum()
    ratio = (log_prob - samples.log_prob[steps, chosen]).exp()
    clipped = ratio.clamp(1.0 - config.clip_range, 1.0 + config.clip_range)
    return torch.minimum(advantages * ratio, advantages * clipped).mean(dim=(1, 2)).sum()


def step_log_probs(
    model: DanceDecoder,
    samples: Samples,
    chosen: slice,
    encoding: MusicEncoding,
    steps: list[int],
    config: GradientConfig,
) -> torch.Tensor:
    """Return log p of the recorded steps [S, n, T] of the chosen dances, all steps in one forward pass."""
    x_t = samples.trajectory[steps, chosen]
    x_next = samples.trajectory[[index + 1 for index in steps], chosen]
    n_steps, n = x_t.shape[:2]
    times = torch.tensor([samples.steps[index].time for index in steps], device=x_t.device).repeat_interleave(n)
    predict = prediction(config.compiled)
    with precision_context(model.device, config.precision):
        x0 = predict(model, x_t.flatten(0, 1), times, encoding.tile_guided(n_steps), config.guidance)
    scored = [
        ddim_step(x_t[i], x0_step, samples.steps[index], x_next=x_next[i]).log_prob
        for i, (index, x0_step) in enumerate(zip(steps, x0.unflatten(0, (n_steps, n)), strict=True))
    ]
    return torch.stack(scored)


def _leaf(encoding: MusicEncoding) -> MusicEncoding:
    leaf = encoding.detach()
    for tensor in leaf.tensors():
        tensor.requires_grad_()
    return leaf


def _backward_through(encoding: MusicEncoding, leaf: MusicEncoding) -> None:
    pairs = [(out, cut.grad) for out, cut in zip(encoding.tensors(), leaf.tensors(), strict=True)]
    pairs = [(out, grad) for out, grad in pairs if out.requires_grad and grad is not None]
    torch.autograd.backward([out for out, _ in pairs], [grad for _, grad in pairs])


def _chunks(items: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
