"""A motion as a file holds it, made ours: z up, 30 frames a second, its head over its feet."""

from dataclasses import dataclass, field, replace

import numpy as np
import roma
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.up_axis import told_up, turned_up
from skeleton2stage.motion.motion import FPS, BodyShape, Motion
from skeleton2stage.motion.resample import resample_linear, resample_rotations
from skeleton2stage.motion.retarget.retarget import RetargetReport

# Axis-angle needs no more than pi, and fits that go round with a dancer some turns in some frames.
MAX_ANGLE_RAD = 4.0 * np.pi
# Rates nearer to a multiple of ours than this drift by less than a frame in five minutes; 29.97 is not among them.
SAME_RATE = 1e-4
# No pelvis goes faster for a tenth of a clip: sprinters reach 12 m/s. One in centimetres does where it walks.
MAX_PELVIS_MPS, MAX_PELVIS_PERCENTILE = 15.0, 90
# Heights of a pelvis of people who stand on the floor, in centimetres and in millimetres: in metres that is a tower's.
PELVIS_IN_OTHER_UNITS = {"centimetres": (60.0, 130.0), "millimetres": (600.0, 1300.0)}


@dataclass(frozen=True)
class MotionFile:
    """A motion as read, and what was found in its file.

    source_fps: frame rate of the file. up_axis: the file's axis that points up, "-y" for y down.
    source_frames: frames in the file. retargeting: how well a foreign skeleton went over, if it was one.
    label: whose motion, or which one, it is of a file that holds several. notes: what was assumed, and what was lost.
    """

    motion: Motion
    format: str
    source_fps: float
    up_axis: str
    source_frames: int
    retargeting: RetargetReport | None = None
    label: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawMotion:
    """Poses and pelvis as a file has them: [T, 24, 3] rad, [T, 3] m, in the file's axes.

    fps: None where neither the file nor its kind says it. up_axis: as the kind of file has it, or None.
    up_told: whether a motion that does not stand upright so is one that lies, rather than another's habit.
    The others are as in `MotionFile` and `Motion`.
    """

    poses: np.ndarray
    translation: np.ndarray
    fps: float | None
    up_axis: str | None
    up_told: bool = True
    label: str = ""
    shape: BodyShape | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Believed:
    """What its user knows better than a file: its frame rate, and its axis that points up; None for the file's own."""

    fps: float | None = None
    up_axis: str | None = None


BELIEVED_FILE = Believed()
NO_RATE = {
    "amass": "it does not say its frame rate, and {name} files have many: give format={name}@RATE, or convert it with "
    'clips=FILE.json, whose table "fps" has each clip\'s',
    "joints": "it has the joints of every frame and no frame rate, as HumanML3D, MDM and their relatives write them: "
    "give format=humanml3d for their 20 frames a second, or format=joints@RATE",
}


class NotAMotion(UserError):  # noqa: N818 - it says what the file is
    """A well-formed file of the data set that holds no motion, such as AMASS's shape files."""


def as_motion_file(format_name: str, raw: RawMotion, believed: Believed = BELIEVED_FILE) -> MotionFile:
    """Return z-up motion at 30 fps of what a file holds; raise UserError where its frame rate is not known."""
    fps = believed.fps or raw.fps
    if fps is None:
        raise UserError(NO_RATE.get(format_name, NO_RATE["amass"]).format(name=format_name))
    checked = Motion(raw.poses, raw.translation, fps, shape=raw.shape)
    _check_radians(checked.poses)
    _check_metres(checked.translation, fps)
    up_axis, notes = _up_axis(checked, format_name, raw, believed)
    poses, translation = turned_up(checked.poses, checked.translation, up_axis)
    _check_height(translation[:, 2])
    motion = to_fps(replace(checked, poses=poses, translation=translation), FPS)
    return MotionFile(motion, format_name, fps, up_axis, len(checked), label=raw.label, notes=notes)


def _up_axis(motion: Motion, format_name: str, raw: RawMotion, believed: Believed) -> tuple[str, tuple[str, ...]]:
    """Return the axis that points up, and the notes, with one more where it is not as files of this kind have it."""
    if believed.up_axis:
        return believed.up_axis, raw.notes
    if raw.up_axis and raw.up_told:
        return raw.up_axis, raw.notes
    found = told_up(motion.joints(), raw.up_axis)
    if found == raw.up_axis or raw.up_axis is None:
        return found, raw.notes
    return found, (*raw.notes, f"{found} is up, by head and feet, where {format_name} files have {raw.up_axis} up")


def _check_radians(poses: np.ndarray) -> None:
    """Raise UserError where most poses [T, 24, 3] have an angle that only degrees reach."""
    largest = float(np.median(np.linalg.norm(poses, axis=-1).max(axis=1)))
    if largest > MAX_ANGLE_RAD:
        raise UserError(f"its rotations reach {largest:.0f} rad in most frames: give radians, these look like degrees")


def _check_metres(translation: np.ndarray, fps: float) -> None:
    """Raise UserError where the pelvis [T, 3] m moves as only one told in centimetres or millimetres does."""
    if len(translation) < 2:
        return
    speed = float(np.percentile(np.linalg.norm(np.diff(translation, axis=0), axis=1), MAX_PELVIS_PERCENTILE)) * fps
    if speed > MAX_PELVIS_MPS:
        raise UserError(
            f"its pelvis goes at {speed:.0f} m/s for a tenth of the time: give its translation in metres, this looks "
            "like centimetres or millimetres"
        )


def _check_height(height: np.ndarray) -> None:
    """Raise UserError where the pelvis' heights [T] m are those of people who stand in another unit."""
    usual = float(np.median(height))
    for unit, (low, high) in PELVIS_IN_OTHER_UNITS.items():
        if low <= usual <= high:
            raise UserError(f"its pelvis is {usual:.0f} m high: give its translation in metres, this looks like {unit}")


def at_its_rate(raw: RawMotion, fps: float | None) -> RawMotion:
    """Return a motion at the rate that its file says, if it does, rather than at that of files of its kind."""
    if fps is None:
        return raw
    return replace(raw, fps=fps, notes=tuple(note for note in raw.notes if "@RATE" not in note))


def to_fps(motion: Motion, fps: float) -> Motion:
    """Return a motion at another frame rate: every n-th frame where that is exact, as EDGE does, else slerp."""
    ratio = motion.fps / fps
    step = max(1, round(ratio))
    if abs(ratio - step) < SAME_RATE * step:
        contacts = None if motion.contacts is None else motion.contacts[::step]
        return replace(
            motion, poses=motion.poses[::step], translation=motion.translation[::step], fps=fps, contacts=contacts
        )
    rotmat = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    poses = roma.rotmat_to_rotvec(resample_rotations(rotmat, motion.fps, fps)).numpy()
    translation = resample_linear(torch.from_numpy(motion.translation), motion.fps, fps).numpy()
    return replace(motion, poses=poses, translation=translation, fps=fps, contacts=None)
