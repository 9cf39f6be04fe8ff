"""What processes listen on, as Linux tells it."""

import os
from pathlib import Path

LISTENING = "0A"
LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def children(pid: int) -> list[int]:
    """Return the processes under one, itself left out."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


def alive(pid: int) -> bool:
    """Return whether a process runs, which one that nobody has waited for does no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def listening(pid: int) -> list[str]:
    """Return the addresses, as the kernel writes them, that a process and those under it listen on."""
    inodes = set()
    for process in (pid, *children(pid)):
        for file in Path(f"/proc/{process}/fd").glob("*"):
            try:
                target = os.readlink(file)
            except OSError:  # closed meanwhile
                continue
            if target.startswith("socket:["):
                inodes.add(target[len("socket:["):-1])
    tables = [Path("/proc/net", name).read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return [row[1] for row in rows if row[3] == LISTENING and row[9] in inodes]


def open_to_the_network(pid: int) -> list[str]:
    """Return those of them that other machines can reach."""
    return [address for address in listening(pid) if address.split(":")[0] not in LOOPBACK]
