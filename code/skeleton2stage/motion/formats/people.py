"""Whose motion a file's content holds: one person's, several people's, or one person's frame by frame."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_arrays import numbers
from skeleton2stage.motion.formats.smpl_fields import (
    BODY,
    GENDER,
    NAMES,
    POSES,
    RATE,
    ROOT,
    TRANSLATION,
    has_smpl,
    key_of,
)

_DEEPEST = 3  # containers around the dictionaries of motion: a file's people are in a list of a list at most


def people_in(content: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - whatever a file holds
    """Return the dictionaries of SMPL motion in a file's content, by whose or which motion it is.

    One in the content itself ("" for its name), or in its entries, or one array for several people [P, T, ...] or
    [T, P, ...], or a list of arrays: each person's part. Entries of a frame each are one motion. What is said once for
    all (rate, gender) is everybody's. Raises UserError where frames are missing.
    """
    found = _found(content, _DEEPEST)
    return {"": next(iter(found.values()))} if len(found) == 1 else found


def frames_first(array: np.ndarray) -> bool:
    """Return whether an array [A, B, ...] of several people's motion is [frames, people, ...].

    There are more frames than people, and along time a motion goes in smaller steps than from one to the next person.
    """
    if array.shape[0] <= array.shape[1]:
        return False
    in_time, between = (float(np.abs(np.diff(array, axis=axis)).mean()) for axis in (0, 1))
    return in_time < between or not between


def _found(content: Any, depth: int) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    if has_smpl(content):
        return _divided(content)
    entries = _entries(content)
    shared = {key: value for key, value in entries.items() if key in (*RATE, *GENDER)}
    own = {str(key): shared | value for key, value in entries.items() if has_smpl(value)}
    if not own and depth:
        for key, value in entries.items():
            inner = _found(value, depth - 1)
            own |= {"_".join(filter(None, (str(key), name))): shared | fields for name, fields in inner.items()}
    if len(own) > 1 and all(_is_frame(fields) for fields in own.values()):
        return {"": _gathered(own)}
    return own


def _entries(content: Any) -> dict[Any, Any]:  # noqa: ANN401
    """Return what a dictionary, a list or an array of objects holds, by name or number."""
    if isinstance(content, np.ndarray) and content.dtype.hasobject:
        content = content.ravel().tolist()
    if isinstance(content, list | tuple):
        containers = dict | list | tuple | np.ndarray
        content = {str(index): part for index, part in enumerate(content) if isinstance(part, containers)}
    return content if isinstance(content, dict) else {}


def _is_frame(fields: dict[str, Any]) -> bool:
    return np.size(fields[key_of(fields, TRANSLATION)]) == 3


def _gathered(frames: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the dictionary of a motion [T, ...] whose frames are dictionaries, in the order of their numbers."""
    names = list(frames)
    if all(name.isdecimal() for name in names):
        names.sort(key=int)
        _check_unbroken([int(name) for name in names])
    first = frames[names[0]]
    motion = dict(first)
    for key in filter(None, (key_of(first, group) for group in (POSES, ROOT, BODY, TRANSLATION))):
        rows = [numbers(frames[name].get(key), key).ravel() for name in names]
        if len({len(row) for row in rows}) > 1:
            raise UserError(f"its frames have each another number of values under '{key}'")
        motion[key] = np.stack(rows)
    return motion


def _check_unbroken(frames: list[int]) -> None:
    missing = frames[-1] - frames[0] + 1 - len(frames)
    if missing:
        raise UserError(
            f"it has frames {frames[0]} to {frames[-1]} and lacks {missing} of them: fill them in, or give each "
            "stretch a file"
        )


def _divided(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a dictionary's people: more than one where its translation is [P, T, 3], [T, P, 3] or a list of [T, 3]."""
    value = content[key_of(content, TRANSLATION)]
    listed = isinstance(value, list | tuple) and len(value) and np.ndim(value[0]) == 2
    stacked = isinstance(value, np.ndarray) and value.ndim == 3 and min(value.shape[:2]) > 1
    if not listed and not stacked:
        return {"": content}
    if stacked and value.dtype.kind in "fiu" and frames_first(value):
        content = {name: _people_first(field, value.shape[:2]) for name, field in content.items()}
        value = np.swapaxes(value, 0, 1)
    n_people = len(value)
    return {
        str(person): {name: _part(field, person, n_people) for name, field in content.items() if name in NAMES}
        for person in range(n_people)
    }


def _people_first(field: Any, shape: Iterable[int]) -> Any:  # noqa: ANN401
    """Return a field [T, P, ...] as [P, T, ...], and others as they are."""
    of_both = isinstance(field, np.ndarray) and field.shape[:2] == tuple(shape)
    return np.swapaxes(field, 0, 1) if of_both else field


def _part(value: Any, person: int, n_people: int) -> Any:  # noqa: ANN401
    """Return a person's part of a list or an array with an entry a person; other values are everybody's."""
    several = isinstance(value, list | tuple | np.ndarray) and np.ndim(value) != 0 and len(value) == n_people
    return value[person] if several else value
