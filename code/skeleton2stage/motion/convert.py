"""Motion files of any format to a checked library: `python -m skeleton2stage.motion.convert source=... out=...`."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import torch
from tqdm import tqdm

from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.files import read_json
from skeleton2stage.motion.checks import CheckLimits, complaints, measure, on_floor
from skeleton2stage.motion.formats import (
    MotionFile,
    NotAMotion,
    check_format,
    motion_files,
    read_motion_file,
    write_motion,
)
from skeleton2stage.motion.library import Clip, read_library, stamp_of, write_library
from skeleton2stage.settings import setting

USAGE = "python -m skeleton2stage.motion.convert source=FILE_OR_DIR out=DIR [clips=FILE.json] [key=value ...]"
EXIT_BAD_FILES = 1
IGNORE_LIST = "ignore_list.txt"
# AIST++'s joint positions: pickles of the same names as its motions.
KEYPOINT_FOLDERS = {"keypoints2d", "keypoints3d"}
SAVE_EVERY_S = 20.0


@dataclass(frozen=True)
class ConvertConfig:
    """The keys of configs/convert.yaml, which explains them, besides the limits of the checks."""

    source: Path
    out: Path
    format: str
    clips: Path | None
    workers: int | None = setting(minimum=1)
    strict: bool
    check: bool

    def __post_init__(self) -> None:
        check_format(self.format)


@dataclass(frozen=True)
class ClipNote:
    """What one must know of a clip besides its file.

    keep_s: the part to keep, (start, end) in seconds, None for its end. fps: its true frame rate, where the
    file's is wrong.
    """

    keep_s: tuple[float, float | None] = (0.0, None)
    fps: float | None = None


@dataclass(frozen=True)
class Job:
    """One file to convert: into which `file` of the folder `out`, and what to go by.

    limits: of the checks, None for none. ignored: whether the data set's own list rejects it.
    """

    source: Path
    out: Path
    file: str
    format: str
    note: ClipNote
    limits: CheckLimits | None
    ignored: bool

    def stamp(self) -> str:
        """Return what changes with the file and with anything that its conversion goes by."""
        limits = self.limits and asdict(self.limits)
        return stamp_of(self.source, {"go_by": [self.format, asdict(self.note), self.ignored], "limits": limits})


@dataclass(frozen=True)
class Outcome:
    """What came of a job: its clip, None for a file without motion or one that the disk failed, and one line to say.

    failed: nothing is wrong with the file as far as one knows, and another try may do.
    """

    clip: Clip | None
    line: str
    failed: bool = False


def main(arguments: list[str]) -> int:
    """Convert every file that the library does not have yet; return 1 where the disk failed some, where none is
    accepted, or where strict and some are rejected.
    """
    if help_wanted(arguments):
        print(help_text(USAGE, "convert"))
        return 0
    config, limits = parse(arguments)
    library = read_library(config.out)
    jobs = make_jobs(config, limits, library)
    _forget_moved(config.out, library, jobs)
    todo = [job for job in jobs if not _is_done(job, library)]
    if len(todo) < len(jobs):
        print(f"{len(jobs) - len(todo)} of {len(jobs)} files are in {config.out} already")
    skipped, n_failed = convert_all(todo, config, library)
    clips = [library[job.file] for job in jobs if job.file in library]
    print(report(clips, skipped, config.out))
    accepted = [clip.accepted for clip in clips]
    return EXIT_BAD_FILES if n_failed or not any(accepted) or (config.strict and not all(accepted)) else 0


def parse(arguments: list[str]) -> tuple[ConvertConfig, CheckLimits]:
    """Return the configuration and the limits of a command line; raise UserError where it is wrong."""
    content = load_config("convert", arguments)
    names = {field.name for field in fields(CheckLimits)}
    limits = to_dataclass({key: content[key] for key in names}, CheckLimits)
    return to_dataclass({key: value for key, value in content.items() if key not in names}, ConvertConfig), limits


def make_jobs(config: ConvertConfig, limits: CheckLimits, library: dict[str, Clip]) -> list[Job]:
    """Return what is to be done for each motion file of the source."""
    made, root = config.out.resolve(), config.source.resolve()
    files = [file for file in motion_files(config.source) if file.parent.name not in KEYPOINT_FOLDERS]
    if root in made.parents:  # what was made before is not to be read again
        files = [file for file in files if made not in file.resolve().parents]
    targets = output_files(config.source, files, config.out, library)
    notes = read_clip_notes(config.clips) if config.clips else {}
    ignored = ignored_names(config.source) if config.check else set()
    return [
        Job(
            file, config.out, target, config.format, notes.get(file.stem, ClipNote()),
            limits if config.check else None, file.stem in ignored,
        )
        for file, target in zip(files, targets, strict=True)
    ]


def output_files(source: Path, files: list[Path], out: Path, library: dict[str, Clip]) -> list[str]:
    """Return where each file's motion goes, relative to `out`: the same folders, and names that are unique.

    Training knows clips by their names alone, and AMASS has the same ones for several people: such names get
    their folders' put before. Raises UserError where a file would replace its own source, one of another source
    that is in the library, or one that the library did not make, or where two differ only by extension.
    """
    root = source if source.is_dir() else source.parent
    mine = {str(file.resolve()) for file in files}
    foreign = (clip for clip in library.values() if clip.source not in mine)
    others = {clip.file: clip.source for clip in foreign if Path(clip.source).exists()}
    counts = Counter([*(file.stem for file in files), *(Path(file).stem for file in others)])
    targets = [_output_file(file.relative_to(root), counts[file.stem] == 1) for file in files]
    for file, target in zip(files, targets, strict=True):
        if file.resolve() == (out / target).resolve():
            raise UserError(f"out={out} is where {file.name} comes from: give another folder, so that it is kept")
        if target in others:
            raise UserError(f"{out / target} was made from {others[target]}: give another out= for {source}")
        if target not in library and (out / target).exists():
            raise UserError(f"{out / target} is not of this command's making: move it away, or give another out=")
    repeated = [target for target, count in Counter(targets).items() if count > 1]
    if repeated:
        raise UserError(f"several files in {source} would become {repeated[0]}: convert them one folder at a time")
    return targets


def _output_file(path: Path, unique: bool) -> str:
    name = path.stem if unique else "_".join((*path.parent.parts, path.stem))
    return path.with_name(f"{name}.pkl").as_posix()


def ignored_names(source: Path) -> set[str]:
    """Return the clips named in lists called ignore_list.txt beside or under the source, as AIST++ has one of
    sequences whose motion was badly estimated.
    """
    root = source if source.is_dir() else source.parent
    lists = [root.resolve().parent / IGNORE_LIST, *root.rglob(IGNORE_LIST)]
    return {name for path in lists if path.is_file() for name in path.read_text(encoding="utf-8").split()}


def read_clip_notes(path: Path) -> dict[str, ClipNote]:
    """Return the notes of a JSON file by file stem, from its tables "keep_s" and "fps", either of which may lack."""
    content = read_json(path)
    if not isinstance(content, dict) or not {"keep_s", "fps"} & set(content):
        raise UserError(f'{path} has neither a table "keep_s" (clip: [start, end] in seconds) nor "fps" (clip: rate)')
    keep, fps = content.get("keep_s", {}), content.get("fps", {})
    if not (isinstance(keep, dict) and isinstance(fps, dict)):
        raise UserError(f'{path}: "keep_s" and "fps" must be tables by clip name')
    for name, span in keep.items():
        if not (isinstance(span, list) and len(span) == 2 and isinstance(span[0], int | float)):
            raise UserError(f"{path}: '{name}' must be [start, end] in seconds, null for the clip's end")
    for name, rate in fps.items():
        if not isinstance(rate, int | float) or rate <= 0:
            raise UserError(f"{path}: the frame rate of '{name}' must be a number above 0, not {rate!r}")
    spans = {name: (float(start), None if end is None else float(end)) for name, (start, end) in keep.items()}
    return {name: ClipNote(spans.get(name, (0.0, None)), fps.get(name)) for name in {**keep, **fps}}


def _is_done(job: Job, library: dict[str, Clip]) -> bool:
    clip = library.get(job.file)
    return clip is not None and clip.stamp == job.stamp() and (not clip.accepted or (job.out / clip.file).is_file())


def _forget_moved(out: Path, library: dict[str, Clip], jobs: list[Job]) -> None:
    """Take out of a library the clips whose sources now go to another file, names having become ambiguous."""
    files = {str(job.source.resolve()): job.file for job in jobs}
    for clip in list(library.values()):
        if files.get(clip.source, clip.file) != clip.file:
            (out / clip.file).unlink(missing_ok=True)
            del library[clip.file]


def convert_all(jobs: list[Job], config: ConvertConfig, library: dict[str, Clip]) -> tuple[list[str], int]:
    """Convert files, enter them into the library, save it now and then; return lines on files that gave nothing,
    and how many of these the disk failed.
    """
    skipped, n_failed, saved_at = [], 0, time.monotonic()
    progress = tqdm(total=len(jobs), desc="converting", unit="file", disable=not jobs)
    try:
        for outcome in _outcomes(jobs, config.workers or len(os.sched_getaffinity(0))):
            progress.update()
            if outcome.clip is None:
                n_failed += outcome.failed
                skipped.append(outcome.line)
                continue
            library[outcome.clip.file] = outcome.clip
            if outcome.clip.accepted:
                tqdm.write(outcome.line)
            if time.monotonic() - saved_at > SAVE_EVERY_S:
                write_library(config.out, library)
                saved_at = time.monotonic()
    finally:
        progress.close()
        write_library(config.out, library)
    return skipped, n_failed


def _outcomes(jobs: list[Job], workers: int) -> Iterator[Outcome]:
    """Yield the outcomes of jobs as they come, from several processes where there is enough to do."""
    if min(workers, len(jobs)) <= 1:
        torch.set_num_threads(1)
        yield from map(convert_file, jobs)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["skeleton2stage.motion.formats"])  # torch is imported once for all workers
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _start_worker) as pool:
        try:
            for future in as_completed([pool.submit(convert_file, job) for job in jobs]):
                yield future.result()
        except BrokenProcessPool:
            raise UserError("a worker died, perhaps for memory: run again to go on, with fewer workers=") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and the other cores to the other workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def convert_file(job: Job) -> Outcome:
    """Convert and check one file, writing its motion if accepted; whatever is wrong with it becomes the reason."""
    clip = Clip(job.file, str(job.source.resolve()), job.stamp(), accepted=False)
    target = job.out / job.file
    try:
        if job.ignored:
            raise UserError(f"ignored: named in the data set's {IGNORE_LIST}")
        found = trimmed(read_motion_file(job.source, job.format, job.note.fps), job.note)
        clip, found = _checked(clip, found, job.limits)
        if clip.accepted:
            write_motion(target, found.motion)
    except NotAMotion as reason:
        return Outcome(None, f"{job.source.name}: {reason}")
    except UserError as error:
        clip = replace(clip, reason=str(error).removeprefix(f"{job.source}: "))
    except (OSError, MemoryError) as error:
        return Outcome(None, f"{job.source.name}: not converted: {error or 'out of memory'}; run again", failed=True)
    except Exception as error:  # noqa: BLE001 - one strange file must not stop the other thousands
        clip = replace(clip, accepted=False, reason=f"unreadable: {type(error).__name__}: {error}".split("\n")[0])
    if not clip.accepted:
        target.unlink(missing_ok=True)
        return Outcome(clip, f"{job.source.name}: rejected: {clip.reason}")
    return Outcome(clip, f"{job.source.name}: {describe(found)}{_floor_note(clip, job.limits)}")


def trimmed(found: MotionFile, note: ClipNote) -> MotionFile:
    """Return a file's motion cut to the part to keep."""
    start_s, end_s = note.keep_s
    motion, fps = found.motion, found.motion.fps
    stop = len(motion) if end_s is None else round(end_s * fps)
    return replace(found, motion=motion.slice(round(start_s * fps), stop))


def _checked(clip: Clip, found: MotionFile, limits: CheckLimits | None) -> tuple[Clip, MotionFile]:
    """Return the clip with what was found and the verdict, and the motion on the floor; without limits, as it is."""
    figures = measure(found.motion, limits or CheckLimits())
    reasons = complaints(figures, limits) if limits else ()
    if limits:
        found = replace(found, motion=on_floor(found.motion, figures, limits))
    clip = replace(
        clip, accepted=not reasons, reason="; ".join(reasons), format=found.format, source_fps=found.source_fps,
        source_frames=found.source_frames, frames=len(found.motion), seconds=found.motion.duration_s, figures=figures,
    )
    return clip, found


def describe(found: MotionFile) -> str:
    """Return one line on what was found in a file and how well it went over."""
    line = (
        f"{found.format}, {found.source_fps:g} fps, {found.up_axis} up, {found.source_frames} frames -> "
        f"{len(found.motion)} frames ({found.motion.duration_s:.1f} s)"
    )
    report = found.retargeting
    if report is None:
        return line
    return (
        f"{line}; scale {report.scale:.3f}, mean error of wrists and ankles {100 * report.mean_error_m:.1f} cm, "
        f"{report.bridged_frames} frames with glitches bridged"
    )


def _floor_note(clip: Clip, limits: CheckLimits | None) -> str:
    floor_m = clip.figures.floor_m
    return "" if limits is None or abs(floor_m) <= limits.floor_m else f"; floor moved from {floor_m:.2f} m to 0"


def report(clips: list[Clip], skipped: list[str], out: Path) -> str:
    """Return the closing words: how much was converted, and each rejected clip with its reason."""
    accepted = [clip for clip in clips if clip.accepted]
    rejected = [f"  {clip.file}: {clip.reason}" for clip in clips if not clip.accepted]
    minutes = sum(clip.seconds for clip in accepted) / 60
    lines = [f"{len(accepted)} of {len(clips)} files converted into {out}, {minutes:.1f} minutes"]
    if skipped:
        lines.append(f"{len(skipped)} skipped, holding no motion, such as {skipped[0]}")
    if rejected:
        lines.append(f"{len(rejected)} rejected:")
    return "\n".join([*lines, *rejected])


if __name__ == "__main__":
    run_main(main)
