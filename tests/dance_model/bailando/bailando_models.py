"""Models for tests."""

import torch

from dance_model.bailando.bailando_policy import BailandoPolicy, BailandoSettings
from dance_model.bailando.network import BailandoNetwork
from dance_model.bailando.training_config import tiny


def made_policy(**settings):
    """Return a tiny policy whose distributions differ from code to code."""
    torch.manual_seed(3)
    network = BailandoNetwork(tiny().network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        for half in network.vqvae.halves:
            half.codebook.k.normal_()
    return BailandoPolicy(network, settings=BailandoSettings(**settings))
