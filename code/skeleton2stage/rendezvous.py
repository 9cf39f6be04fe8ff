"""How the processes of one training find each other."""

import os

import torch

from skeleton2stage.orphans import end_with

STORE_VARIABLE = "S2S_PROCESS_STORE"
LAUNCHER_VARIABLE = "S2S_LAUNCHER"


def connect_processes(device: torch.device) -> None:
    """Connect this process with the others that were launched with it, if any: each has a GPU where `device` is one.

    On one machine they meet in the file that `skeleton2stage.launch` names, and end when it does, even by a kill;
    otherwise they meet where torch's launcher says.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 or torch.distributed.is_initialized():
        return
    if launcher := os.environ.get(LAUNCHER_VARIABLE):
        end_with(int(launcher))
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "nccl" if device.type == "cuda" else "gloo"
    file = os.environ.get(STORE_VARIABLE)
    if file is None:
        torch.distributed.init_process_group(backend)
        return
    store = torch.distributed.FileStore(file, count)
    torch.distributed.init_process_group(backend, store=store, rank=int(os.environ["RANK"]), world_size=count)
