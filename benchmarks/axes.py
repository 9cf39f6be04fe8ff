"""Seconds to read all axes of the verdict of N five-second dances.

python benchmarks/axes.py [device=cpu] [dances=32] [rounds=5] [threads=2]

Dances are windows of data/cmu_dance repeated, or the shipped model's own where those are absent. Prints JSON; on cores
that others use too, CPU seconds say more than seconds. `device=cuda dances=2048` is what a GPU is measured by.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scoring import windows

from skeleton2stage.config import read_options
from skeleton2stage.errors import run_main
from skeleton2stage.physics.axes.read_axes import AxisReader


@dataclass(frozen=True)
class Options:
    """What is measured, from the command line."""

    device: str = "cpu"
    dances: int = 32
    rounds: int = 5
    threads: int = 2


def main(arguments: list[str]) -> None:
    options = read_options(arguments, Options)
    torch.set_num_threads(options.threads)
    source, motions = windows(options.dances)
    poses = torch.stack([torch.from_numpy(motion.poses) for motion in motions]).to(options.device)
    moved = torch.stack([torch.from_numpy(motion.translation) for motion in motions]).to(options.device)
    reader = AxisReader.of_body("open")
    first_s, _ = _timed(lambda: reader.read(poses, moved), options.device)
    rounds = [_timed(lambda: reader.read(poses, moved), options.device) for _ in range(options.rounds)]
    seconds, cpu_seconds = np.median(rounds, axis=0)
    print(json.dumps({
        "machine": torch.cuda.get_device_name() if options.device != "cpu" else platform.machine(),
        "threads": options.threads,
        "dances": options.dances,
        "dances_from": source,
        "first_reading_s": round(first_s, 3),
        "reading_s": round(float(seconds), 3),
        "reading_cpu_s": round(float(cpu_seconds), 3),
        "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if options.device != "cpu" else None,
    }, indent=1))


def _timed(work: Callable[[], object], device: str) -> tuple[float, float]:
    """Return seconds and CPU seconds of some work, waiting for a GPU."""
    begun, cpu = time.perf_counter(), time.process_time()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - begun, time.process_time() - cpu


if __name__ == "__main__":
    run_main(main)
