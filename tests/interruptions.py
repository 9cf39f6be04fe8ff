"""Ctrl-C at every moment there is: before each instruction of some modules."""

import sys
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType


def interrupted_everywhere(act: Callable[[], object], modules: list[ModuleType]) -> Iterator[str]:
    """Run a function again and again, interrupted one instruction of the modules later each time, till it gets by.

    Yields after each run where it was interrupted, and "" after the last, which was not.
    """
    watched = {module.__file__ for module in modules}
    where, moment = "begin", 0
    while where:
        where, moment = _interrupted(act, watched, moment), moment + 1
        yield where


def _interrupted(act: Callable[[], object], watched: set[str], moment: int) -> str:
    where, left = "", moment

    def trace(frame: FrameType, event: str, value: object) -> Callable | None:
        nonlocal where, left
        if frame.f_code.co_filename not in watched:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and left >= 0:
            left -= 1
            if left < 0:
                where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        assert where
    finally:
        sys.settrace(before)
    return where
