"""Seeds of single draws, so that a run goes on after a kill as it would have."""

import numpy as np


def draw_seed(seed: int, epoch: int, process: int) -> int:
    """Return a seed that differs between runs' seeds, epochs and processes; epochs under 0 come before training."""
    entropy = (seed, *((epoch, process) if epoch >= 0 else (-epoch, process, 1)))
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
