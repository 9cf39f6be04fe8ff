"""Errors meant for the person at the keyboard, and the one place where they end a program."""

import errno
import os
import sys
import threading
from collections.abc import Callable, Sequence

from skeleton2stage.interruption import Terminated, obey_requests_to_end

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
EXIT_PIPE_CLOSED = 141  # as a shell reports a program that wrote to nobody

# What can be done about what the machine refuses.
_REMEDIES = {
    errno.ENOSPC: "free some space and start again: what is finished stays",
    errno.EDQUOT: "free some of your quota and start again: what is finished stays",
    errno.EROFS: "give a folder that can be written",
    errno.EACCES: "give a place that you may read and write",
    errno.EPERM: "give a place that you may read and write",
    errno.ENOTDIR: "a file is where a folder is needed: move it, or give another place",
    errno.EEXIST: "something else is in its place: move it, or give another place",
    errno.EISDIR: "a folder is where a file is needed: give another place",
    errno.ENAMETOOLONG: "give a shorter name",
}


class UserError(Exception):
    """Bad input: one sentence with what is wrong, where, and what to do about it."""


def unknown_name(kind: str, name: str, known: list[str]) -> UserError:
    """Return the error for a name that is not among the `known` ones of its `kind`."""
    return UserError(f"unknown {kind} '{name}': choose one of {', '.join(sorted(known))}")


def some_of(names: Sequence[str], most: int = 6) -> str:
    """Return names as a sentence takes them: of very many the first few, and how many there are besides."""
    left = len(names) - most
    return ", ".join(names) if left <= 1 else f"{', '.join(names[:most])} and {left} more"


def run_main(main: Callable[[list[str]], int | None]) -> None:
    """Run an entry point's `main` on the command line.

    Bad input, and what the machine refuses (a full disk, a folder one may not write), become one sentence and exit 2.
    A request to end, by Ctrl-C or SIGTERM, is obeyed as an exception, so that nothing is left half-written.
    What an output's encoding has no character for is written as its number.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    threading.excepthook = _tell_thread_error
    try:
        obey_requests_to_end()
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain on leaving
        status = EXIT_PIPE_CLOSED
    except OSError as error:
        print(f"error: {refusal(error)}", file=sys.stderr)
        status = EXIT_BAD_INPUT
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        status = EXIT_BAD_INPUT
    except MemoryError:
        print("error: there is not enough memory for this: give less at once, or a larger machine", file=sys.stderr)
        status = EXIT_BAD_INPUT
    except KeyboardInterrupt as stop:
        print("stopped", file=sys.stderr)
        status = EXIT_TERMINATED if isinstance(stop, Terminated) else EXIT_INTERRUPTED
    sys.exit(status or 0)


def _tell_thread_error(args: threading.ExceptHookArgs) -> None:
    """Show what ended a thread, unless the machine refused something: such writers tell whoever writes next."""
    if not isinstance(args.exc_value, OSError):
        threading.__excepthook__(args)


def refusal(error: OSError) -> str:
    """Return what the machine refused, where, and what to do about it, in a sentence."""
    where = f"{error.filename}: " if error.filename else ""
    said = (error.strerror or str(error) or type(error).__name__).strip()
    remedy = _REMEDIES.get(error.errno)
    return f"{where}{said[:1].lower()}{said[1:]}" + (f": {remedy}" if remedy else "")
