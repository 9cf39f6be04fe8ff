"""A folder of motion files by name, what cannot be used being named and left out."""

import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats import NotAMotion, motion_files, read_motion
from skeleton2stage.motion.motion import Motion


def read_folder(
    folder: Path, file_format: str, check: Callable[[Motion], None]
) -> tuple[dict[str, Motion], int]:
    """Return a folder's motions (or one file's) by name relative to it, and how many files could not be used.

    `check` raises UserError for a motion that its user cannot take. What is left out is named on stderr, as
    are files that are whole but hold no motion, such as AMASS's shape files. Raises UserError where no file can
    be used.
    """
    motions: dict[str, Motion] = {}
    n_bad = 0
    files = motion_files(folder)
    for path in tqdm(files, desc="reading", unit="file", leave=False, disable=None):
        try:
            motion = read_motion(path, file_format)
            check(motion)
            motions[_name(path, folder)] = motion
        except NotAMotion as reason:
            print(f"passed over {reason}", file=sys.stderr)
        except UserError as error:
            n_bad += 1
            print(f"left out {error}" if str(path) in str(error) else f"left out {path}: {error}", file=sys.stderr)
    if not motions:
        raise UserError(f"none of the {len(files)} files in {folder} is a motion that can be used")
    return motions, n_bad


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path != folder else path.name
