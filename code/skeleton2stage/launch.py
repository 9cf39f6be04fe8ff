"""`accelerate launch` for a training in several processes, which on one machine opens nothing to the network.

Torch's launchers and processes meet in a TCP store that listens on all addresses, asks nobody who they are, and whose
content they unpickle. On one machine they need none: here they meet in files of a folder that only its user can enter,
and gloo and NCCL, which carry tensors, are told to use the loopback interface. On several machines, which
ACCELERATE_ARGS asks for, they meet where its flags say, and the network between them must be a trusted one.
"""

import os
import shlex
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate.commands.launch import launch_command, launch_command_parser
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from skeleton2stage.errors import UserError, run_main
from skeleton2stage.rendezvous import LAUNCHER_VARIABLE, STORE_VARIABLE

USAGE = "python -m skeleton2stage.launch PROCESSES MODULE [key=value ...]"
FLAGS_VARIABLE = "ACCELERATE_ARGS"
FAILED = 1


def main(arguments: list[str]) -> int:
    """Run a module in several processes; return the exit status of the first that failed, 0 where none did."""
    if len(arguments) < 2:
        raise UserError(f"usage: {USAGE}")
    processes, module, *rest = arguments
    # --multi_gpu is accelerate's name for several processes by torch's launcher, be it on GPUs or on CPUs.
    flags = ["--multi_gpu", "--num_processes", processes, "--num_machines", "1", "--main_process_port", "0",
             "--mixed_precision", "no", "--dynamo_backend", "no", *given_flags()]
    launched = launch_command_parser().parse_args([*flags, "-m", module, *rest])
    try:
        if launched.num_machines > 1:
            launch_command(launched)
            return 0
        with private_folder() as folder:
            stay_on_this_machine(folder)
            launched.rdzv_backend, launched.rdzv_conf = "c10d", "store_type=file"
            launched.rdzv_endpoint = str(folder / "launcher")
            launched.log_dir = launched.log_dir or str(folder / "logs")  # torch would leave its own behind
            launch_command(launched)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        print(f"error: process {rank} of {processes} ended with status {failure.exitcode}: see above", file=sys.stderr)
        return failure.exitcode if failure.exitcode > 0 else FAILED
    except SignalException as error:
        return 128 + error.sigval
    return 0


def given_flags() -> list[str]:
    """Return the flags of `accelerate launch` in ACCELERATE_ARGS; raise UserError for quotes that do not close."""
    try:
        return shlex.split(os.environ.get(FLAGS_VARIABLE, ""))
    except ValueError as error:
        raise UserError(f"{FLAGS_VARIABLE} cannot be read: {error}") from None


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a folder that only this user can enter, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="skeleton2stage-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def stay_on_this_machine(folder: Path) -> None:
    """Have processes meet in a file of a folder, and exchange tensors through the loopback interface alone."""
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
    os.environ |= {
        STORE_VARIABLE: str(folder / "store"),
        LAUNCHER_VARIABLE: str(os.getpid()),
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # or the launcher opens a TCP store for its processes
        "GLOO_SOCKET_IFNAME": loopback,
        "NCCL_SOCKET_IFNAME": loopback,
    }


if __name__ == "__main__":
    run_main(main)
