"""The list that a motion library keeps of its clips, library.json: where each came from and why it was taken.

Rejected clips stand in it too, so that a run that goes on from an earlier one tries none of them again.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from skeleton2stage.config import to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.files import read_json, write_json
from skeleton2stage.motion.checks.motion_figures import Figures

LIBRARY_NAME = "library.json"
CLAIMS_NAME = ".being_made.json"
# Raise it when conversion changes, so that clips of earlier versions are made again.
VERSION = 2


@dataclass(frozen=True)
class Clip:
    """One clip of a library.

    file: the motion, relative to the library; not there if rejected. source: the file it came from.
    stamp: `stamp_of` that file. accepted, reason: whether it was taken, else why not.
    format, source_fps, source_frames: what the source was; None where it could not be read.
    frames, seconds: of the motion, at 30 frames a second. figures: what the checks found, None if unread.
    label: whose motion, or which one, it is of a source that holds several.
    """

    file: str
    source: str
    stamp: str
    accepted: bool
    reason: str = ""
    format: str | None = None
    source_fps: float | None = None
    source_frames: int | None = None
    frames: int = 0
    seconds: float = 0.0
    figures: Figures | None = None
    label: str = ""


def stamp_of(source: Path, settings: dict) -> str:
    """Return what changes with a file's size and time of change, or with the settings of its conversion."""
    state = source.stat()
    text = json.dumps([VERSION, state.st_size, state.st_mtime_ns, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_library(folder: Path) -> dict[str, Clip]:
    """Return a folder's clips by their `file`, none where it has no list; raise UserError for a foreign one."""
    path = folder / LIBRARY_NAME
    if not path.exists():
        return {}
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("clips"), list):
        raise UserError(f"{path} is no list of clips that this program wrote: give another folder, or remove it")
    try:
        clips = [to_dataclass(clip, Clip) for clip in content["clips"]]
    except (UserError, TypeError, ValueError) as error:
        raise UserError(f"{path} was not written by this version ({error}): remove it to convert anew") from None
    for clip in clips:
        # Files of clips that are made anew are removed first: a list must not lead out of its folder.
        if Path(clip.file).is_absolute() or ".." in Path(clip.file).parts:
            raise UserError(f"{path} names a file outside its folder ({clip.file}): remove it to convert anew")
    return {clip.file: clip for clip in clips}


def write_library(folder: Path, clips: dict[str, Clip]) -> None:
    """Write a folder's list, sorted by file, atomically."""
    ordered = [clips[file] for file in sorted(clips)]
    accepted = [clip for clip in ordered if clip.accepted]
    write_json(folder / LIBRARY_NAME, {
        "accepted": len(accepted),
        "accepted_s": round(sum(clip.seconds for clip in accepted), 3),
        "rejected": len(ordered) - len(accepted),
        "clips": [_rounded(asdict(clip)) for clip in ordered],
    })


def claim(folder: Path, files: list[str]) -> None:
    """Note, before they are made, the files that a folder will have and its list does not name yet.

    The list is written now and then and the files all the time: after a kill these notes tell whose they are.
    """
    noted = claimed(folder)
    new = {file for file in files if not (folder / file).exists()} | noted
    if new != noted:
        write_json(folder / CLAIMS_NAME, sorted(new))


def claimed(folder: Path) -> set[str]:
    """Return the files that a conversion into a folder had noted and was killed before it had listed them."""
    path = folder / CLAIMS_NAME
    content = read_json(path) if path.exists() else []
    if not isinstance(content, list) or not all(isinstance(file, str) for file in content):
        raise UserError(f"{path} is not of this program's making: remove it")
    return set(content)


def forget_claims(folder: Path) -> None:
    """Remove the notes, when the list names all there is."""
    (folder / CLAIMS_NAME).unlink(missing_ok=True)


def _rounded(clip: dict) -> dict:
    """Return a clip's table with figures to 4 places, which is a tenth of a millimetre."""
    figures = clip["figures"] and {name: round(value, 4) for name, value in clip["figures"].items()}
    return clip | {"seconds": round(clip["seconds"], 3), "figures": figures}
