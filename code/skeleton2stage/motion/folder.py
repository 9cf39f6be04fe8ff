"""A folder of motion files by name, what cannot be used being named and left out."""

import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_content import read_content
from skeleton2stage.motion.formats.file_listing import labelled, motion_files
from skeleton2stage.motion.formats.format_table import is_smpl_positions
from skeleton2stage.motion.formats.motion_file import NotAMotion
from skeleton2stage.motion.formats.own_format import extensions_of
from skeleton2stage.motion.formats.read_motion import AUTO, read_motion_files
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.positions import POSITION_FORMATS, SUFFIX, JointMotion, read_positions

AnyMotion = Motion | JointMotion
# The motions of a file by their own names, "" for a single one's, and what had to be assumed of them.
_Read = tuple[dict[str, AnyMotion], tuple[str, ...]]


def read_folder(
    folder: Path, file_format: str = AUTO, check: Callable[[Motion], None] = lambda _: None
) -> tuple[dict[str, Motion], int]:
    """Return a folder's motions (or one file's) by name relative to it, and how many files could not be used.

    Of a file that holds several, each has the file's name with its own before the extension. `check` raises UserError
    for a motion that its user cannot take. What is left out is named on stderr, as are files that are whole but hold
    no motion, such as AMASS's shape files, and what had to be assumed. Raises UserError where no file can be used.
    """
    return _read_files(folder, extensions_of(file_format), lambda path: _read_motions(path, file_format), check)


def read_any_folder(
    folder: Path, file_format: str, check: Callable[[AnyMotion], None]
) -> tuple[dict[str, AnyMotion], int]:
    """Return the same of a folder that may hold files of joint positions too, for those who need no rotations."""
    extensions = dict.fromkeys((*extensions_of(file_format), SUFFIX))
    return _read_files(folder, tuple(extensions), lambda path: _read_any(path, file_format), check)


def _read_any(path: Path, file_format: str) -> _Read:
    bare = file_format == AUTO and path.suffix.lower() == SUFFIX and is_smpl_positions(read_content(path))
    if file_format in POSITION_FORMATS or bare:
        return {"": read_positions(path, file_format)}, ()
    return _read_motions(path, file_format)


def _read_motions(path: Path, file_format: str) -> _Read:
    found = read_motion_files(path, file_format)
    notes = dict.fromkeys(f"{one.format}: {note}" for one in found for note in one.notes)
    return {one.label: one.motion for one in found}, tuple(notes)


def _read_files(
    folder: Path, extensions: tuple[str, ...], read: Callable[[Path], _Read], check: Callable[[AnyMotion], None]
) -> tuple[dict[str, AnyMotion], int]:
    motions: dict[str, AnyMotion] = {}
    notes: dict[str, list[str]] = {}
    n_bad = 0
    files = motion_files(folder, extensions)
    for path in tqdm(files, desc="reading", unit="file", leave=False, disable=None):
        try:
            found, said = read(path)
            for note in said:
                notes.setdefault(note, []).append(path.name)
        except NotAMotion as reason:
            print(f"passed over {reason}", file=sys.stderr)
            continue
        except UserError as error:
            n_bad += 1
            print(_left_out(path, error), file=sys.stderr)
            continue
        usable = {label: motion for label, motion in found.items() if _passes(path, label, motion, check)}
        n_bad += len(usable) < len(found)
        for label, motion in usable.items():
            motions[_name(labelled(path, label), folder if path != folder else path.parent)] = motion
    for note, names in notes.items():
        print(f"{note} ({names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''})", file=sys.stderr)
    if not motions:
        raise UserError(f"none of the {len(files)} files in {folder} is a motion that can be used")
    return motions, n_bad


def _passes(path: Path, label: str, motion: AnyMotion, check: Callable[[AnyMotion], None]) -> bool:
    """Return whether a motion's user can take it; say so where not."""
    try:
        check(motion)
    except UserError as error:
        print(_left_out(labelled(path, label), error), file=sys.stderr)
        return False
    return True


def _left_out(path: Path, error: UserError) -> str:
    return f"left out {error}" if str(path) in str(error) else f"left out {path}: {error}"


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
