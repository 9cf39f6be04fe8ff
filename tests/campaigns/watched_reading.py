"""Files read where a crash, a hang or a gigabyte does no harm, and what came of each."""

import faulthandler
import os
import resource
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
from readers import Reader

from skeleton2stage.errors import UserError

CPU_S = 10
MEMORY_BYTES = 1 << 30
LONGEST_SENTENCE = 700
_FORBIDDEN = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "socket.connect", "socket.bind")
GOOD = ("read", "told")


@dataclass(frozen=True)
class Finding:
    """What came of a file: read, told (in a sentence), words, traceback, memory, executed, hang, or crash."""

    path: Path
    outcome: str
    detail: str = ""


def outcomes(cases: Sequence[tuple[Path, Reader]]) -> list[Finding]:
    """Read files one after another in processes of their own; a process that ends is followed by another."""
    found: list[Finding] = []
    while len(found) < len(cases):
        found += _in_a_process(cases[len(found):])
    return found


def summary(found: Sequence[Finding]) -> dict[str, int]:
    """Return how many files came to what."""
    return dict(Counter(finding.outcome for finding in found))


def _in_a_process(cases: Sequence[tuple[Path, Reader]]) -> list[Finding]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _read_all(cases, os.fdopen(theirs, "w"))
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, errors="replace") as said:
        lines = [line.rstrip("\n").split("\t", 1) for line in said]
    _, status = os.waitpid(child, 0)
    found = [Finding(path, *line) for (path, _), line in zip(cases, lines, strict=False)]
    if len(found) < len(cases):
        name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"status {status}"
        found.append(Finding(cases[len(found)][0], "hang" if name == "SIGPROF" else "crash", name))
    return found


def _read_all(cases: Sequence[tuple[Path, Reader]], said) -> None:
    faulthandler.disable()  # a crash is told by the status, not on the terminal
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    executed: list[str] = []
    sys.addaudithook(lambda event, details: executed.append(event) if _is_forbidden(event, details) else None)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for path, read in cases:
        signal.setitimer(signal.ITIMER_PROF, CPU_S)  # counts CPU time, of code in C too, and ends the process
        executed.clear()
        outcome, detail = _read(path, read)
        if executed:
            outcome, detail = "executed", ", ".join(executed)
        said.write(f"{outcome}\t{detail}\n")
        said.flush()


def _is_forbidden(event: str, details: tuple) -> bool:
    """Return whether a reader may not do this: all that starts a program, but for ffmpeg that decodes a sound."""
    decodes = event == "subprocess.Popen" and details[1][0] == imageio_ffmpeg.get_ffmpeg_exe()
    decodes |= event in ("os.posix_spawn", "os.exec") and details[0] == imageio_ffmpeg.get_ffmpeg_exe()
    return event in _FORBIDDEN and not decodes


def _read(path: Path, read: Reader) -> tuple[str, str]:
    try:
        read(path)
    except UserError as error:
        words = str(error)
        return ("told", "") if words.strip() and "\n" not in words and len(words) <= LONGEST_SENTENCE else (
            "words", repr(words[:300]))
    except OSError as error:
        return "told", str(error).replace("\n", " ")
    except MemoryError:
        return "memory", traceback.format_exc().replace("\n", " | ")[-300:]
    except BaseException:
        return "traceback", traceback.format_exc().replace("\n", " | ")[-600:]
    return "read", ""
