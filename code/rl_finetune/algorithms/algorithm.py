"""What a fine-tuning algorithm is: from dances and their rewards to the gradients of an epoch's optimiser steps."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch

from dance_model.dance_policy import DancePolicy, Rollout


class Algorithm(ABC):
    """An update rule. It has no memory: what it does follows from an epoch's dances alone."""

    @abstractmethod
    def gradients(
        self, policy: DancePolicy, rollout: Rollout, advantages: torch.Tensor, generator: torch.Generator
    ) -> Iterator[dict[str, float]]:
        """Add one optimiser step's gradient to the policy's parameters and yield its figures, once for each step.

        The caller has zeroed the gradients, and clips and steps between yields. advantages: [N, T] of this process's
        dances. generator: on the CPU, for every draw, alike in all processes.
        """
