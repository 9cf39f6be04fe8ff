"""One motion file converted and checked, each motion in it by itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.motion.checks.assurance import assurances, said
from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.checks.checks import complaints, on_floor
from skeleton2stage.motion.checks.motion_figures import measure
from skeleton2stage.motion.convert.conversion_jobs import IGNORE_LIST, ClipNote, Job
from skeleton2stage.motion.formats.file_listing import labelled
from skeleton2stage.motion.formats.motion_file import Believed, MotionFile, NotAMotion
from skeleton2stage.motion.formats.motion_writers import MOTION_WRITERS
from skeleton2stage.motion.formats.read_motion import read_motion_files
from skeleton2stage.motion.library import Clip


@dataclass(frozen=True)
class Outcome:
    """What came of a job: its clip, None for a file without motion or one that the disk failed, and one line to say.

    failed: nothing is wrong with the file as far as one knows, and another try may do.
    """

    clip: Clip | None
    line: str
    failed: bool = False


def convert_file(job: Job) -> list[Outcome]:
    """Convert and check the motions of a file, writing those accepted; whatever is wrong with it becomes the reason."""
    clip = Clip(job.file, str(job.source.resolve()), job.stamp(), accepted=False)
    found: list[MotionFile] = []

    def read() -> Outcome | None:
        if job.ignored:
            raise UserError(f"ignored: named in the data set's {IGNORE_LIST}")
        found.extend(read_motion_files(job.source, job.format, Believed(job.note.fps, job.note.up)))
        return None

    failure = _outcome(job, clip, read)
    return [failure] if failure else [_convert(job, clip, one) for one in found]


def _convert(job: Job, clip: Clip, found: MotionFile) -> Outcome:
    """Check one motion of a file, and write it if accepted."""
    file = labelled(Path(job.file), found.label).as_posix()
    clip = replace(clip, file=file, label=found.label)

    def write() -> Outcome:
        if file != job.file and file in job.reserved:
            raise UserError(f"{file} is another file's: rename {job.source.name}")
        checked, motion = _checked(clip, trimmed(found, job.note), job.limits)
        if not checked.accepted:
            return _rejected(job, checked)
        MOTION_WRITERS[Path(file).suffix[1:]](job.out / file, motion.motion)
        taken_for = f"{_called(job, clip)}: {describe(motion)}{_floor_note(checked, job.limits)}"
        return Outcome(checked, f"{taken_for}; {said(assurances(motion.motion))}")

    return _outcome(job, clip, write)


def _outcome(job: Job, clip: Clip, step: Callable[[], Outcome | None]) -> Outcome | None:
    """Return what comes of a step, whatever goes wrong in it."""
    try:
        return step()
    except NotAMotion as reason:
        return Outcome(None, f"{job.source.name}: {reason}")
    except UserError as error:
        return _rejected(job, replace(clip, reason=str(error).removeprefix(f"{job.source}: ")))
    except (OSError, MemoryError) as error:
        return Outcome(None, f"{job.source.name}: not converted: {error or 'out of memory'}; run again", failed=True)
    except Exception as error:  # noqa: BLE001 - one strange file must not stop the other thousands
        reason = f"unreadable: {type(error).__name__}: {error}".split("\n")[0]
        return _rejected(job, replace(clip, accepted=False, reason=reason))


def _rejected(job: Job, clip: Clip) -> Outcome:
    if clip.file not in job.reserved:
        (job.out / clip.file).unlink(missing_ok=True)
    return Outcome(clip, f"{_called(job, clip)}: rejected: {clip.reason}")


def _called(job: Job, clip: Clip) -> str:
    return f"{job.source.name} ({clip.label})" if clip.label else job.source.name


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
    line = "; ".join((line, *found.notes))
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
