"""Weights and inputs for comparisons with POPDG's own code, made by rules so that files hold outputs alone."""

import numpy as np
import torch

N_FRAMES, MUSIC_WIDTH, LATENT_WIDTH, HEADS, LAYERS, FEEDFORWARD = 150, 35, 32, 4, 2, 48
TIMES = (999, 379)
STORED_FRAMES = slice(None, None, 10)


def legacy_normal(seed, *shape):
    """Return standard normal numbers of numpy's frozen legacy generator, which every version draws alike."""
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape)).float()


def fill(module):
    """Set all parameters of a module by name: equal names and shapes give equal weights."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            seed = sum(ord(letter) * (place + 1) for place, letter in enumerate(name)) % 2**31
            values = legacy_normal(seed, *parameter.shape)
            if parameter.ndim == 1:
                parameter.copy_(0.1 * values + (1.0 if "norm" in name and name.endswith("weight") else 0.0))
            else:
                parameter.copy_(values * 0.6 / parameter[0].numel() ** 0.5)
    return module


def network_inputs():
    """Return noisy motion [2, 150, 156], music [2, 150, 35] and times [2]."""
    return legacy_normal(1, 2, N_FRAMES, 156), legacy_normal(2, 2, N_FRAMES, MUSIC_WIDTH), torch.tensor(TIMES)


def loss_inputs():
    """Return clean, predicted and noise [3, 12, 156], variance in [-1, 1], times [3], the first of them 0.

    The predicted contacts are partly above 0.95, and the clean motion partly at the end of its range.
    """
    clean = legacy_normal(3, 3, 12, 156).mul(0.5).clamp(-1, 1)
    predicted = clean + 0.2 * legacy_normal(4, 3, 12, 156)
    predicted[..., 147:] += 0.7
    variance = legacy_normal(5, 3, 12, 156).mul(0.6).clamp(-1, 1)
    return clean, predicted, legacy_normal(6, 3, 12, 156), variance, torch.tensor([0, 150, 800])
