"""The motion files of the field, read as `Motion`, z up, 30 frames a second: a reader by a format's name.

| name | content |
| --- | --- |
| aistpp | AIST++ pickle: smpl_poses, smpl_trans, smpl_scaling; y up, 60 fps |
| edge_split, edge_sliced | EDGE's pickles of pos, q (and scale, by which pos is still to be divided); y up, 60 fps |
| popdance | PopDanceSet as published: transl, pred_thetas, pred_camera; y down, 30 fps |
| popdance_split, popdance_sliced | PopDanceSet's pickles of pos, q (and scale, to multiply by); y down, 30 fps |
| amass | AMASS npz: poses, trans, mocap_framerate or mocap_frame_rate; z up |
| bvh | Biovision hierarchy of any skeleton with recognisable joints, retargeted |
| written | what EDGE and Skeleton2Stage write: smpl_poses, smpl_trans, full_pose; z up, 30 fps |
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.motion.formats.file_arrays import read_pickled_dict
from skeleton2stage.motion.formats.file_listing import EXTENSIONS
from skeleton2stage.motion.formats.motion_file import MotionFile, NotAMotion, check_upright, is_upright
from skeleton2stage.motion.formats.own_format import own_reader, read_own
from skeleton2stage.motion.formats.readers import (
    read_aistpp,
    read_amass,
    read_bvh_motion,
    read_edge_sliced,
    read_edge_split,
    read_popdance_published,
    read_popdance_sliced,
    read_popdance_split,
    read_written,
)
from skeleton2stage.motion.motion import Motion
from skeleton2stage.own_code import is_own
from skeleton2stage.reading import reading

AUTO = "auto"
_SLICED = ("edge_sliced", "popdance_sliced")
KEYPOINT_KEYS = {"keypoints2d", "keypoints3d"}


def read_motion(path: Path, format: str = AUTO) -> Motion:  # noqa: A002 - the field's word for it
    """Return the motion in a file, z up, 30 fps; see `read_motion_file`."""
    return read_motion_file(path, format).motion


def read_motion_file(path: Path, format: str = AUTO, fps: float | None = None) -> MotionFile:  # noqa: A002
    """Return the motion in a file with what was found there.

    `fps` is the frame rate to believe instead of a BVH file's own, which conversions often get wrong.
    `format` is a name of FORMATS or "auto". Sliced forms have the same keys: "auto" takes the one in which the
    dancer stands upright, and where that is neither or both, the format must be named.
    Raises UserError, naming the file, for unknown formats and for files that are damaged, hold NaN, have
    another number of joints, or stand on their heads.
    """
    path = Path(path)
    check_format(format)
    try:
        with reading(path, "a motion"):
            name = format if format != AUTO else _recognise(path)
            if fps is not None and name != "bvh":
                raise UserError(f"a frame rate can be given for bvh files only, and {path} is {name}")
            found = read_bvh_motion(path, fps) if name == "bvh" else FORMATS.get(name, partial(read_own, name))(path)
            check_upright(found)
    except UserError as error:
        raise type(error)(_with_name(path, str(error))) from None
    return found


def check_format(name: str) -> None:
    """Raise UserError, listing the known formats, for a name that is none, nor a reader of somebody's own."""
    if name in (AUTO, *FORMATS):
        return
    if not is_own(name):
        raise unknown_name("motion format", name, [AUTO, *FORMATS])
    own_reader(name)


def _with_name(path: Path, sentence: str) -> str:
    return sentence if str(path) in sentence else f"{path}: {sentence}"


def _recognise(path: Path) -> str:
    """Return the format of a file by its extension and keys."""
    suffix = path.suffix.lower()
    if suffix == ".bvh":
        return "bvh"
    if suffix == ".npz":
        return "amass"
    if suffix != ".pkl":
        raise UserError(f"it is none of {', '.join(EXTENSIONS)}")
    keys = set(read_pickled_dict(path))
    if {"smpl_poses", "smpl_trans"} <= keys:
        return "aistpp" if "smpl_scaling" in keys else "written"
    if {"pos", "q", "scale"} <= keys:
        return _recognise_split(path)
    if {"transl", "pred_thetas", "pred_camera"} <= keys:
        return "popdance"
    if {"pos", "q"} <= keys:
        return _recognise_sliced(path)
    if keys & KEYPOINT_KEYS:
        raise NotAMotion("it holds no motion but joint positions, as AIST++'s files of keypoints do")
    raise UserError(f"no known format has the keys {', '.join(sorted(map(str, keys))[:8])}")


def _recognise_sliced(path: Path) -> str:
    """Return whose slice a file is: EDGE's are y up, PopDanceSet's y down, and each stands upright in its own."""
    upright = [name for name in _SLICED if is_upright(FORMATS[name](path))]
    if len(upright) != 1:
        raise UserError(f"this sliced motion does not tell whose it is: give format={' or '.join(_SLICED)}")
    return upright[0]


def _recognise_split(path: Path) -> str:
    """EDGE keeps one scale a clip, PopDanceSet one (a camera's) a frame."""
    return "edge_split" if np.size(read_pickled_dict(path)["scale"]) == 1 else "popdance_split"


FORMATS: dict[str, Callable[[Path], MotionFile]] = {
    "aistpp": read_aistpp,
    "edge_split": read_edge_split,
    "edge_sliced": read_edge_sliced,
    "popdance": read_popdance_published,
    "popdance_split": read_popdance_split,
    "popdance_sliced": read_popdance_sliced,
    "amass": read_amass,
    "bvh": read_bvh_motion,
    "written": read_written,
}
