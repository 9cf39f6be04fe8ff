"""What is said of files that hold no motion that can be known, by the tool that wrote them, with the way in."""

from typing import Any

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.motion_file import NotAMotion
from skeleton2stage.motion.formats.smpl_fields import BODY, POSES, key_of
from skeleton2stage.motion.formats.tracker_readers import people_with

KEYPOINT_KEYS = {"keypoints2d", "keypoints3d", "keypoints"}
OWN_READER = "docs/extending.md shows a reader of your own (one file, format=my_format.py:read)"
_PLACELESS = (
    "it has poses and a weak-perspective camera (pred_cam) but no place in space, as {tool} write them: track the "
    "video with WHAM, GVHMR or TRAM, which find where people are, or give trans in metres beside the poses"
)


def refusal_of(content: Any) -> UserError:  # noqa: ANN401 - whatever a file holds
    """Return why content of no known format is not read."""
    if isinstance(content, np.ndarray):
        return _array_refusal(content)
    if isinstance(content, list | tuple) or not isinstance(content, dict):
        return UserError(f"it holds a {type(content).__name__} where a dictionary of arrays was expected; {OWN_READER}")
    keys = set(map(str, content))
    if keys & KEYPOINT_KEYS or people_with(content, "keypoints"):
        return NotAMotion("it holds no motion but joint positions or keypoints, as AIST++'s and trackers' files do")
    for tool, needed in (
        ("VIBE, PARE, PyMAF and MEVA", ("pred_cam", "pose")), ("VIBE, PARE and PyMAF", ("orig_cam", "pose")),
        ("HMR2's and TokenHMR's demos", ("pred_cam", "pred_smpl_params")),
    ):
        if people_with(content, *needed):
            return UserError(_PLACELESS.format(tool=tool))
    if {"cam_trans", "smpl_thetas"} <= keys or "results" in keys:
        return UserError(
            "it looks like ROMP's, BEV's or TRACE's results, which have people frame by frame without their names: "
            f"track the video with WHAM, GVHMR or TRAM, or {OWN_READER}"
        )
    if {"camera_rotation", "camera_translation"} <= keys:
        return UserError("it holds one frame, as SMPLify-X writes them: gather the frames into poses [T, 72] and trans")
    if "dof" in keys or "root_rot" in keys or people_with(content, "dof"):
        return UserError("it was retargeted to a robot (dof, root_rot): give the SMPL motion that it was made from")
    if not key_of(content, (*POSES, *BODY)) and keys & {"betas", "shape", "gender"}:
        return NotAMotion("it holds no motion but a body shape")
    if key_of(content, (*POSES, *BODY)):
        return UserError(
            f"no known format has the keys {_listed(keys)}: it has rotations, and no place in space under any name "
            f"known here (trans, transl, …); add trans [T, 3] in metres, or {OWN_READER}"
        )
    return UserError(f"no known format has the keys {_listed(keys)}: {OWN_READER}")


def _listed(keys: set[str]) -> str:
    shown = sorted(keys)[:8]
    return (", ".join(shown) or "of an empty dictionary") + (" …" if len(keys) > len(shown) else "")


def _array_refusal(content: np.ndarray) -> UserError:
    if content.ndim == 2 and content.shape[1] == 251:
        return UserError("it has KIT-ML's 251 features, of a skeleton of 21 joints in millimetres, which is not read")
    if content.ndim == 3 and content.shape[1:] == (21, 3):
        return UserError("it has KIT-ML's 21 joints, in millimetres, which are not read: give HumanML3D's 22")
    return NotAMotion(
        f"it holds no motion known here but an array {content.dtype} {list(content.shape)}, as files of music features "
        f"do; {OWN_READER}"
    )
