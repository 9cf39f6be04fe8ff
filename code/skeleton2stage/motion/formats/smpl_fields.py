"""SMPL, SMPL-H and SMPL-X motion in a dictionary, under any of the names that the field has for its parts."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_arrays import numbers, one_scale, rotations, smpl_joints
from skeleton2stage.motion.formats.motion_file import RawMotion
from skeleton2stage.motion.motion import BodyShape

# Joints of SMPL without hands, SMPL, SMPL-H, SMPL-X; of their bodies without the pelvis.
ALL_JOINTS, BODY_JOINTS = (24, 52, 55, 22), (23, 21)
POSES = ("poses", "smpl_poses", "pose_aa", "fullpose", "full_pose", "pose", "thetas", "smpl_pose", "smpl_thetas",
         "bodyPose")
ROOT = ("global_orient", "root_orient", "poses_root", "root_pose", "smpl_global_orient")
BODY = ("body_pose", "pose_body", "poses_body", "smpl_body_pose")
TRANSLATION = (
    "trans", "transl", "smpl_trans", "translation", "root_trans", "root_transl", "root_translation", "smpl_transl",
    "global_trans", "global_transl", "trans_world", "bodyTranslation",
)
RATE = ("mocap_framerate", "mocap_frame_rate", "framerate", "frame_rate", "fps", "mocap_fps", "frameRate")
BETAS = ("betas", "beta", "shape", "smpl_betas", "shapes", "shapeParameters")
GENDER = ("gender", "genders", "sex")
FAMILY = ("surface_model_type", "model_type", "model", "body_model")
NAMES = frozenset((*POSES, *ROOT, *BODY, *TRANSLATION, *RATE, *BETAS, *GENDER, *FAMILY))
_GENDERS = {"m": "male", "f": "female", "n": "neutral", "0": "neutral", "1": "male", "2": "female"}


def key_of(content: dict[str, Any], names: Iterable[str]) -> str | None:
    """Return the first of the names that a dictionary has, None if none."""
    return next((name for name in names if content.get(name) is not None), None)


def has_smpl(content: object) -> bool:
    """Return whether a dictionary has rotations and a translation under known names."""
    if not isinstance(content, dict):
        return False
    turned = key_of(content, POSES) or (key_of(content, ROOT) and key_of(content, BODY))
    return bool(turned and key_of(content, TRANSLATION))


def rate_of(content: dict[str, Any]) -> float | None:
    """Return the frame rate in a dictionary, None where it has none."""
    key = key_of(content, RATE)
    return None if key is None else one_scale(numbers(content[key], key))


def poses_in(content: dict[str, Any]) -> np.ndarray:
    """Return rotations [T, 24, 3] rad, in one array or as the pelvis' and the body's."""
    whole, root, body = (key_of(content, names) for names in (POSES, ROOT, BODY))
    if root and body and whole not in ("poses", "fullpose", "pose_aa"):
        parts = (rotations(numbers(content[root], root), root, (1,)),
                 rotations(numbers(content[body], body), body, BODY_JOINTS))
        if len(parts[0]) != len(parts[1]):
            raise UserError(f"its '{root}' has {len(parts[0])} frames, and its '{body}' {len(parts[1])}")
        return smpl_joints(np.concatenate(parts, axis=1))
    return smpl_joints(rotations(numbers(content[whole], whole), whole, ALL_JOINTS))


def translation_in(content: dict[str, Any]) -> np.ndarray:
    """Return the translation [T, 3] m."""
    key = key_of(content, TRANSLATION)
    translation = numbers(content[key], key)
    if translation.ndim < 2 or translation.shape[-1] != 3 or translation.size != 3 * max(translation.shape[:-1]):
        raise UserError(f"its '{key}' is {list(translation.shape)} where [T, 3] was expected")
    return translation.reshape(-1, 3)


def shape_in(content: dict[str, Any], family: str = "") -> BodyShape | None:
    """Return the body shape, the mean over frames where each has its own, None where it has none.

    Of the family that it says itself, or that its poses are of, before the one given.
    """
    key = key_of(content, BETAS)
    if key is None:
        return None
    try:
        betas = np.asarray(content[key], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    betas = betas.reshape(-1, betas.shape[-1]).mean(axis=0) if betas.ndim > 1 and betas.size else betas
    if betas.ndim != 1 or not 0 < betas.size <= 400 or not np.isfinite(betas).all():
        return None
    gender = key_of(content, GENDER)
    sex = gender_of(content[gender]) if gender else "neutral"
    return BodyShape(tuple(float(value) for value in betas), sex, family_in(content) or family)


def family_in(content: dict[str, Any]) -> str:
    """Return smpl, smplh or smplx: as a dictionary says, or by how many joints its poses have; empty where unknown."""
    key = key_of(content, FAMILY)
    said = re.match(r"smpl[hx]?", str(content[key]).strip("b'\"").lower().replace("-", "")) if key else None
    if said:
        return said[0]
    poses = content.get(key_of(content, POSES) or "")
    width = int(np.prod(np.shape(poses)[1:])) if np.ndim(poses) > 1 else 0
    return {72: "smpl", 156: "smplh", 165: "smplx"}.get(width, "")


def gender_of(value: object) -> str:
    """Return neutral, male or female of a text, bytes, or an array of them; neutral for what is none of these."""
    while isinstance(value, np.ndarray | list | tuple):
        value = np.asarray(value, dtype=object).ravel().tolist()
        value = value[0] if value else ""
    text = value.decode("latin1") if isinstance(value, bytes) else str(value)
    text = text.strip().strip("b'\"").lower()  # text of bytes: "b'male'"
    return _GENDERS.get(text[:1], "neutral")


def smpl_motion(
    content: dict[str, Any], fps: float | None, up_axis: str | None, up_told: bool = False, label: str = "",
    notes: tuple[str, ...] = (), family: str = "",
) -> RawMotion:
    """Return the motion of a dictionary; its own frame rate, where it has one, is taken before `fps`, and the family of
    its shape before `family`.
    """
    return RawMotion(
        poses_in(content), translation_in(content), rate_of(content) or fps, up_axis, up_told, label,
        shape_in(content, family), notes,
    )
