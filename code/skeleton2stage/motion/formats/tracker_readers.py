"""Readers of what video trackers write: a person or several, in the world or as a camera sees them.

None of them writes the video's frame rate. They are read at 30 frames a second, which is said; `format=NAME@RATE`
gives another one. A world has y up; a camera's frame has y down, and is turned upright as if it had been held level.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch

from skeleton2stage.arrays import read_npy
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_arrays import named, numbers, rotations, smpl_joints
from skeleton2stage.motion.formats.frame_gaps import bridged, frame_numbers, stretches
from skeleton2stage.motion.formats.motion_file import RawMotion
from skeleton2stage.motion.formats.people import people_in
from skeleton2stage.motion.formats.smpl_fields import has_smpl, shape_in, smpl_motion
from skeleton2stage.motion.motion import FPS, BodyShape
from skeleton2stage.tool_pickles import loads

RATE_ASSUMED = "the video's rate is not in it: 30 fps assumed, format=NAME@RATE gives another"
AS_THE_CAMERA_SAW = "in the camera's frame, turned upright as if the camera had been held level"
GVHMR_KEYS = ("smpl_params_global", "body_params_global")
IN_CAMERA_KEYS = ("smpl_params_incam", "body_params_incam")
_PROMPTHMR = {"smplx_world": "y", "smplx_cam": "-y"}


def people_with(content: object, *keys: str) -> dict[str, dict[str, Any]]:
    """Return the dictionaries that have all keys: the content itself (named ""), or its entries by their names."""
    if not isinstance(content, dict):
        return {}
    if all(key in content for key in keys):
        return {"": content}
    return {
        str(name): entry for name, entry in content.items()
        if isinstance(entry, dict) and all(key in entry for key in keys)
    }


def read_wham(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401 - whatever a file holds
    """Read WHAM's wham_output.pkl: {person: {pose_world, trans_world, betas, frame_ids}}; y up."""
    found = []
    for label, person in _people(content, "pose_world", "trans_world").items():
        fields = {"poses": person["pose_world"], "trans": person["trans_world"], "betas": person.get("betas")}
        raw = smpl_motion(fields, FPS, "y", label=label, notes=(RATE_ASSUMED,))
        found += _unbroken(raw, person.get("frame_ids"))
    return found


def read_gvhmr(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read GVHMR's hmr4d_results.pt, or GENMO's: global_orient, body_pose, transl in a world with y up."""
    content = named(content)
    for key in (*GVHMR_KEYS, *IN_CAMERA_KEYS):
        if not has_smpl(content.get(key)):
            continue
        if key in GVHMR_KEYS:
            return [smpl_motion(content[key], FPS, "y", notes=(RATE_ASSUMED,), family="smplx")]
        return [smpl_motion(content[key], FPS, "-y", notes=(RATE_ASSUMED, AS_THE_CAMERA_SAW), family="smplx")]
    raise UserError(f"it lacks '{GVHMR_KEYS[0]}' with global_orient, body_pose and transl")


def is_prompthmr(content: object) -> bool:
    """Return whether content is {people: {id: {smplx_world or smplx_cam: a dictionary}}}."""
    return isinstance(content, dict) and any(people_with(content.get("people"), key) for key in _PROMPTHMR)


def read_prompthmr(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read PromptHMR's results: {people: {id: {smplx_world: {pose, trans, shape}, frames}}}; y up."""
    found = []
    for label, person in named(named(content).get("people")).items():
        for key, up in _PROMPTHMR.items():
            if isinstance(person, dict) and has_smpl(person.get(key)):
                notes = (RATE_ASSUMED,) if up == "y" else (RATE_ASSUMED, AS_THE_CAMERA_SAW)
                raw = smpl_motion(person[key], FPS, up, label=str(label), notes=notes, family="smplx")
                found += _unbroken(raw, person.get("frames"))
                break
    return _only(found)


def read_slahmr(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read SLAHMR's or PACE's world_results.npz: arrays [P, T, ...] for several people."""
    return [
        smpl_motion(fields, FPS, "-y", label=label, notes=(RATE_ASSUMED,), family="smplh")
        for label, fields in people_in(content).items()
    ]


def read_tram(content: Any, path: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read TRAM's hps_track_N.npy: pred_rotmat, pred_trans, frame; in the world if camera.npy lies above it."""
    found = []
    for label, person in _people(content, "pred_rotmat", "pred_trans").items():
        poses = smpl_joints(rotations(numbers(person["pred_rotmat"], "pred_rotmat"), "pred_rotmat", (24,)))
        translation = numbers(person["pred_trans"], "pred_trans").reshape(-1, 3)
        frames = frame_numbers(person.get("frame"), len(poses))
        note, camera = AS_THE_CAMERA_SAW, _tram_camera(path, frames)
        if camera is not None and len(translation) == len(poses):
            note = "carried into the first camera's frame by camera.npy, as if that had been held level"
            poses[:, 0], translation = _moved(poses[:, 0], translation, *camera)
        betas = shape_in({"betas": person.get("pred_shape")}, "smpl")
        raw = RawMotion(poses, translation, FPS, "-y", False, label, betas, (RATE_ASSUMED, note))
        found += _unbroken(raw, frames)
    return found


def _tram_camera(path: Path, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the camera's rotation [N, 3, 3] and place [N, 3] at each frame, None where TRAM's file is not there."""
    near = [folder / "camera.npy" for folder in (path.parent, path.parent.parent)]
    camera = next((file for file in near if file.is_file()), None)
    if camera is None:
        return None
    content = named(read_npy(camera, loads))
    for turn, place in (("world_cam_R", "world_cam_T"), ("pred_cam_R", "pred_cam_T")):
        if turn in content and place in content:
            turns, places = numbers(content[turn], turn), numbers(content[place], place)
            if turns.shape[1:] == (3, 3) and places.shape[1:] == (3,) and len(turns) > frames[-1] < len(places):
                return turns[frames], places[frames]
    return None


def _moved(
    root: np.ndarray, translation: np.ndarray, turn: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pelvis' rotation [N, 3] and place [N, 3] moved by a camera's turn [N, 3, 3] and place [N, 3]."""
    camera = torch.from_numpy(turn)
    rotmat = camera @ roma.rotvec_to_rotmat(torch.from_numpy(root))
    moved = (camera @ torch.from_numpy(translation)[..., None])[..., 0].numpy() + place
    return roma.rotmat_to_rotvec(rotmat).numpy(), moved


def is_phalp(content: object) -> bool:
    """Return whether content is {frame: {"smpl": a list, "tid" or "tracked_ids": a list of the same people}}."""
    frames = people_with(content, "smpl", "camera")
    return bool(frames) and "" not in frames and all("tid" in f or "tracked_ids" in f for f in frames.values())


def read_phalp(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read the tracks of PHALP and 4D-Humans: a frame's entry has lists of tid, smpl and camera; y down."""
    tracks: dict[str, dict[str, list]] = {}
    frames = sorted(_people(content, "smpl", "camera").items(), key=lambda item: (_time(item[1]), item[0]))
    for index, (_name, frame) in enumerate(frames):
        time = _time(frame)
        for label, body, camera in _seen(frame):
            track = tracks.setdefault(label, {"frames": [], "bodies": [], "cameras": []})
            number = index if time < 0 else time
            if not track["frames"] or track["frames"][-1] < number:
                for part, value in (("frames", number), ("bodies", body), ("cameras", camera)):
                    track[part].append(value)
    found = []
    for label, track in tracks.items():
        found += _unbroken(_phalp_motion(label, track), track["frames"])
    return _only(found)


def _time(frame: dict[str, Any]) -> int:
    time = frame.get("time")
    return int(time) if isinstance(time, int | np.integer) else -1


def _seen(frame: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield the name, body and camera of the people seen in a frame; those it only guesses are left out."""
    labels = frame["tid"] if "tid" in frame else frame["tracked_ids"]
    unseen = frame.get("tracked_time", [])
    unseen = unseen if len(unseen) == len(labels) else [0] * len(labels)
    for label, body, camera, age in zip(labels, frame["smpl"], frame["camera"], unseen, strict=False):
        if isinstance(body, dict) and not age:
            yield str(label), body, camera


def _phalp_motion(label: str, track: dict[str, list]) -> RawMotion:
    parts = []
    for key, n_joints in (("global_orient", 1), ("body_pose", 23)):
        value = numbers([body.get(key) for body in track["bodies"]], key)
        parts.append(rotations(value.reshape(len(value), *value.shape[-3:]), key, (n_joints,)))
    poses = smpl_joints(np.concatenate(parts, axis=1))
    translation = numbers([np.asarray(camera).ravel()[:3] for camera in track["cameras"]], "camera")
    betas = np.mean([np.asarray(body.get("betas", np.zeros(10))).ravel() for body in track["bodies"]], axis=0)
    shape = BodyShape(tuple(float(value) for value in betas), family="smpl")
    return RawMotion(poses, translation, FPS, "-y", False, label, shape, (RATE_ASSUMED, AS_THE_CAMERA_SAW))


def _people(content: object, *keys: str) -> dict[str, dict[str, Any]]:
    people = people_with(content, *keys)
    if not people:
        raise UserError(f"it has nobody with {', '.join(keys)}")
    return {"": next(iter(people.values()))} if len(people) == 1 else people


def _only(motions: list[RawMotion]) -> list[RawMotion]:
    """Return motions, a single one without a name; raise UserError where there are none."""
    if not motions:
        raise UserError("it has nobody's motion")
    return [replace(motions[0], label="")] if len(motions) == 1 else motions


def _unbroken(raw: RawMotion, frames: object) -> list[RawMotion]:
    """Return a person's motion without gaps, in as many parts as there are long ones, named by their first frames."""
    numbers_ = frame_numbers(frames, len(raw.poses))
    if len(raw.translation) != len(raw.poses) or not len(raw.poses):
        return [raw]
    parts = stretches(numbers_)
    found = []
    for part in parts:
        poses, translation = bridged(raw.poses[part], raw.translation[part], numbers_[part])
        label = raw.label if len(parts) == 1 else "_".join(filter(None, (raw.label, f"from{numbers_[part][0]}")))
        n_missing = len(poses) - len(numbers_[part])
        notes = (*raw.notes, f"{n_missing} frames without this person bridged") if n_missing else raw.notes
        found.append(replace(raw, poses=poses, translation=translation, label=label, notes=notes))
    return found
