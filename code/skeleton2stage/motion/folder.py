"""A folder of motion files by name, what cannot be used being named and left out."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_listing import motion_files
from skeleton2stage.motion.formats.motion_file import NotAMotion
from skeleton2stage.motion.formats.own_format import extensions_of
from skeleton2stage.motion.formats.read_motion import AUTO, read_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.positions import POSITION_FORMATS, SUFFIX, JointMotion, read_positions

AnyMotion = Motion | JointMotion
_Found = TypeVar("_Found")


def read_folder(
    folder: Path, file_format: str, check: Callable[[Motion], None]
) -> tuple[dict[str, Motion], int]:
    """Return a folder's motions (or one file's) by name relative to it, and how many files could not be used.

    `check` raises UserError for a motion that its user cannot take. What is left out is named on stderr, as
    are files that are whole but hold no motion, such as AMASS's shape files. Raises UserError where no file can
    be used.
    """
    return _read_files(folder, extensions_of(file_format), lambda path: read_motion(path, file_format), check)


def read_any_folder(
    folder: Path, file_format: str, check: Callable[[AnyMotion], None]
) -> tuple[dict[str, AnyMotion], int]:
    """Return the same of a folder that may hold files of joint positions too, for those who need no rotations."""
    return _read_files(folder, (*extensions_of(file_format), SUFFIX), lambda path: _read_any(path, file_format), check)


def _read_any(path: Path, file_format: str) -> AnyMotion:
    if file_format in POSITION_FORMATS or (file_format == AUTO and path.suffix.lower() == SUFFIX):
        return read_positions(path, file_format)
    return read_motion(path, file_format)


def _read_files(
    folder: Path, extensions: tuple[str, ...], read: Callable[[Path], _Found], check: Callable[[_Found], None]
) -> tuple[dict[str, _Found], int]:
    motions: dict[str, _Found] = {}
    n_bad = 0
    files = motion_files(folder, extensions)
    for path in tqdm(files, desc="reading", unit="file", leave=False, disable=None):
        try:
            motion = read(path)
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
