"""The motion files of the field, read as `Motion`, z up, 30 frames a second; `format_table` lists them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.limits import check_rate
from skeleton2stage.motion.bvh import read_bvh
from skeleton2stage.motion.formats.file_content import read_content
from skeleton2stage.motion.formats.file_listing import ANY_EXTENSIONS
from skeleton2stage.motion.formats.format_choice import AUTO, FormatChoice, format_choice
from skeleton2stage.motion.formats.format_table import EITHER_WAY_UP, FILE_FORMATS, FileFormat
from skeleton2stage.motion.formats.motion_file import Believed, MotionFile, RawMotion, as_motion_file, at_its_rate
from skeleton2stage.motion.formats.own_format import own_reader, read_own
from skeleton2stage.motion.formats.refusals import refusal_of
from skeleton2stage.motion.formats.smpl_bvh import smpl_motion
from skeleton2stage.motion.formats.smpl_fields import NAMES, rate_of
from skeleton2stage.motion.formats.up_axis import NotUpright, check_upright
from skeleton2stage.motion.formats.vector_readers import JOINT_KEYS
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.retarget.retarget import retarget
from skeleton2stage.own_code import is_own
from skeleton2stage.read_boundary import reading

BVH = "bvh"
FORMATS = (*(kind.name for kind in FILE_FORMATS), BVH)
_BY_NAME = {kind.name: kind for kind in FILE_FORMATS}
# Of an npz, what its kind is told by, besides the names of SMPL's parts.
_TELLING = NAMES | {
    "smpl_scaling", "pos", "q", "scale", "pred_thetas", "pred_camera", "pose_world", "pred_rotmat", "pred_trans",
    "frame", "pred_shape", "root_trans_offset", "motion", "lengths", *JOINT_KEYS,
    # In which whoever saves a dictionary as npz puts it.
    "arr_0", "data", "result", "results", "output", "params", "smpl", "smplx", "person", "people", "person_data",
}


def read_motion(path: Path, format: str = AUTO) -> Motion:  # noqa: A002 - the field's word for it
    """Return the motion in a file, z up, 30 fps; see `read_motion_file`."""
    return read_motion_file(path, format).motion


def read_motion_file(
    path: Path, format: str = AUTO, believed: Believed | None = None  # noqa: A002
) -> MotionFile:
    """Return the one motion in a file with what was found there; see `read_motion_files`.

    Raises UserError where the file holds several, saying how to have one file for each.
    """
    found = read_motion_files(path, format, believed)
    if len(found) > 1:
        raise UserError(
            f"{path} holds {len(found)} motions ({', '.join(one.label for one in found[:6])}): "
            f"python -m skeleton2stage.motion.convert source={path} out=DIR writes each to a file"
        )
    return found[0]


def read_motion_files(
    path: Path, format: str = AUTO, believed: Believed | None = None  # noqa: A002
) -> list[MotionFile]:
    """Return the motions in a file, one for each person or clip that it holds, with what was found there.

    `format` is a name of FORMATS, "auto", or a reader of somebody's own; after it may come what to believe instead
    of the file, as in amass@60@y, or `believed` says that. Sliced forms have the same keys: "auto" takes the one in
    which the dancer stands upright, and where that is neither or both, the format must be named.
    Raises UserError, naming the file, for unknown formats and for files that are damaged, hold NaN, have another
    number of joints, do not say their frame rate, or stand on their heads.
    """
    path, choice = Path(path), check_format(format)
    if believed is not None:
        choice = FormatChoice(choice.name, _either(believed, choice.believed))
    try:
        with reading(path, "a motion"):
            found = _read(path, choice)
            for one in found if choice.believed.up_axis is None else ():
                check_upright(one.motion.joints(), one.format, one.up_axis)
    except UserError as error:
        raise type(error)(_with_name(path, str(error))) from None
    return found


def check_format(text: str) -> FormatChoice:
    """Return what `format=` asks for; raise UserError, listing the known formats, for a name that is none, nor a reader
    of somebody's own.
    """
    choice = format_choice(text)
    if choice.name not in (AUTO, *FORMATS):
        if not is_own(choice.name):
            raise unknown_name("motion format", choice.name, [AUTO, *FORMATS])
        own_reader(choice.name)
    return choice


def _either(first: Believed, second: Believed) -> Believed:
    return Believed(first.fps or second.fps, first.up_axis or second.up_axis)


def _with_name(path: Path, sentence: str) -> str:
    return sentence if str(path) in sentence else f"{path}: {sentence}"


def _read(path: Path, choice: FormatChoice) -> list[MotionFile]:
    name, believed = choice.name, choice.believed
    if name == BVH or (name == AUTO and path.suffix.lower() == ".bvh"):
        return [_read_bvh(path, believed)]
    if is_own(name):
        return [read_own(name, path, believed)]
    if name == AUTO and path.suffix.lower() not in ANY_EXTENSIONS and path.exists():
        raise UserError(f"it is none of {', '.join(ANY_EXTENSIONS)}")
    content = _unwrapped(read_content(path, _TELLING))
    kind = _BY_NAME[name] if name != AUTO else _recognise(content, path, believed)
    return [as_motion_file(kind.name, raw, believed) for raw in _motions(kind, content, path)]


def _motions(kind: FileFormat, content: Any, path: Path) -> list[RawMotion]:  # noqa: ANN401 - whatever a file holds
    said = rate_of(content) if isinstance(content, dict) else None
    return [at_its_rate(raw, said) for raw in kind.read(content, path)]


def _unwrapped(content: Any) -> Any:  # noqa: ANN401 - whatever a file holds
    """Return what numpy.savez(FILE, ARRAY) saved, under no name, and other content as it is."""
    return content["arr_0"] if isinstance(content, dict) and list(content) == ["arr_0"] else content


def _recognise(content: Any, path: Path, believed: Believed) -> FileFormat:  # noqa: ANN401 - whatever a file holds
    """Return the format that a file's content fits."""
    kind = next((kind for kind in FILE_FORMATS if kind.fits(content)), None)
    if kind is None:
        raise refusal_of(content)
    rivals = next((names for names in EITHER_WAY_UP if kind.name in names), ())
    standing = [name for name in rivals if _stands(_BY_NAME[name], content, path, believed)]
    if rivals and len(standing) != 1:
        raise NotUpright(f"this motion does not tell whose it is: give format={' or '.join(rivals)}")
    return _BY_NAME[standing[0]] if rivals else kind


def _stands(kind: FileFormat, content: Any, path: Path, believed: Believed) -> bool:  # noqa: ANN401
    found = as_motion_file(kind.name, _motions(kind, content, path)[0], believed)
    try:
        check_upright(found.motion.joints(), found.format, found.up_axis)
    except NotUpright:
        return False
    return True


def _read_bvh(path: Path, believed: Believed) -> MotionFile:
    """Read a BVH file, retargeted unless its skeleton is SMPL's own."""
    if believed.up_axis is not None:
        raise UserError("which way is up in a BVH file tell its head and feet: give no axis after @")
    bvh = read_bvh(path)
    if believed.fps is not None:
        bvh = replace(bvh, frame_time_s=1.0 / believed.fps)
    check_rate(len(bvh), bvh.fps)
    own = smpl_motion(bvh)
    if own is not None:
        return as_motion_file(BVH, own)
    motion, report = retarget(bvh)
    return MotionFile(motion, BVH, bvh.fps, report.up_axis, len(bvh), report)
