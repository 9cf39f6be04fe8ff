"""Readers of dance data sets and of what dance models write, and of AMASS and plain SMPL files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_arrays import array_of, named, one_scale, poses_of
from skeleton2stage.motion.formats.motion_file import NotAMotion, RawMotion
from skeleton2stage.motion.formats.people import people_in
from skeleton2stage.motion.formats.smpl_fields import (
    TRANSLATION,
    has_smpl,
    key_of,
    poses_in,
    rate_of,
    shape_in,
    smpl_motion,
    translation_in,
)
from skeleton2stage.motion.motion import FPS

# PopDanceSet was estimated from video, whose camera stands 5 m from the dancer and 1 m over the floor: (0, -5, 1) z up.
POPDANCE_SHIFT_M = np.array([0.0, -1.0, -5.0])
# What lies beside motions under their extensions: AMASS's fits of the body shape.
SHAPE_SUFFIX = "_stagei"
# AMASS's names for the frame rate.
RATE_KEYS = {"mocap_framerate", "mocap_frame_rate"}
FINGERS_LOST = "fingers and face are left at rest"


def read_aistpp(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401 - whatever a file holds
    """Read AIST++'s pickle: smpl_poses, smpl_trans, smpl_scaling; y up, 60 fps."""
    content = named(content)
    translation = array_of(content, "smpl_trans") / one_scale(array_of(content, "smpl_scaling"))
    return [RawMotion(poses_of(content, "smpl_poses"), translation, 60.0, "y")]


def read_edge_split(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read EDGE's split pickle, whose positions are still to be divided by their scale; y up, 60 fps."""
    content = named(content)
    translation = array_of(content, "pos") / one_scale(array_of(content, "scale"))
    return [RawMotion(poses_of(content, "q"), translation, 60.0, "y")]


def read_edge_sliced(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read EDGE's sliced pickle; y up, 60 fps."""
    content = named(content)
    return [RawMotion(poses_of(content, "q"), array_of(content, "pos"), 60.0, "y")]


def read_popdance_published(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read PopDanceSet's pickle as published: transl, pred_thetas, pred_camera; y down, 30 fps."""
    content = named(content)
    names = {"pos": "transl", "q": "pred_thetas", "scale": "pred_camera"}
    renamed = {key: array_of(content, name) for key, name in names.items()}
    return _popdance(renamed, _popdance_position(renamed))


def read_popdance_split(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read PopDanceSet's split pickle, whose positions are still to be multiplied by their scales."""
    content = named(content)
    return _popdance(content, _popdance_position(content))


def read_popdance_sliced(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read PopDanceSet's sliced pickle."""
    content = named(content)
    return _popdance(content, array_of(content, "pos"))


def _popdance_position(content: dict[str, Any]) -> np.ndarray:
    """Return positions [T, 3] times their scales, one, [T], [T, 1] or [T, 3]."""
    position, scale = array_of(content, "pos"), array_of(content, "scale")
    if scale.ndim == 1 and len(scale) == len(position):
        scale = scale[:, None]
    try:
        return np.broadcast_to(position * scale, position.shape)
    except ValueError:
        raise UserError(f"its 'scale' {list(scale.shape)} does not fit its 'pos' {list(position.shape)}") from None


def _popdance(content: dict[str, Any], position: np.ndarray) -> list[RawMotion]:
    poses = poses_of(content, "q")
    shift = POPDANCE_SHIFT_M if position.shape[1:] == (3,) else 0.0  # another width is told of as a wrong translation
    return [RawMotion(poses, position + shift, 30.0, "-y")]


def read_written(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read the form that EDGE and Skeleton2Stage write: smpl_poses, smpl_trans; z up, 30 fps."""
    content = named(content)
    raw = RawMotion(poses_of(content, "smpl_poses"), array_of(content, "smpl_trans"), FPS, "z")
    return [replace(raw, shape=shape_in(content))]


def read_written_of_others(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read EDGE's written form of SMPL-H or SMPL-X, as Lodge and FineDance write it; head and feet tell what is up."""
    return [smpl_motion(named(content), FPS, None, notes=(FINGERS_LOST,))]


def read_amass(content: Any, path: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read AMASS's npz of SMPL-H or SMPL-X, and what is written in its layout: poses or its parts, trans; z up."""
    content = named(content)
    if path.stem.endswith(SHAPE_SUFFIX):
        raise NotAMotion("it holds no motion but a body shape, as AMASS's stagei files do")
    if not has_smpl(content):
        if "poses" in content or key_of(content, TRANSLATION):
            array_of(content, "poses" if "poses" not in content else "trans")
        raise NotAMotion("it holds no motion (no 'poses'), as AMASS's files of body shapes do not")
    raw = RawMotion(poses_in(content), translation_in(content), rate_of(content), "z", up_told=False)
    return [replace(raw, shape=shape_in(content), notes=(FINGERS_LOST,))]


def read_smpl(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read SMPL motion under any of the field's names, of one person or several; which way is up tell head and feet."""
    people = people_in(content)
    if not people:
        named(content)
        raise UserError("it has no rotations and translation of SMPL's under any name known here")
    # Who names the rate as AMASS does has AMASS's axes.
    usual = "z" if isinstance(content, dict) and RATE_KEYS & set(content) else None
    return [smpl_motion(fields, None, usual, label=label) for label, fields in people.items()]


def read_gdance(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read AIOZ-GDance's pickle of a group: smpl_poses [P, T, 72], root_trans [P, T, 3]; 30 fps."""
    return [smpl_motion(fields, FPS, "y", label=label) for label, fields in people_in(content).items()]


def read_video_set(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read 3DPW's and EMDB's pickles: poses and trans, a list for several people, or `smpl`; 30 fps."""
    return [smpl_motion(fields, FPS, None, label=label) for label, fields in people_in(content).items()]
