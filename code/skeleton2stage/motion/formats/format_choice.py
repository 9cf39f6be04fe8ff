"""What `format=` says: a format's name, a reader of one's own, and what is known better than the file.

`amass`, `auto@60` (60 frames a second, whatever the file says), `amass@y` (y is up), `my_format.py:read@25@-y`.
"""

import math
from dataclasses import dataclass
from typing import Any

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.motion_file import Believed
from skeleton2stage.motion.formats.up_axis import UP_AXES
from skeleton2stage.settings import setting

AUTO = "auto"
_SEPARATOR = "@"


def format_setting() -> Any:  # noqa: ANN401 - stands for the text
    """Return the field of the format that motion files are read as."""
    return setting(
        "format of the motion files (docs/data.md lists them); auto tells them apart by content; auto@60: believe 60 "
        "frames a second, auto@y: y is up",
        default=AUTO,
    )


@dataclass(frozen=True)
class FormatChoice:
    """A format's name, and what to believe instead of a file."""

    name: str
    believed: Believed


def format_choice(text: str) -> FormatChoice:
    """Return what a text such as amass@60@y asks for; raise UserError for what is neither a rate nor an axis."""
    name, *said = text.split(_SEPARATOR)
    fps = up_axis = None
    for part in said:
        if part in UP_AXES:
            up_axis = part
            continue
        try:
            fps = float(part)
        except ValueError:
            fps = math.nan
        if not 0 < fps < math.inf:
            raise UserError(
                f"format={text}: after @ comes a frame rate above 0 or the axis that is up ({', '.join(UP_AXES)}), "
                f"not '{part}'"
            )
    return FormatChoice(name or AUTO, Believed(fps, up_axis))
