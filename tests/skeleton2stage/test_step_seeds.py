"""Seeds of single steps."""

import torch

from skeleton2stage.settings import LARGEST_SEED
from skeleton2stage.step_seeds import step_seed


def test_steps_draw_differently_and_reproducibly():
    seeds = {step_seed(seed, process, step) for seed in range(3) for process in range(3) for step in range(50)}
    assert len(seeds) == 450


def test_torch_takes_the_seeds_of_every_seed_that_may_be_given():
    seeds = [step_seed(LARGEST_SEED, process, 10**6) for process in range(3)]
    assert len(set(seeds)) == 3
    for seed in seeds:
        torch.manual_seed(seed)
