"""What a user wants kept of a dance: a motion file, and which of its seconds and joints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dance_model.sampling.editing import Constraint
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.files import read_pickle
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.skeleton import joint_names

ROOT = "translation"  # the pelvis' place, kept or not like a joint
UPPER = (
    "spine1", "spine2", "spine3", "neck", "head", "left_collar", "right_collar", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
)
JOINTS_KEY, ROOT_KEY = "keep_joints", "keep_translation"


def read_constraint(path: Path, spans_s: Sequence[Sequence[float]], parts: Sequence[str]) -> Constraint:
    """Return what to keep of the motion in a file, whose first frame is the dance's first.

    spans_s: stretches [start, end) in seconds; all of the motion where empty. parts: joint names, "translation",
    "upper" (all above the pelvis), "lower" (the others and the translation); everything where empty. A .pkl
    may hold masks of its own instead: keep_joints [T, 24] and keep_translation [T], where what is true is kept.
    Raises UserError for a name or a stretch that does not exist.
    """
    motion = read_motion(path)
    masks = _masks_in(path)
    if masks is not None:
        if spans_s or parts:
            raise UserError(f"{path} holds masks of its own: leave keep_s and keep_joints out")
        return Constraint(motion, *masks)
    frames = _frames(motion, spans_s, path)
    joints, root = _parts(parts)
    last = int(np.flatnonzero(frames)[-1]) + 1
    return Constraint(motion.slice(0, last), frames[:last, None] & joints, frames[:last] & root)


def _masks_in(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    if path.suffix != ".pkl":
        return None
    content: Any = read_pickle(path)
    if not isinstance(content, dict) or JOINTS_KEY not in content:
        return None
    if ROOT_KEY not in content:
        raise UserError(f"{path} has {JOINTS_KEY} but no {ROOT_KEY}: give both, [T, 24] and [T]")
    return np.asarray(content[JOINTS_KEY], dtype=bool), np.asarray(content[ROOT_KEY], dtype=bool)


def _frames(motion: Motion, spans_s: Sequence[Sequence[float]], path: Path) -> np.ndarray:
    """Return which frames lie in the stretches, [T] bool."""
    kept = np.zeros(len(motion), dtype=bool)
    for span in spans_s or ((0.0, motion.duration_s),):
        if len(span) != 2 or not 0 <= span[0] < span[1] <= motion.duration_s + 0.5 / FPS:
            raise UserError(
                f"keep_s has the stretch {list(span)}, but {path.name} lasts {motion.duration_s:g} s: give "
                "[[start,end],...] within it"
            )
        kept[round(span[0] * FPS) : round(span[1] * FPS)] = True
    if not kept.any():
        raise UserError(f"keep_s={[list(span) for span in spans_s]} holds no frame: stretches are at least 1/30 s long")
    return kept


def _parts(parts: Sequence[str]) -> tuple[np.ndarray, bool]:
    """Return which joints are kept, [24] bool, and whether the translation is."""
    names = joint_names()
    groups = {
        "upper": set(UPPER),
        "lower": set(names) - set(UPPER) | {ROOT},
        **{name: {name} for name in (*names, ROOT)},
    }
    chosen: set[str] = set()
    for part in parts or ("upper", "lower"):
        if part not in groups:
            raise unknown_name("part of the body in keep_joints", part, list(groups))
        chosen |= groups[part]
    return np.array([name in chosen for name in names]), ROOT in chosen
