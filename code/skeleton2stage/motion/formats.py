"""The motion files of the field: one reader a format, all giving `Motion`, z up, 30 frames a second.

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

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.files import read_pickle, write_pickle
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.bvh import read_bvh
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.resample import resample_linear, resample_rotations
from skeleton2stage.motion.retarget import RetargetReport, retarget

AUTO = "auto"
EXTENSIONS = (".pkl", ".npz", ".bvh")
POSE_WIDTH = skeleton.N_JOINTS * 3
SMPLH_BODY_JOINTS = 22
HANDS = (22, 23)
# A head lower than this over the feet, on average over a clip, means that the axes were misread.
MIN_HEAD_OVER_FEET_M = 0.3
# Axis-angle needs no more than pi, and fits that go round with a dancer some turns in some frames.
MAX_ANGLE_RAD = 4.0 * np.pi
# PopDanceSet was estimated from video, whose camera stands 5 m from the dancer and 1 m over the floor.
POPDANCE_SHIFT_M = np.array([0.0, -5.0, 1.0])
_SLICED = ("edge_sliced", "popdance_sliced")
# What lies beside motions under their extensions: AMASS's fits of the body shape, AIST++'s joint positions.
SHAPE_SUFFIX = "_stagei"
KEYPOINT_KEYS = {"keypoints2d", "keypoints3d"}


@dataclass(frozen=True)
class MotionFile:
    """A motion as read, and what was found in its file.

    source_fps: frame rate of the file. up_axis: the file's axis that points up, "-y" for y down.
    source_frames: frames in the file. retargeting: how well a foreign skeleton went over, if it was one.
    """

    motion: Motion
    format: str
    source_fps: float
    up_axis: str
    source_frames: int
    retargeting: RetargetReport | None = None


@dataclass(frozen=True)
class _Raw:
    """Poses and pelvis as a file has them: [T, 24, 3] rad, [T, 3] m, in the file's axes."""

    poses: np.ndarray
    translation: np.ndarray
    fps: float
    up_axis: str


class NotAMotion(UserError):  # noqa: N818 - it says what the file is
    """A well-formed file of the data set that holds no motion, such as AMASS's shape files."""


class NotUpright(UserError):  # noqa: N818 - it says what the motion is
    """A motion whose head is not over its feet: misread axes, or someone who lies down throughout."""


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
        name = format if format != AUTO else _recognise(path)
        if fps is not None and name != "bvh":
            raise UserError(f"a frame rate can be given for bvh files only, and {path} is {name}")
        found = _read_bvh(path, fps) if name == "bvh" else FORMATS[name](path)
        _check_upright(found)
    except UserError as error:
        raise type(error)(_with_name(path, str(error))) from None
    return found


def check_format(name: str) -> None:
    """Raise UserError, listing the known formats, for a name that is none."""
    if name not in (AUTO, *FORMATS):
        raise unknown_name("motion format", name, [AUTO, *FORMATS])


def _with_name(path: Path, sentence: str) -> str:
    return sentence if str(path) in sentence else f"{path}: {sentence}"


def head_over_feet(joints_w: np.ndarray, axis: int = 2) -> float:
    """Return the mean height (m) of the head over the ankles along an axis, z's by default, of [T, 24, 3] m."""
    head, ankles = joints_w[:, skeleton.joint_index("head"), axis], joints_w[:, [7, 8], axis].mean(axis=1)
    return float((head - ankles).mean())


def _check_upright(found: MotionFile) -> None:
    joints_w = found.motion.joints()
    height, along_y = head_over_feet(joints_w), head_over_feet(joints_w, axis=1)
    if height < MIN_HEAD_OVER_FEET_M:
        turned = ""
        if along_y >= MIN_HEAD_OVER_FEET_M:
            turned = f" and {along_y:.2f} m along y, so that y seems to be up in it: turn it z up, or"
        raise NotUpright(
            f"read as {found.format} ({found.up_axis} up), its head is on average {height:.2f} m over its feet"
            f"{turned or ': this is another format, or the dancer lies down throughout;'} name the format"
        )


def _recognise(path: Path) -> str:
    """Return the format of a file by its extension and keys."""
    suffix = path.suffix.lower()
    if suffix == ".bvh":
        return "bvh"
    if suffix == ".npz":
        return "amass"
    if suffix != ".pkl":
        raise UserError(f"it is none of {', '.join(EXTENSIONS)}")
    keys = set(_pickled_dict(path))
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
    upright = [name for name in _SLICED if _stands(FORMATS[name](path))]
    if len(upright) != 1:
        raise UserError(f"this sliced motion does not tell whose it is: give format={' or '.join(_SLICED)}")
    return upright[0]


def _stands(found: MotionFile) -> bool:
    try:
        _check_upright(found)
    except NotUpright:
        return False
    return True


def _recognise_split(path: Path) -> str:
    """EDGE keeps one scale a clip, PopDanceSet one (a camera's) a frame."""
    return "edge_split" if np.size(_pickled_dict(path)["scale"]) == 1 else "popdance_split"


def _pickled_dict(path: Path) -> dict[str, Any]:
    content = read_pickle(path)
    if not isinstance(content, dict):
        raise UserError(f"it holds a {type(content).__name__} where a dictionary of arrays was expected")
    return content


def _array(content: dict[str, Any], key: str) -> np.ndarray:
    if key not in content:
        raise UserError(f"it lacks '{key}'; it has {', '.join(sorted(map(str, content))[:8]) or 'nothing'}")
    try:
        return np.asarray(content[key], dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(f"its '{key}' is not an array of numbers") from None


def _poses(content: dict[str, Any], key: str) -> np.ndarray:
    """Return poses [T, 24, 3] of [T, 72] or [T, 24, 3]."""
    poses = _array(content, key)
    if poses.shape[1:] not in ((POSE_WIDTH,), (skeleton.N_JOINTS, 3)):
        raise UserError(f"its '{key}' is {list(poses.shape)} where [T, {POSE_WIDTH}] (24 joints) was expected")
    return poses.reshape(-1, skeleton.N_JOINTS, 3)


def _finished(format_name: str, raw: _Raw) -> MotionFile:
    """Return z-up motion at 30 fps of what a file holds."""
    checked = Motion(raw.poses, raw.translation, raw.fps)
    _check_radians(checked.poses)
    poses, translation = _turned_up(checked.poses, checked.translation, raw.up_axis)
    motion = to_fps(replace(checked, poses=poses, translation=translation), FPS)
    return MotionFile(motion, format_name, raw.fps, raw.up_axis, len(checked))


def _check_radians(poses: np.ndarray) -> None:
    """Raise UserError where most poses [T, 24, 3] have an angle that only degrees reach."""
    largest = float(np.median(np.linalg.norm(poses, axis=-1).max(axis=1)))
    if largest > MAX_ANGLE_RAD:
        raise UserError(f"its rotations reach {largest:.0f} rad in most frames: give radians, these look like degrees")


def _turned_up(poses: np.ndarray, translation: np.ndarray, up_axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Return poses and pelvis turned about x so that a file's up axis, "z", "y" or "-y", becomes z."""
    if up_axis == "z":
        return poses, translation
    angle = np.pi / 2 if up_axis == "y" else -np.pi / 2
    turn = roma.rotvec_to_rotmat(torch.tensor([angle, 0.0, 0.0], dtype=torch.float64))
    root = turn @ roma.rotvec_to_rotmat(torch.from_numpy(poses[:, 0]).double())
    poses = poses.copy()
    poses[:, 0] = roma.rotmat_to_rotvec(root).numpy()
    return poses, translation @ turn.numpy().T


def to_fps(motion: Motion, fps: float) -> Motion:
    """Return a motion at another frame rate: every n-th frame where that is exact, as EDGE does, else slerp."""
    ratio = motion.fps / fps
    if abs(ratio - round(ratio)) < 1e-3:
        step = round(ratio)
        contacts = None if motion.contacts is None else motion.contacts[::step]
        return Motion(motion.poses[::step], motion.translation[::step], fps, contacts)
    rotmat = roma.rotvec_to_rotmat(torch.from_numpy(motion.poses).double())
    poses = roma.rotmat_to_rotvec(resample_rotations(rotmat, motion.fps, fps)).numpy()
    translation = resample_linear(torch.from_numpy(motion.translation), motion.fps, fps).numpy()
    return Motion(poses, translation, fps)


def _read_aistpp(path: Path) -> MotionFile:
    content = _pickled_dict(path)
    translation = _array(content, "smpl_trans") / _one_scale(_array(content, "smpl_scaling"))
    return _finished("aistpp", _Raw(_poses(content, "smpl_poses"), translation, 60.0, "y"))


def _one_scale(scale: np.ndarray) -> float:
    if scale.size != 1 or not np.isfinite(scale).all() or scale.item() <= 0:
        raise UserError(f"its scale is {np.array2string(scale.ravel()[:4])} where one positive number was expected")
    return scale.item()


def _read_edge_split(path: Path) -> MotionFile:
    content = _pickled_dict(path)
    translation = _array(content, "pos") / _one_scale(_array(content, "scale"))
    return _finished("edge_split", _Raw(_poses(content, "q"), translation, 60.0, "y"))


def _read_edge_sliced(path: Path) -> MotionFile:
    content = _pickled_dict(path)
    return _finished("edge_sliced", _Raw(_poses(content, "q"), _array(content, "pos"), 60.0, "y"))


def _read_popdance_published(path: Path) -> MotionFile:
    content = _pickled_dict(path)
    names = {"pos": "transl", "q": "pred_thetas", "scale": "pred_camera"}
    renamed = {key: _array(content, name) for key, name in names.items()}
    return _popdance("popdance", renamed, _popdance_position(renamed))


def _read_popdance_split(path: Path) -> MotionFile:
    content = _pickled_dict(path)
    return _popdance("popdance_split", content, _popdance_position(content))


def _popdance_position(content: dict[str, Any]) -> np.ndarray:
    """Return positions [T, 3] times their scales, one, [T], [T, 1] or [T, 3]."""
    position, scale = _array(content, "pos"), _array(content, "scale")
    if scale.ndim == 1 and len(scale) == len(position):
        scale = scale[:, None]
    try:
        return np.broadcast_to(position * scale, position.shape)
    except ValueError:
        raise UserError(f"its 'scale' {list(scale.shape)} does not fit its 'pos' {list(position.shape)}") from None


def _read_popdance_sliced(path: Path) -> MotionFile:
    content = _pickled_dict(path)
    return _popdance("popdance_sliced", content, _array(content, "pos"))


def _popdance(format_name: str, content: dict[str, Any], position: np.ndarray) -> MotionFile:
    found = _finished(format_name, _Raw(_poses(content, "q"), position, 30.0, "-y"))
    return replace(found, motion=found.motion.shifted(POPDANCE_SHIFT_M))


def _read_written(path: Path) -> MotionFile:
    content = _pickled_dict(path)
    raw = _Raw(_poses(content, "smpl_poses"), _array(content, "smpl_trans"), FPS, "z")
    return _finished("written", raw)


def _read_amass(path: Path) -> MotionFile:
    if path.stem.endswith(SHAPE_SUFFIX):
        raise NotAMotion("it holds no motion but a body shape, as AMASS's stagei files do")
    content = _npz(path)
    if "poses" not in content:
        raise NotAMotion("it holds no motion (no 'poses'), as AMASS's files of body shapes do not")
    poses = _array(content, "poses")
    if poses.ndim != 2 or poses.shape[1] not in (156, 165):
        raise UserError(f"its 'poses' is {list(poses.shape)} where [T, 156] (SMPL-H) or [T, 165] (SMPL-X) was expected")
    rate_key = "mocap_frame_rate" if "mocap_frame_rate" in content else "mocap_framerate"
    body = np.zeros((len(poses), skeleton.N_JOINTS, 3))
    # SMPL-H and SMPL-X agree on 22 body joints; SMPL's two hand joints stay straight.
    body[:, :SMPLH_BODY_JOINTS] = poses[:, : SMPLH_BODY_JOINTS * 3].reshape(-1, SMPLH_BODY_JOINTS, 3)
    rate = _one_scale(_array(content, rate_key))
    return _finished("amass", _Raw(body, _array(content, "trans"), rate, "z"))


def _npz(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            wanted = ("poses", "trans", "mocap_framerate", "mocap_frame_rate")
            return {key: file[key] for key in file.files if key in wanted}
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"it is damaged or not an npz file ({error}): copy it again") from None


def _read_bvh(path: Path, fps: float | None = None) -> MotionFile:
    bvh = read_bvh(path)
    if fps is not None:
        bvh = replace(bvh, frame_time_s=1.0 / fps)
    motion, report = retarget(bvh)
    return MotionFile(motion, "bvh", bvh.fps, report.up_axis, len(bvh), report)


FORMATS: dict[str, Callable[[Path], MotionFile]] = {
    "aistpp": _read_aistpp,
    "edge_split": _read_edge_split,
    "edge_sliced": _read_edge_sliced,
    "popdance": _read_popdance_published,
    "popdance_split": _read_popdance_split,
    "popdance_sliced": _read_popdance_sliced,
    "amass": _read_amass,
    "bvh": _read_bvh,
    "written": _read_written,
}


def write_motion(path: Path, motion: Motion) -> None:
    """Write a motion in the field's written form, float32: axis-angle [T, 72], pelvis [T, 3] and, under EDGE's
    name full_pose, joint positions [T, 24, 3] m. Raises UserError for another frame rate than 30.
    """
    if motion.fps != FPS:
        raise UserError(f"the written form is at {FPS:g} frames a second, not {motion.fps:g}")
    write_pickle(path, {
        "smpl_poses": motion.poses.reshape(-1, POSE_WIDTH),
        "smpl_trans": motion.translation,
        "full_pose": motion.joints().astype(np.float32),
    })


def motion_files(path: Path, extensions: tuple[str, ...] = EXTENSIONS) -> list[Path]:
    """Return a motion file itself, or those under a folder, sorted; raise UserError where there are none."""
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path} does not exist")
    files = sorted(
        file for file in path.rglob("*")
        if file.suffix.lower() in extensions and not file.name.startswith(".") and file.is_file()
    )
    if not files:
        raise UserError(f"{path} holds no motion files ({', '.join(extensions)})")
    return files
