"""Several training processes, one GPU each, as torch's launcher starts them."""

import io
import os
from dataclasses import dataclass
from typing import Any

import torch

from skeleton2stage.rendezvous import connect_processes


@dataclass(frozen=True)
class Processes:
    """The rank of a training process, its rank on this machine, and how many there are in all."""

    rank: int = 0
    local_rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def device(self, device: torch.device) -> torch.device:
        """Return this process's own GPU where `device` is a GPU."""
        return torch.device("cuda", self.local_rank) if device.type == "cuda" else device

    def mean(self, figures: dict[str, float], device: torch.device) -> dict[str, float]:
        """Return the means of figures over all processes."""
        if self.count == 1:
            return figures
        values = torch.tensor(list(figures.values()), dtype=torch.float64, device=device)
        torch.distributed.all_reduce(values)
        return dict(zip(figures, (values / self.count).tolist(), strict=True))

    def gather(self, own: dict[str, Any], device: torch.device) -> list[dict[str, Any]]:
        """Return the plain values and tensors of every process, in the order of their ranks."""
        if self.count == 1:
            return [own]
        written = io.BytesIO()
        torch.save(own, written)
        content = torch.frombuffer(bytearray(written.getvalue()), dtype=torch.uint8).to(device)
        sizes = [torch.zeros(1, dtype=torch.long, device=device) for _ in range(self.count)]
        torch.distributed.all_gather(sizes, torch.tensor([len(content)], device=device))
        padded = content.new_zeros(int(max(sizes)))
        padded[: len(content)] = content
        parts = [torch.zeros_like(padded) for _ in sizes]
        torch.distributed.all_gather(parts, padded)
        read = (io.BytesIO(part[: int(size)].cpu().numpy().tobytes()) for part, size in zip(parts, sizes, strict=True))
        return [torch.load(part, weights_only=True, map_location="cpu") for part in read]


def join_processes(device: torch.device) -> Processes:
    """Return this process's place among those that torch's launcher started, and connect them."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    processes = Processes(int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"]), count)
    connect_processes(device)
    return processes
