"""The cosine noise schedule and the DDIM steps taken through it."""

import math
from dataclasses import dataclass

import torch

N_TIMES = 1000
COSINE_OFFSET = 8e-3
MAX_BETA = 0.999


@dataclass(frozen=True)
class NoiseSchedule:
    """q(x_t | x_0) = N(sqrt(abar_t) x_0, 1 - abar_t) for t = 0 ... 999.

    betas, alphas_cumprod (abar), posterior_variance: [1000] float32.
    """

    betas: torch.Tensor
    alphas_cumprod: torch.Tensor
    posterior_variance: torch.Tensor

    def add_noise(self, x0: torch.Tensor, times: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return x_t [B, ...] of clean x_0 [B, ...] at times [B] with standard normal `noise` [B, ...]."""
        alpha = self.alphas_cumprod.to(x0.device)[times].view(-1, *[1] * (x0.ndim - 1))
        return alpha.sqrt() * x0 + (1.0 - alpha).sqrt() * noise


def cosine_betas() -> torch.Tensor:
    """Return the betas [1000] in float64 (Nichol, Dhariwal 2021, eq. 17)."""
    phase = (torch.arange(N_TIMES + 1, dtype=torch.float64) / N_TIMES + COSINE_OFFSET) / (1 + COSINE_OFFSET)
    alphas_cumprod = torch.cos(phase * math.pi / 2).square()
    return (1.0 - alphas_cumprod[1:] / alphas_cumprod[:-1]).clamp(0.0, MAX_BETA)


def cosine_schedule() -> NoiseSchedule:
    """Return the cosine schedule; the product is taken in float32, as released models were trained."""
    betas = cosine_betas().float()
    alphas_cumprod = torch.cumprod(1.0 - betas, dim=0)
    previous = torch.cat((torch.ones(1), alphas_cumprod[:-1]))
    return NoiseSchedule(betas, alphas_cumprod, betas * (1.0 - previous) / (1.0 - alphas_cumprod))


def preconditioning(alphas_cumprod: torch.Tensor, data_std: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return skip and scale of each time, [1000] each, for abar [1000]: x_0 is predicted as skip x_t + scale F.

    Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models" (2022), table 1, for
    x_t / sqrt(abar) = x_0 + s noise with s^2 = (1 - abar) / abar and the data's deviation d:
    c_skip = d^2 / (s^2 + d^2), c_out = s d / sqrt(s^2 + d^2). The network F is left with what x_t does not
    already tell, at unit scale: where noise is small the prediction is near x_t, however small the network.
    """
    noise = 1.0 - alphas_cumprod
    total = (noise + data_std**2 * alphas_cumprod).clamp(min=torch.finfo(noise.dtype).tiny)
    return data_std**2 * alphas_cumprod.sqrt() / total, data_std * (noise / total).sqrt()


@dataclass(frozen=True)
class DDIMStep:
    """One step t -> s of DDIM (Song et al. 2021, eq. 12): alpha is abar_t, alpha_next abar_s.

    sigma: standard deviation of the noise added; c = sqrt(1 - abar_s - sigma^2), the weight of the
    predicted noise. The last step goes to time -1, where abar is 1 and sigma and c are 0.
    """

    time: int
    time_next: int
    alpha: float
    alpha_next: float
    sigma: float
    c: float

    @property
    def is_stochastic(self) -> bool:
        """Whether the step draws noise, and so has a density."""
        return self.sigma > 0.0


def ddim_times(n_steps: int) -> list[int]:
    """Return the n_steps + 1 times from 999 down to -1, evenly spaced and cut to whole numbers."""
    return torch.linspace(-1, N_TIMES - 1, n_steps + 1).int().flip(0).tolist()


def ddim_steps(schedule: NoiseSchedule, n_steps: int = 50, eta: float = 1.0) -> list[DDIMStep]:
    """Return the steps of a DDIM chain, noisiest first; eta scales sigma (1 is DDPM's noise)."""
    times = ddim_times(n_steps)
    return [_ddim_step_between(schedule, *pair, eta) for pair in zip(times[:-1], times[1:], strict=True)]


def _ddim_step_between(schedule: NoiseSchedule, time: int, time_next: int, eta: float) -> DDIMStep:
    one = torch.ones(())
    alpha = schedule.alphas_cumprod[time]
    alpha_next = schedule.alphas_cumprod[time_next] if time_next >= 0 else one
    sigma = eta * ((1 - alpha / alpha_next) * (1 - alpha_next) / (1 - alpha)).sqrt()
    c = (1 - alpha_next - sigma.square()).clamp(min=0.0).sqrt()
    return DDIMStep(time, time_next, alpha.item(), alpha_next.item(), sigma.item(), c.item())
