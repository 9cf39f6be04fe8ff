"""POPDG's training losses: EDGE's, with contacts of nine joints of the whole body, and a bound on the likelihood.

Luo et al., "POPDG" (CVPR 2024), and its released code, which the weights are of. The bound is that of Nichol, Dhariwal,
"Improved Denoising Diffusion Probabilistic Models" (iDDPM, 2021), sections 2.1 and 3.1: it is what the variance v is
learned by.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch

from dance_model.diffusion.schedule import NoiseSchedule
from dance_model.training.dance_losses import FK_SPACES, dance_losses
from dance_model.training.joint_positions import KinematicTree
from skeleton2stage.motion.motion_layout import MotionLayout
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.settings import check_own_settings, setting

SMALLEST_VARIANCE, SMALLEST_CHANCE = 1e-20, 1e-12
LARGEST_LOG_VARIANCE = 10.0  # on either side of 0
BIN = 1e-3  # half the width of the bins in which the likelihood of clean, scaled values is measured


@dataclass(frozen=True)
class PopdgLossConfig:
    """Weights of the terms, those of POPDG's code, and the space of joints (see `LossConfig` of EDGE's losses).

    body is so much that an untrained network without preconditioning (data_std 0) first makes its 6D rotations long, so
    that noise turns them less: on a toy of four windows it took 320 steps to the error that EDGE's 10.942 had after 20.
    Preconditioned, on mocap, the two learned alike. iDDPM, against its noise, lets the bound teach the variance alone.
    """

    reconstruction: float = setting("of the whole vector", default=0.636, minimum=0)
    velocity: float = setting("of its frame-to-frame differences", default=0.2964, minimum=0)
    joints: float = setting("of joint positions", default=0.646, minimum=0)
    body: float = setting("of movement of joints where the model predicts contact", default=1000.942, minimum=0)
    variational: float = setting("of the bound by which the variance is learned", default=0.01, minimum=0)
    fk_space: str = setting("of joints: normalised or metric", default="normalised", choices=FK_SPACES)
    mean_gradient: bool = setting(
        "whether the bound also teaches the mean, as in POPDG's code", default=False
    )

    def __post_init__(self) -> None:
        check_own_settings(self)


class Denoised(NamedTuple):
    """Motions of a training step, scaled, [B, T, D] each, and their times [B].

    predicted, variance: of `PopdgDenoiser.forward_with_variance`. clean, noisy: x_0 and x_t.
    """

    predicted: torch.Tensor
    variance: torch.Tensor
    clean: torch.Tensor
    noisy: torch.Tensor
    times: torch.Tensor


class PopdgLosses(NamedTuple):
    """The unweighted terms, each a scalar tensor averaged over the batch."""

    reconstruction: torch.Tensor
    velocity: torch.Tensor
    joints: torch.Tensor
    body: torch.Tensor
    variational: torch.Tensor

    def total(self, config: PopdgLossConfig) -> torch.Tensor:
        """Return the weighted sum."""
        return sum(getattr(config, name) * term for name, term in self._asdict().items())


def popdg_losses(
    denoised: Denoised,
    weights: torch.Tensor,
    layout: MotionLayout,
    scaler: MinMaxScaler,
    config: PopdgLossConfig,
    tree: KinematicTree,
    schedule: NoiseSchedule,
) -> PopdgLosses:
    """Return the losses of a training step; windows count in the first three terms by their weights [B].

    The body term is of all joints that the layout has contacts of. The bound is taken of the prediction itself, where
    POPDG's code makes a guided one for it, by two more passes, and with the guidance that suits the first window.
    """
    predicted, variance, clean, noisy, times = denoised
    terms = dance_losses(
        predicted, clean, weights, layout, scaler, config.fk_space, tree, layout.contact_joints
    )
    mean_of = predicted if config.mean_gradient else predicted.detach()
    bits = variational_bound(denoised._replace(predicted=mean_of), schedule, scaler.bound)
    return PopdgLosses(*terms, bits.mean())


def log_variance(variance: torch.Tensor, times: torch.Tensor, schedule: NoiseSchedule) -> torch.Tensor:
    """Return the log of the reverse process' variance [B, T, D] that v in [-1, 1] stands for (iDDPM, eq. 15).

    It lies between those of beta~_t, the posterior's variance (v = -1), and beta_t (v = 1).
    """
    share = (variance + 1.0) / 2.0
    low = _at(schedule.posterior_variance.clamp(min=SMALLEST_VARIANCE).log(), times)
    high = _at(schedule.betas.log(), times)
    return (share * high + (1.0 - share) * low).clamp(-LARGEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE)


def variational_bound(denoised: Denoised, schedule: NoiseSchedule, bound: float = 1.0) -> torch.Tensor:
    """Return one time's term of the bound on the negative log-likelihood, [B], bits for each value of a motion.

    iDDPM, eqs. 4 to 6: KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)), at t = 0 -log p(x_0 | x_1) of a bin about x_0.
    Scaled motions lie in [-bound, bound], to which the prediction is clipped.
    """
    predicted, variance, clean, noisy, times = denoised
    log_var = log_variance(variance, times, schedule)
    mean = posterior_mean(predicted.clamp(-bound, bound), noisy, times, schedule)
    true_mean = posterior_mean(clean, noisy, times, schedule)
    true_log_var = _at(schedule.posterior_variance.clamp(min=SMALLEST_VARIANCE).log(), times)
    ratio = log_var - true_log_var
    divergence = 0.5 * (ratio - 1.0 + (-ratio).exp() + (true_mean - mean).square() * (-log_var).exp())
    nats = torch.where((times == 0)[:, None, None], -_log_chance(clean, mean, log_var, bound), divergence)
    return nats.mean(dim=(1, 2)) / math.log(2.0)


def posterior_mean(
    clean: torch.Tensor, noisy: torch.Tensor, times: torch.Tensor, schedule: NoiseSchedule
) -> torch.Tensor:
    """Return the mean of q(x_{t-1} | x_t, x_0), [B, T, D] of x_0 and x_t (iDDPM, eq. 11)."""
    now = schedule.alphas_cumprod
    before = torch.cat((torch.ones_like(now[:1]), now[:-1]))
    of_clean = schedule.betas * before.sqrt() / (1.0 - now)
    of_noisy = (1.0 - before) * (1.0 - schedule.betas).sqrt() / (1.0 - now)
    return _at(of_clean, times) * clean + _at(of_noisy, times) * noisy


def _log_chance(clean: torch.Tensor, mean: torch.Tensor, log_var: torch.Tensor, bound: float) -> torch.Tensor:
    """Return the log-probability of a bin of half width BIN about each value; at both ends bins are open."""
    scale = (-0.5 * log_var).exp()
    below_upper = _normal_cdf((clean - mean + BIN) * scale)
    below_lower = _normal_cdf((clean - mean - BIN) * scale)
    lowest, highest = clean < -bound + BIN, clean > bound - BIN
    inner = torch.where(highest, 1.0 - below_lower, below_upper - below_lower)
    return torch.where(lowest, below_upper, inner).clamp(min=SMALLEST_CHANCE).log()


def _normal_cdf(x: torch.Tensor) -> torch.Tensor:
    """Return the standard normal distribution function, by the approximation that iDDPM's code has."""
    return 0.5 * (1.0 + (math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)).tanh())


def _at(table: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """Return the values of a table [1000] at times [B], as [B, 1, 1]."""
    return table.to(times.device)[times][:, None, None]
