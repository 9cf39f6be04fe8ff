"""How far fine-tuning has led: the size of an update's step, and the divergence from the base model.

Both are taken from the guided predictions, since those are what dances are made of.
"""

from copy import deepcopy

import torch

from rl_finetune.dance_model.ddim import step_mean
from rl_finetune.dance_model.denoiser import DanceDecoder
from rl_finetune.dance_model.model import DanceModel
from rl_finetune.dance_model.predictor import precision_context, predict_x0
from rl_finetune.rollout import Rollout

PROBED_DANCES, PROBED_STEPS = 16, 4


class DriftProbe:
    """Watches a model's predictions at a few of its own denoising states."""

    def __init__(self, model: DanceModel, precision: str) -> None:
        self._base = deepcopy(model.denoiser).eval().requires_grad_(False)
        self._guidance, self._precision = model.guidance, precision

    def predictions(self, denoiser: DanceDecoder, rollout: Rollout) -> torch.Tensor:
        """Return what a denoiser predicts at four steps, evenly spread, of the first 16 dances: [4, n, T, D]."""
        music = rollout.music[:PROBED_DANCES]
        with torch.no_grad(), precision_context(denoiser.device, self._precision):
            encoding = denoiser.encode_guided(music)
            return torch.stack([
                predict_x0(
                    denoiser, rollout.samples.trajectory[index, : len(music)],
                    torch.full((len(music),), rollout.samples.steps[index].time, device=music.device), encoding,
                    self._guidance,
                )
                for index in _probed_steps(rollout)
            ])

    def figures(self, denoiser: DanceDecoder, rollout: Rollout, before: torch.Tensor) -> dict[str, float]:
        """Return the figures of an update, `before` being the predictions before it.

        step_size: root mean square change of the scaled prediction by it. kl: Kullback-Leibler divergence of the
        sampling chain from the base model's, averaged over frames and features and summed over the chain's steps, of
        which four are looked at.
        """
        after, base = self.predictions(denoiser, rollout), self.predictions(self._base, rollout)
        kl = 0.0
        for i, index in enumerate(_probed_steps(rollout)):
            step, x_t = rollout.samples.steps[index], rollout.samples.trajectory[index, : after.shape[1]]
            apart = (step_mean(x_t, after[i], step) - step_mean(x_t, base[i], step)) / step.sigma
            kl += 0.5 * float(apart.square().mean())
        n_all = sum(step.is_stochastic for step in rollout.samples.steps)
        return {"step_size": float((after - before).square().mean().sqrt()), "kl": kl * n_all / len(after)}


def _probed_steps(rollout: Rollout) -> list[int]:
    stochastic = [i for i, step in enumerate(rollout.samples.steps) if step.is_stochastic]
    n = min(PROBED_STEPS, len(stochastic))
    return [stochastic[int((k + 0.5) * len(stochastic) / n)] for k in range(n)]
