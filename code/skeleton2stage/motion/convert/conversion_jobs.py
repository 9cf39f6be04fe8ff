"""What is to be converted into which file of a library, and what to know of each clip."""

import bisect
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.files import read_json
from skeleton2stage.folder_walk import files_in
from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.convert.convert_config import ConvertConfig
from skeleton2stage.motion.formats.file_listing import labelled, motion_files
from skeleton2stage.motion.formats.format_table import may_hold_motion
from skeleton2stage.motion.formats.own_format import extensions_of
from skeleton2stage.motion.formats.up_axis import UP_AXES
from skeleton2stage.motion.library import Clip, claimed, stamp_of

IGNORE_LIST = "ignore_list.txt"

# AIST++'s joint positions: pickles of the same names as its motions.
KEYPOINT_FOLDERS = {"keypoints2d", "keypoints3d"}


@dataclass(frozen=True)
class ClipNote:
    """What one must know of a clip besides its file.

    keep_s: the part to keep, (start, end) in seconds, None for its end. fps: its true frame rate, where the
    file's is wrong or not there. up: its axis that is up, likewise.
    """

    keep_s: tuple[float, float | None] = (0.0, None)
    fps: float | None = None
    up: str | None = None


@dataclass(frozen=True)
class Job:
    """One file to convert: into which `file` of the folder `out`, and what to go by.

    limits: of the checks, None for none. ignored: whether the data set's own list rejects it. reserved: files of others
    whose names begin as this one's do, which one of several motions in a file might take.
    """

    source: Path
    out: Path
    file: str
    format: str
    note: ClipNote
    limits: CheckLimits | None
    ignored: bool
    reserved: frozenset[str] = frozenset()

    def stamp(self) -> str:
        """Return what changes with the file and with anything that its conversion goes by."""
        limits = self.limits and asdict(self.limits)
        return stamp_of(self.source, {"go_by": [self.format, asdict(self.note), self.ignored], "limits": limits})


def make_jobs(config: ConvertConfig, library: dict[str, Clip]) -> list[Job]:
    """Return what is to be done for each motion file of the source."""
    made, root = config.out.resolve(), config.source.resolve()
    listed = motion_files(config.source, extensions_of(config.format))
    files = [file for file in listed if file.parent.name not in KEYPOINT_FOLDERS and may_hold_motion(file)]
    if not files:
        raise UserError(f"{config.source} holds no motion but arrays of other things, such as {listed[0].name}")
    if root in made.parents:  # what was made before is not to be read again
        files = [file for file in files if made not in file.resolve().parents]
    targets = output_files(config.source, files, config.out, library, config.write, claimed(config.out))
    notes = read_clip_notes(config.clips) if config.clips else {}
    ignored = ignored_names(config.source) if config.check else set()
    return [
        Job(
            file, config.out, target, config.format, notes.get(file.stem, ClipNote()),
            config.limits() if config.check else None, file.stem in ignored, reserved,
        )
        for file, target, reserved in zip(files, targets, _namesakes(targets, library, files), strict=True)
    ]


def _namesakes(targets: list[str], library: dict[str, Clip], files: list[Path]) -> list[frozenset[str]]:
    """Return for each target those of other sources that begin with its name and an underscore."""
    mine = {str(file.resolve()) for file in files}
    taken = sorted({*targets, *(clip.file for clip in library.values() if clip.source not in mine)})
    found = []
    for target in targets:
        start = f"{Path(target).with_suffix('').as_posix()}_"
        begin = bisect.bisect_left(taken, start)
        end = bisect.bisect_left(taken, start[:-1] + chr(ord("_") + 1))
        found.append(frozenset(taken[begin:end]))
    return found


def output_files(
    source: Path, files: list[Path], out: Path, library: dict[str, Clip], write: str = "pkl",
    claims: set[str] = frozenset(),
) -> list[str]:
    """Return where each file's motion goes, relative to `out`: the same folders, and names that are unique.

    Training knows clips by their names alone, and AMASS has the same ones for several people: such names get
    their folders' put before. Raises UserError where a file would replace its own source, one of another source
    that is in the library, or one that the library did not make (its `claims` are of a conversion that was killed),
    where two differ only by extension, or where the library's files are of another form than is to be written.
    """
    other = next((clip.file for clip in library.values() if not clip.file.endswith(f".{write}")), None)
    if other:
        raise UserError(f"{out} is a library of {Path(other).suffix[1:]} files: give another out= for write={write}")
    root = source if source.is_dir() else source.parent
    mine = {str(file.resolve()) for file in files}
    foreign = (clip for clip in library.values() if clip.source not in mine)
    others = {clip.file: clip.source for clip in foreign if Path(clip.source).exists()}
    counts = Counter([*(file.stem for file in files), *(Path(file).stem for file in others)])
    targets = [_output_file(file.relative_to(root), counts[file.stem] == 1, write) for file in files]
    for file, target in zip(files, targets, strict=True):
        if file.resolve() == (out / target).resolve():
            raise UserError(f"out={out} is where {file.name} comes from: give another folder, so that it is kept")
        if target in others:
            raise UserError(f"{out / target} was made from {others[target]}: give another out= for {source}")
        if target not in library and target not in claims and (out / target).exists():
            raise UserError(f"{out / target} is not of this command's making: move it away, or give another out=")
    repeated = [target for target, count in Counter(targets).items() if count > 1]
    if repeated:
        raise UserError(f"several files in {source} would become {repeated[0]}: convert them one folder at a time")
    return targets


def _output_file(path: Path, unique: bool, write: str) -> str:
    name = path.stem if unique else "_".join((*path.parent.parts, path.stem))
    return path.with_name(f"{name}.{write}").as_posix()


def ignored_names(source: Path) -> set[str]:
    """Return the clips named in lists called ignore_list.txt beside or under the source, as AIST++ has one of
    sequences whose motion was badly estimated.
    """
    root = source if source.is_dir() else source.parent
    lists = [root.resolve().parent / IGNORE_LIST, *(file for file in files_in(root) if file.name == IGNORE_LIST)]
    return {name for path in lists if path.is_file() for name in path.read_text(encoding="utf-8").split()}


def read_clip_notes(path: Path) -> dict[str, ClipNote]:
    """Return the notes of a JSON file by file stem, from its tables "keep_s", "fps" and "up", any of which may lack."""
    content = read_json(path)
    if not isinstance(content, dict) or not {"keep_s", "fps", "up"} & set(content):
        raise UserError(
            f'{path} has no table "keep_s" (clip: [start, end] in seconds), "fps" (clip: rate) or "up" (clip: axis)'
        )
    keep, fps, up = (content.get(table, {}) for table in ("keep_s", "fps", "up"))
    if not all(isinstance(table, dict) for table in (keep, fps, up)):
        raise UserError(f'{path}: "keep_s", "fps" and "up" must be tables by clip name')
    for name, axis in up.items():
        if axis not in UP_AXES:
            raise UserError(f"{path}: what is up in '{name}' must be one of {', '.join(UP_AXES)}, not {axis!r}")
    for name, span in keep.items():
        pair = span if isinstance(span, list) and len(span) == 2 else (None, None)
        if not isinstance(pair[0], int | float) or not isinstance(pair[1], int | float | None):
            raise UserError(f"{path}: '{name}' must be [start, end] in seconds, null for the clip's end")
    for name, rate in fps.items():
        if not isinstance(rate, int | float) or rate <= 0:
            raise UserError(f"{path}: the frame rate of '{name}' must be a number above 0, not {rate!r}")
    spans = {name: (float(start), None if end is None else float(end)) for name, (start, end) in keep.items()}
    return {
        name: ClipNote(spans.get(name, (0.0, None)), fps.get(name), up.get(name)) for name in {**keep, **fps, **up}
    }


def clips_by_source(library: dict[str, Clip]) -> dict[str, list[Clip]]:
    """Return the clips of a library by the files they came from."""
    found = defaultdict(list)
    for clip in library.values():
        found[clip.source].append(clip)
    return found


def is_done(job: Job, clips: list[Clip]) -> bool:
    """Return whether a job's clips in the library are as they would be made now."""
    stamp = job.stamp()
    return bool(clips) and all(
        clip.stamp == stamp and (not clip.accepted or (job.out / clip.file).is_file()) for clip in clips
    )


def forget_moved(out: Path, library: dict[str, Clip], jobs: list[Job]) -> None:
    """Take out of a library the clips whose sources now go to another file, names having become ambiguous."""
    files = {str(job.source.resolve()): job.file for job in jobs}
    for clip in list(library.values()):
        if clip.source in files and labelled(Path(files[clip.source]), clip.label).as_posix() != clip.file:
            forget(out, library, clip)


def forget(out: Path, library: dict[str, Clip], clip: Clip) -> None:
    """Take a clip and its file out of a library."""
    (out / clip.file).unlink(missing_ok=True)
    del library[clip.file]
