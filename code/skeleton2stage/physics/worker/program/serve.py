"""Serve one simulator over this process' standard input and output: PYTHON serve.py BACKEND.

Started by `skeleton2stage.physics.worker.worker_process`; not for use by hand. Whatever the backend prints goes to
standard error. When the other side is gone the input ends, and this process ends at once, even amid a step.
"""

import importlib
import mmap
import os
import queue
import shutil
import sys
import threading
import traceback

import numpy as np
import protocol


def main() -> None:
    """Shake hands, then answer commands until the input ends."""
    answers = _take_over_output()
    commands = queue.Queue()
    hello = protocol.decode(sys.stdin.buffer.readline())
    folder = hello.get("folder", "")
    threading.Thread(target=_listen, args=(commands, folder), daemon=True).start()
    try:
        host, arrays, introduction = _start(hello)
    except Exception as error:  # noqa: BLE001 - whatever went wrong is for the other side to report
        if not isinstance(error, ImportError):  # which says it all
            traceback.print_exc()
        _answer(answers, {"protocol": protocol.PROTOCOL_VERSION, "error": _describe(error)})
        sys.stderr.flush()
        os._exit(1)  # not by returning: the other thread holds the input, which some Pythons end in an abort for
    _answer(answers, introduction)
    while True:
        _answer(answers, _obey(host, arrays, commands.get()))


def _take_over_output() -> int:
    """Return a private copy of standard output; the public one becomes standard error, for libraries that print."""
    private = os.dup(1)
    os.dup2(2, 1)
    return private


def _listen(commands: queue.Queue, folder: str) -> None:
    """Queue commands as they come; at the end of input remove what the other side may have left, and end."""
    for line in sys.stdin.buffer:
        commands.put(protocol.decode(line))
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    # Not sys.exit: the main thread may be inside a step that never returns.
    os._exit(0)


def _start(hello: dict) -> tuple:
    """Return the host, its arrays, and what to say about them."""
    if hello["protocol"] != protocol.PROTOCOL_VERSION:
        raise ValueError("it was asked to speak protocol {}".format(hello["protocol"]))
    n_worlds = hello["n_worlds"]
    if hello["layout"] != protocol.array_layout(n_worlds):
        raise ValueError("it lays its arrays out otherwise: use the worker that came with this version")
    with open(os.path.join(hello["folder"], protocol.MEMORY_FILE), "r+b") as file:
        memory = mmap.mmap(file.fileno(), protocol.memory_size(n_worlds))
    arrays = protocol.map_arrays(memory, n_worlds)
    module = importlib.import_module(sys.argv[1] + "_host")
    host = module.make_host(hello["folder"], n_worlds, hello["options"])
    host.publish(arrays)
    packages = dict(host.packages(), numpy=np.__version__)
    return host, arrays, {
        "protocol": protocol.PROTOCOL_VERSION,
        "python": ".".join(map(str, sys.version_info[:3])),
        "packages": packages,
        "n_worlds": n_worlds,
        "provides": list(host.provides),
    }


def _obey(host: "Host", arrays: dict, command: dict) -> dict:  # noqa: F821 - named, not needed
    """Return the answer to a command; one that raises is answered with what it raised."""
    try:
        name = command["command"]
        if name == "set_state":
            host.set_state(command["n"], arrays)
        elif name == "step":
            host.step(arrays)
        elif name == "measure":
            host.measure(command["name"], arrays)
            return {"done": name}
        else:
            raise ValueError(f"no command {name!r}")
        host.publish(arrays)
    except Exception as error:  # noqa: BLE001 - a broken simulator must not take the worker's voice away
        traceback.print_exc()
        return {"error": _describe(error)}
    return {"done": name}


def _answer(stream: int, message: dict) -> None:
    line = protocol.encode(message)
    while line:
        line = line[os.write(stream, line):]


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
