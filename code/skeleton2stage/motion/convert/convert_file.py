"""One motion file converted and checked."""

from dataclasses import dataclass, replace

from skeleton2stage.errors import UserError
from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.checks.checks import complaints, on_floor
from skeleton2stage.motion.checks.motion_figures import measure
from skeleton2stage.motion.convert.conversion_jobs import IGNORE_LIST, ClipNote, Job
from skeleton2stage.motion.formats.motion_file import MotionFile, NotAMotion
from skeleton2stage.motion.formats.read_motion import read_motion_file
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.library import Clip


@dataclass(frozen=True)
class Outcome:
    """What came of a job: its clip, None for a file without motion or one that the disk failed, and one line to say.

    failed: nothing is wrong with the file as far as one knows, and another try may do.
    """

    clip: Clip | None
    line: str
    failed: bool = False


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
