"""Motion formats of people's own: `format=my_format.py:read`, a function from a path to a `Motion`."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_listing import ANY_EXTENSIONS
from skeleton2stage.motion.formats.format_choice import format_choice
from skeleton2stage.motion.formats.motion_file import BELIEVED_FILE, Believed, MotionFile, RawMotion, as_motion_file
from skeleton2stage.motion.motion import Motion
from skeleton2stage.own_code import first_line, import_function, is_own


@cache
def own_reader(name: str) -> Callable[[Path], Motion]:
    """Return the function that a name such as my_format.py:read stands for; raise UserError where there is none."""
    return import_function(name, Path(), f"format={name}")


def extensions_of(format_name: str) -> tuple[str, ...]:
    """Return the extensions of a format's files: EXTENSIONS of a reader's own module, where it has them."""
    name = format_choice(format_name).name
    if not is_own(name):
        return ANY_EXTENSIONS
    return tuple(getattr(sys.modules[own_reader(name).__module__], "EXTENSIONS", ANY_EXTENSIONS))


def read_own(format_name: str, path: Path, believed: Believed = BELIEVED_FILE) -> MotionFile:
    """Return a file's motion as a reader of somebody's own gives it, brought to 30 frames a second.

    Raises UserError, with the reader's own error in a line, where it gives none.
    """
    try:
        motion = own_reader(format_name)(path)
    except UserError:
        raise
    except Exception as error:  # noqa: B902 - whatever somebody's own reader raises
        raise UserError(f"{format_name} cannot read it: {first_line(error)}") from None
    if not isinstance(motion, Motion):
        raise UserError(f"{format_name} gives a {type(motion).__name__} where a Motion was expected")
    raw = RawMotion(motion.poses, motion.translation, motion.fps, "z", shape=motion.shape)
    return as_motion_file(format_name, raw, believed)
