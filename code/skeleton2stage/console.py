"""`skeleton2stage COMMAND [arguments]`: every command under one name, beside `python -m MODULE`."""

import runpy
import sys

from skeleton2stage.commands import PROGRAMS
from skeleton2stage.errors import UserError, run_main, unknown_name
from skeleton2stage.provenance import in_words

_NAME = "skeleton2stage"
_WIDTH = max(map(len, PROGRAMS)) + 2


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<{_WIDTH}}{purpose}" for name, (_, purpose) in PROGRAMS.items()]
    head = f"usage: {_NAME} COMMAND [arguments]"
    foot = f"{_NAME} COMMAND --help explains a command's arguments, {_NAME} --version says which version this is."
    return "\n".join([head, "", *lines, "", foot])


def main(arguments: list[str]) -> int:
    """Run a command as `python -m` would, which ends the program; return 0 where only text was asked for.

    Raises UserError for no command and for an unknown one.
    """
    if arguments[:1] in (["-h"], ["--help"]):
        print(usage())
        return 0
    if arguments[:1] == ["--version"]:
        print(in_words())
        return 0
    if not arguments:
        raise UserError(f"which command? Choose one of {', '.join(PROGRAMS)} ({_NAME} --help)")
    name, *rest = arguments
    if name not in PROGRAMS:
        raise unknown_name("command", name, list(PROGRAMS))
    module, _ = PROGRAMS[name]
    sys.argv = [f"{_NAME} {name}", *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


def run() -> None:
    """Run the command line that the installed script was given."""
    run_main(main)
