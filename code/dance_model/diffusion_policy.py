"""Diffusion models as policies: their steps are DDIM's, of which all but the last are Gaussian.

Black et al., "Training Diffusion Models with Reinforcement Learning" (2023): the state is (x_t, t, music), the action
x_s. The last step adds no noise, has no density, and is left out of what is scored.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import nn

from dance_model.batch import DanceBatch
from dance_model.dance_policy import DancePolicy, Rollout, RolloutOptions, StepScores, probed, probed_dances
from dance_model.diffusion.ddim import RefineX0, Samples, SamplingConfig, ddim_step, sample, step_mean
from dance_model.diffusion.denoiser import Encoding
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.long import sample_long, stitched
from dance_model.diffusion.predictor import precision_context, predict_x0, prediction
from dance_model.diffusion_loading import restored, untrained
from dance_model.edge.edge_denoiser import DanceDecoder
from dance_model.popdg.popdg_denoiser import PopdgDenoiser
from skeleton2stage.motion.motion_layout import layout_named
from skeleton2stage.motion.scaler import MinMaxScaler


class DiffusionPolicy(DancePolicy):
    """A denoiser, sampled by DDIM under classifier-free guidance; the trace of a roll-out is its `Samples`.

    model: the denoiser and what one must know to feed it music and read its motions.
    """

    def __init__(self, model: DanceModel, options: RolloutOptions | None = None) -> None:
        super().__init__(model.denoiser, model.music, options)
        self.model = replace(model, guidance=model.guidance_or(self.options.guidance))
        self.window_frames = model.denoiser.config.window_frames

    @property
    def sampling(self) -> SamplingConfig:
        """How windows are sampled, by the options."""
        options = self.options
        return SamplingConfig(
            options.n_steps, options.eta, self.model.guidance_or(options.guidance), options.precision, options.compiled
        )

    def with_options(self, options: RolloutOptions) -> Self:
        """Take other options and return the model, whose own guidance weight, saved with it, is then the given one."""
        self.model = replace(self.model, guidance=self.model.guidance_or(options.guidance))
        return super().with_options(options)

    def roll_out(self, music: torch.Tensor, generator: torch.Generator, record: bool = True) -> Rollout:
        """Return one dance to each window of music [N, T, F]; with `record`, so that its steps can be scored."""
        samples = sample(self.model.denoiser, music, generator, self.sampling, record=record)
        return Rollout(music, samples, len(samples.steps))

    def dances(self, rollout: Rollout) -> DanceBatch:
        """Return the dances of a roll-out."""
        return self.model.dances(rollout.trace.x0)

    def long_dances(
        self, music: Sequence[torch.Tensor], generator: torch.Generator, refine_x0: RefineX0 | None = None
    ) -> list[DanceBatch]:
        """Return one dance, a batch of 1, to each piece's windows; `refine_x0` changes predictions on the way."""
        windows = sample_long(self.model.denoiser, music, generator, self.sampling, refine_x0)
        return [stitched(self.model.scaler.unnormalise(own.float()), self.model.layout) for own in windows]

    def scored_steps(self, rollout: Rollout, min_time: int = 0) -> list[int]:
        """Return the steps that have a density, from the noisiest on, at times of `min_time` or more."""
        steps = rollout.trace.steps
        return [i for i, step in enumerate(steps) if step.is_stochastic and step.time >= min_time]

    def recorded_log_prob(self, rollout: Rollout) -> torch.Tensor:
        """Return the log-probability of every step when it was drawn, [n_steps, N, T], averaged over features."""
        return rollout.trace.log_prob

    def log_prob(self, rollout: Rollout, dances: slice, steps: list[int]) -> torch.Tensor:
        """Return, with gradient, the log-probability of recorded steps [S, n, T], averaged over features."""
        return self._scored(rollout.trace, dances, self._encoded(rollout.music[dances]), steps)

    @contextmanager
    def scoring(self, rollout: Rollout, dances: slice) -> Iterator[StepScores]:
        """Yield `log_prob` of the chosen dances: the music is encoded once, and back-propagated through on leaving."""
        encoding = self._encoded(rollout.music[dances])
        leaf = encoding.detach()
        for tensor in leaf.tensors():
            tensor.requires_grad_()
        yield lambda steps: self._scored(rollout.trace, dances, leaf, steps)
        pairs = [(out, cut.grad) for out, cut in zip(encoding.tensors(), leaf.tensors(), strict=True)]
        pairs = [(out, grad) for out, grad in pairs if out.requires_grad and grad is not None]
        if pairs:
            torch.autograd.backward([out for out, _ in pairs], [grad for _, grad in pairs])

    @torch.no_grad()
    def outlook(self, rollout: Rollout) -> torch.Tensor:
        """Return what the model predicts, guided, at four steps of the first sixteen dances: [4, n, T, D]."""
        chosen = probed_dances(rollout)
        music, samples = rollout.music[chosen], rollout.trace
        with precision_context(self.device, self.options.precision):
            encoding = self.model.denoiser.encode_guided(music)
            return torch.stack([
                predict_x0(
                    self.model.denoiser, samples.trajectory[index, chosen],
                    torch.full((len(music),), samples.steps[index].time, device=music.device), encoding,
                    self.sampling.guidance,
                )
                for index in probed(self.scored_steps(rollout))
            ])

    def drift(
        self, rollout: Rollout, now: torch.Tensor, before: torch.Tensor, base: torch.Tensor
    ) -> dict[str, float]:
        """Return how far the model has gone.

        step_size: root mean square change of the scaled prediction by the update. kl: Kullback-Leibler divergence of
        the sampling chain from the base model's, averaged over frames and features and summed over the chain's steps,
        of which four are looked at. Both are of guided predictions, since those are what dances are made of.
        """
        kl, steps = 0.0, self.scored_steps(rollout)
        for i, index in enumerate(probed(steps)):
            step, x_t = rollout.trace.steps[index], rollout.trace.trajectory[index, : now.shape[1]]
            apart = (step_mean(x_t, now[i], step) - step_mean(x_t, base[i], step)) / step.sigma
            kl += 0.5 * float(apart.square().mean())
        return {"step_size": float((now - before).square().mean().sqrt()), "kl": kl * len(steps) / len(now)}

    def to(self, device: torch.device | str) -> Self:
        """Move the model to another device and return it."""
        self.model = self.model.to(device)
        return self

    def config(self) -> dict[str, Any]:
        """Return layout, music, guidance weight and sizes."""
        return self.model.config()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return an untrained model of a configuration, whose scaler changes nothing."""
        denoiser = untrained(config | {"family": cls.family})
        width = denoiser.config.motion_width
        scaler = MinMaxScaler(torch.ones(width), torch.zeros(width), denoiser.config.place_range)
        return cls(DanceModel(denoiser, layout_named(config["layout"]), scaler, config["music"], config["guidance"]))

    @classmethod
    def from_checkpoint(cls, config: dict[str, Any], weights: dict[str, torch.Tensor]) -> Self:
        """Return the model that `save` wrote."""
        return cls(restored(config | {"family": cls.family}, weights))

    def save(self, path: Path, half: bool = True) -> None:
        """Write a checkpoint; `half` stores the denoiser's weights in 16 bits, the scaler never."""
        self.model.save(path, half)

    def _encoded(self, music: torch.Tensor) -> Encoding:
        with precision_context(self.device, self.options.precision):
            return self.model.denoiser.encode_guided(music)

    def _scored(self, samples: Samples, dances: slice, encoding: Encoding, steps: list[int]) -> torch.Tensor:
        """Return log p of recorded steps [S, n, T], all steps in one forward pass."""
        x_t = samples.trajectory[steps, dances]
        x_next = samples.trajectory[[index + 1 for index in steps], dances]
        n_steps, n = x_t.shape[:2]
        times = torch.tensor([samples.steps[index].time for index in steps], device=x_t.device).repeat_interleave(n)
        predict = prediction(self.options.compiled)
        with precision_context(self.device, self.options.precision):
            guided = encoding.tile_guided(n_steps)
            x0 = predict(self.model.denoiser, x_t.flatten(0, 1), times, guided, self.sampling.guidance)
        scored = [
            ddim_step(x_t[i], x0_step, samples.steps[index], x_next=x_next[i]).log_prob
            for i, (index, x0_step) in enumerate(zip(steps, x0.unflatten(0, (n_steps, n)), strict=True))
        ]
        return torch.stack(scored)


class EdgePolicy(DiffusionPolicy):
    """EDGE (Tseng et al., CVPR 2023)."""

    family = DanceDecoder.family


class PopdgPolicy(DiffusionPolicy):
    """POPDG (Luo et al., CVPR 2024)."""

    family = PopdgDenoiser.family

    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters that are trained: all but those of the variance, of which DDIM makes no use."""
        unused = {id(parameter) for parameter in self.module.variance_layer.parameters()}
        return [parameter for parameter in super().parameters() if id(parameter) not in unused]


DIFFUSIONS: dict[str, type[DiffusionPolicy]] = {cls.family: cls for cls in (EdgePolicy, PopdgPolicy)}


def as_policy(model: DanceModel, options: RolloutOptions | None = None) -> DiffusionPolicy:
    """Return a diffusion model as the policy of its family."""
    return DIFFUSIONS[model.denoiser.family](model, options)
