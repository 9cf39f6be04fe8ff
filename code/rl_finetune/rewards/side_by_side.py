"""Rewards that have dances performed, worked out beside the others on a GPU.

A simulator's kernels are many and small, and leave most of a GPU idle; counting triangles fills it. So the former run
on a stream and a thread of their own. Values are the same as one after the other.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch

from rl_finetune.rewards.reward import Dances, Reward

Values = dict[str, torch.Tensor]


def one_by_one(rewards: Mapping[str, Reward], dances: Dances) -> Values:
    """Return rewards of dances by name."""
    return {name: reward(dances) for name, reward in rewards.items()}


class SideBySide:
    """Works out rewards of dances on a GPU, those that need a simulator beside the others.

    The first batch of a size goes one by one: simulators are built then and their steps recorded, during which nobody
    else may use the GPU.
    """

    def __init__(self) -> None:
        self._known_sizes: set[int] = set()

    def __call__(self, rewards: Mapping[str, Reward], dances: Dances) -> Values:
        """Return rewards by name, in the order given; raise what any of them raises."""
        performed = {name: reward for name, reward in rewards.items() if reward.needs_simulator}
        others = {name: reward for name, reward in rewards.items() if not reward.needs_simulator}
        if not performed or not others or len(dances) not in self._known_sizes:
            values = one_by_one(rewards, dances)
            if performed:
                self._known_sizes.add(len(dances))
            return values
        _ = dances.joints_w  # worked out once and kept: not by two threads, on two streams
        values = _beside(lambda: one_by_one(performed, dances), lambda: one_by_one(others, dances), dances.poses.device)
        return {name: values[name] for name in rewards}


def _beside(first: Callable[[], Values], second: Callable[[], Values], device: torch.device) -> Values:
    """Return what two functions give, the first on a thread and a stream of its own."""
    here, aside = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    aside.wait_stream(here)

    def on_its_stream() -> Values:
        with torch.cuda.device(device), torch.cuda.stream(aside):
            return first()

    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(on_its_stream)
        values = second()
        performed = started.result()
    here.wait_stream(aside)
    for value in performed.values():
        if value.is_cuda:
            value.record_stream(here)  # or its memory could be taken while this stream still reads it
    return values | performed
