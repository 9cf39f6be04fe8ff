"""Seeds of single steps, so that a run goes on after a kill as it would have."""

_FACTOR = 1_000_003
_RANGE = 2**63  # of what torch takes


def step_seed(seed: int, place: int, step: int) -> int:
    """Return the seed of one step of one place in a run: a process, or a stage of the training."""
    return ((seed * _FACTOR + place) * _FACTOR + step) % _RANGE
