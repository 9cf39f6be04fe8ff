"""Ctrl-C while libraries are still being imported, which takes seconds: a word instead of where it came."""

import sys
from types import TracebackType


def tell_in_a_word() -> None:
    """Have an interruption that nobody catches told in a word; the interpreter's exit status says what it was.

    In programs alone, `python -m …`: whoever imports a library keeps their own way.
    """
    if sys.argv[:1] == ["-m"]:
        sys.excepthook = _tell


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
