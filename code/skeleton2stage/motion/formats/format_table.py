"""The kinds of motion files, each with what tells it and what reads it; the first that a file's content fits is taken.

| name | content |
| --- | --- |
| aistpp | AIST++ pickle: smpl_poses, smpl_trans, smpl_scaling; y up, 60 fps |
| edge_split, edge_sliced | EDGE's pickles of pos, q (and scale, by which pos is still to be divided); y up, 60 fps |
| popdance | PopDanceSet as published: transl, pred_thetas, pred_camera; y down, 30 fps |
| popdance_split, popdance_sliced | PopDanceSet's pickles of pos, q (and scale, to multiply by); y down, 30 fps |
| written | what EDGE and Skeleton2Stage write: smpl_poses, smpl_trans, full_pose; z up, 30 fps |
| lodge | EDGE's written form of SMPL-H or SMPL-X, as Lodge and FineDance write it: smpl_poses [T, 66, …]; 30 fps |
| gdance | AIOZ-GDance's groups: smpl_poses [P, T, 72], root_trans; 30 fps |
| 3dpw, emdb | 3DPW's and EMDB's pickles: poses and trans of several people; `smpl` of one; 30 fps |
| wham, gvhmr, prompthmr, tram, slahmr | video trackers' results in a world, of one person or several; 30 fps assumed |
| phalp | the tracks of PHALP and 4D-Humans, in the camera's frame; 30 fps assumed |
| phc | PHC's joblib files of clips; z up |
| amass | AMASS npz of SMPL-H or SMPL-X: poses or its parts, trans, mocap_framerate or mocap_frame_rate; z up |
| smpl | SMPL parameters under any of the field's names, npz, pickle, npy or pt; which way is up tell head and feet |
| mdm, mdm_smpl | MDM's results.npy (joints) and its fitted SMPL parameters; y up, 20 fps |
| motionx, finedance | arrays [T, 322]; [T, 315] and relatives of 6D rotations; 30 fps assumed |
| humanml3d | features [T, 263], or joints [T, 22, 3] if named; y up, 20 fps |
| joints | joint positions [T, 22, 3] of SMPL's skeleton, or more joints of SMPL-H's or SMPL-X's; no rate is in them |
| bailando, positions | joint positions [T, 24, 3]: y up and 60 fps; z up and 30 fps |
| bvh | Biovision hierarchy of any skeleton with recognisable joints, retargeted |
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage.motion.formats.file_arrays import POSE_WIDTH
from skeleton2stage.motion.formats.file_content import npy_header
from skeleton2stage.motion.formats.humanml3d import FEATURE_WIDTH
from skeleton2stage.motion.formats.motion_file import RawMotion
from skeleton2stage.motion.formats.people import people_in
from skeleton2stage.motion.formats.readers import (
    RATE_KEYS,
    read_aistpp,
    read_amass,
    read_edge_sliced,
    read_edge_split,
    read_gdance,
    read_popdance_published,
    read_popdance_sliced,
    read_popdance_split,
    read_smpl,
    read_video_set,
    read_written,
    read_written_of_others,
)
from skeleton2stage.motion.formats.smpl_fields import key_of
from skeleton2stage.motion.formats.tracker_readers import (
    GVHMR_KEYS,
    IN_CAMERA_KEYS,
    is_phalp,
    is_prompthmr,
    people_with,
    read_gvhmr,
    read_phalp,
    read_prompthmr,
    read_slahmr,
    read_tram,
    read_wham,
)
from skeleton2stage.motion.formats.vector_readers import (
    JOINT_COUNTS,
    JOINT_KEYS,
    MOTIONX_WIDTH,
    ROT6D_LAYOUTS,
    read_bailando,
    read_humanml3d,
    read_joints,
    read_mdm,
    read_mdm_smpl,
    read_motionx,
    read_phc,
    read_positions,
    read_rot6d,
)


@dataclass(frozen=True)
class FileFormat:
    """A kind of motion files: `fits` says whether a file's content is of it, `read` returns the motions in it."""

    name: str
    fits: Callable[[Any], bool]
    read: Callable[[Any, Path], list[RawMotion]]


def _keys(*keys: str) -> Callable[[Any], bool]:
    return lambda content: isinstance(content, dict) and all(key in content for key in keys)


def _any_key(*keys: str) -> Callable[[Any], bool]:
    return lambda content: isinstance(content, dict) and any(key in content for key in keys)


def _people(*keys: str) -> Callable[[Any], bool]:
    return lambda content: bool(people_with(content, *keys))


def _wide(*widths: int) -> Callable[[Any], bool]:
    return lambda content: isinstance(content, np.ndarray) and content.dtype.kind in "fiu" and _width(content) in widths


def _width(array: np.ndarray) -> int:
    inner = array[0] if array.ndim == 3 and len(array) == 1 else array
    return inner.shape[1] if inner.ndim == 2 else 0


def _scales(content: dict[str, Any], one: bool) -> bool:
    """EDGE keeps one scale a clip, PopDanceSet one (a camera's) a frame."""
    return _keys("pos", "q", "scale")(content) and (np.size(content["scale"]) == 1) == one


def _is_written(content: object) -> bool:
    return _keys("smpl_poses", "smpl_trans")(content) and "smpl_scaling" not in content


def _is_written_of_others(content: object) -> bool:
    return _is_written(content) and np.shape(content["smpl_poses"])[1:] in ((66,), (156,), (165,))


def _is_mdm_fit(content: object) -> bool:
    return _keys("thetas", "root_translation")(content) and np.shape(content["thetas"])[1:2] == (6,)


def _is_amass(content: object) -> bool:
    if not isinstance(content, dict):
        return False
    width = np.shape(content["poses"])[-1:] if np.ndim(content.get("poses")) == 2 else ()
    in_parts = bool(RATE_KEYS & set(content)) and {"trans", "root_orient"} <= set(content)
    return in_parts or width in ((156,), (165,))


def _is_slahmr(content: object) -> bool:
    return _keys("root_orient", "pose_body", "trans")(content) and np.ndim(content["trans"]) == 3


def _is_joints(content: object) -> bool:
    if isinstance(content, dict):
        held = content.get(key_of(content, JOINT_KEYS) or "")
        return isinstance(held, np.ndarray) and held.ndim > 2 and held.shape[-1] == 3 and held.shape[-2] in JOINT_COUNTS
    if not isinstance(content, np.ndarray) or content.dtype.kind not in "fiu" or content.ndim < 2:
        return False
    if content.ndim == 2:
        return content.shape[1] == 66
    several_of_24 = content.shape[-2] != 24 or content.ndim > 3
    return content.shape[-1] == 3 and content.shape[-2] in JOINT_COUNTS and several_of_24


def is_smpl_positions(content: object) -> bool:
    """Return whether content is an array of 24 joints a frame, or Bailando's dictionary of one."""
    if _any_key("pred_position")(content):
        return True
    is_array = isinstance(content, np.ndarray) and content.dtype.kind in "fiu"
    return is_array and content.shape[1:] in ((POSE_WIDTH,), (24, 3))


# PopDanceSet's and EDGE's slices have the same keys, and Bailando's positions the shape of EDGE's: of those that fit,
# the one in which the dancer stands upright is taken.
FILE_FORMATS = (
    FileFormat("aistpp", _keys("smpl_poses", "smpl_trans", "smpl_scaling"), read_aistpp),
    FileFormat("lodge", _is_written_of_others, read_written_of_others),
    FileFormat("written", _is_written, read_written),
    FileFormat("edge_split", lambda content: _scales(content, one=True), read_edge_split),
    FileFormat("popdance_split", lambda content: _scales(content, one=False), read_popdance_split),
    FileFormat("popdance", _keys("transl", "pred_thetas", "pred_camera"), read_popdance_published),
    FileFormat("edge_sliced", _keys("pos", "q"), read_edge_sliced),
    FileFormat("popdance_sliced", _keys("pos", "q"), read_popdance_sliced),
    FileFormat("gdance", _keys("smpl_poses", "root_trans"), read_gdance),
    FileFormat("3dpw", _keys("poses", "trans", "cam_poses"), read_video_set),
    FileFormat("emdb", _keys("smpl", "good_frames_mask"), read_video_set),
    FileFormat("gvhmr", _any_key(*GVHMR_KEYS, *IN_CAMERA_KEYS), read_gvhmr),
    FileFormat("prompthmr", is_prompthmr, read_prompthmr),
    FileFormat("wham", _people("pose_world", "trans_world"), read_wham),
    FileFormat("tram", _people("pred_rotmat", "pred_trans"), read_tram),
    FileFormat("phalp", is_phalp, read_phalp),
    FileFormat("phc", _people("pose_aa", "root_trans_offset"), read_phc),
    FileFormat("slahmr", _is_slahmr, read_slahmr),
    FileFormat("mdm", _keys("motion", "lengths"), read_mdm),
    FileFormat("mdm_smpl", _is_mdm_fit, read_mdm_smpl),
    FileFormat("amass", _is_amass, read_amass),
    FileFormat("smpl", lambda content: bool(people_in(content)), read_smpl),
    FileFormat("motionx", _wide(MOTIONX_WIDTH), read_motionx),
    FileFormat("finedance", _wide(*ROT6D_LAYOUTS), read_rot6d),
    FileFormat("humanml3d", _wide(FEATURE_WIDTH), read_humanml3d),
    FileFormat("bailando", is_smpl_positions, read_bailando),
    FileFormat("positions", is_smpl_positions, read_positions),
    FileFormat("joints", _is_joints, read_joints),
)
EITHER_WAY_UP = (("edge_sliced", "popdance_sliced"), ("bailando", "positions"))


def may_hold_motion(path: Path) -> bool:
    """Return whether a file may hold motion: not an .npy array of a width that no kind has, as music features are."""
    if path.suffix.lower() != ".npy":
        return True
    header = npy_header(path)
    if header is None or header[1].hasobject:
        return True
    like = np.broadcast_to(np.zeros((), header[1]), header[0])
    return any(kind.fits(like) for kind in FILE_FORMATS)
