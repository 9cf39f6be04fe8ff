"""Errors meant for the person at the keyboard, and the one place where they end a program."""

import sys
from collections.abc import Callable

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class UserError(Exception):
    """Bad input: one sentence with what is wrong, where, and what to do about it."""


def unknown_name(kind: str, name: str, known: list[str]) -> UserError:
    """Return the error for a name that is not among the `known` ones of its `kind`."""
    return UserError(f"unknown {kind} '{name}': choose one of {', '.join(sorted(known))}")


def run_main(main: Callable[[list[str]], int | None]) -> None:
    """Run an entry point's `main` on the command line; a UserError becomes one sentence and exit 2."""
    try:
        status = main(sys.argv[1:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        status = EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        status = EXIT_INTERRUPTED
    sys.exit(status or 0)
