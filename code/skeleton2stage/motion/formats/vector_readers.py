"""Readers of motion in one array with a row a frame: rotations in columns, joint positions, or HumanML3D's features."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.file_arrays import named, numbers, of_rot6d, rot6d_misfit, smpl_joints
from skeleton2stage.motion.formats.humanml3d import FEATURE_WIDTH, joints_of_features
from skeleton2stage.motion.formats.motion_file import RawMotion
from skeleton2stage.motion.formats.people import frames_first
from skeleton2stage.motion.formats.readers import FINGERS_LOST
from skeleton2stage.motion.formats.smpl_fields import key_of, shape_in, smpl_motion
from skeleton2stage.motion.joint_fit import fit_joints
from skeleton2stage.motion.motion import FPS

MOTIONX_WIDTH = 322
_MOTIONX = {"root_orient": slice(0, 3), "pose_body": slice(3, 66), "trans": slice(309, 312), "betas": slice(312, 322)}
# Contacts of the feet, if any, then the pelvis, then 6D rotations of 22, 24, 52 or 55 joints.
ROT6D_LAYOUTS = {lead + 3 + 6 * joints: (lead, joints) for lead in (0, 4) for joints in (22, 24, 52, 55)}
HUMANML3D_FPS = 20.0
BAILANDO_FPS = 60.0
# SMPL's first 22 joints are those of SMPL-H and SMPL-X, whose files of joints go on with fingers and face.
JOINT_COUNTS = (22, 24, 52, 55, 73, 127, 144)
JOINT_KEYS = ("pred_position", "joints", "full_pose", "positions", "joint_positions", "joints_3d")
TWIST_LOST = "joint positions: rotations by inverse kinematics, which cannot know how heads and hands are turned"
HUMANML3D_RATE = "20 fps, HumanML3D's rate: format=NAME@RATE gives another"


def read_motionx(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401 - whatever a file holds
    """Read Motion-X's [T, 322]: root_orient, pose_body, hands, jaw, face, trans, betas; y up, 30 fps."""
    array = _rows(content, (MOTIONX_WIDTH,))
    fields = {name: array[:, columns] for name, columns in _MOTIONX.items()}
    notes = (FINGERS_LOST, "30 fps assumed, as most of Motion-X has: format=motionx@20 for its HumanML3D part")
    return [smpl_motion(fields, FPS, "y", notes=notes, family="smplx")]


def read_rot6d(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read FineDance's [T, 315] and its relatives': foot contacts or none, pelvis, 6D rotations; 30 fps.

    Others write the pelvis last: that order is taken in which the rotations are rotations.
    """
    array = _rows(content, tuple(ROT6D_LAYOUTS))
    lead, joints = ROT6D_LAYOUTS[array.shape[1]]
    rest = array[:, lead:]
    orders = [(rest[:, 3:], rest[:, :3]), (rest[:, :-3], rest[:, -3:])]
    rot6d, pelvis = min(orders, key=lambda order: rot6d_misfit(order[0].reshape(-1, joints, 6)))
    rotvec = of_rot6d(rot6d.reshape(-1, joints, 6), f"{6 * joints} columns of rotations")
    notes = ("30 fps assumed, FineDance's rate", *([FINGERS_LOST] if joints > 24 else []))
    return [RawMotion(smpl_joints(rotvec), pelvis, FPS, "y", up_told=False, notes=notes)]


def read_phc(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read PHC's joblib file of clips: {name: {pose_aa, root_trans_offset, fps}}; z up."""
    found = []
    for label, clip in _clips(content).items():
        poses = numbers(clip["pose_aa"], "pose_aa")
        if int(np.prod(poses.shape[1:])) // 3 not in (24, 52, 55):
            raise UserError(
                f"its 'pose_aa' is {list(poses.shape)}: it was retargeted to a robot, as PHC's and H2O's files for "
                "humanoid robots are; give the SMPL motion that it was made from"
            )
        fields = {"poses": poses, "trans": clip["root_trans_offset"], "betas": clip.get("beta"),
                  "gender": clip.get("gender"), "fps": clip.get("fps")}
        found.append(smpl_motion(fields, FPS, "z", label=label, family="smpl"))
    return found


def _clips(content: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    content = named(content)
    if "pose_aa" in content:
        return {"": content}
    found = {
        str(name).replace("/", "_"): clip for name, clip in content.items()
        if isinstance(clip, dict) and {"pose_aa", "root_trans_offset"} <= set(clip)
    }
    return {"": next(iter(found.values()))} if len(found) == 1 else found


def read_joints(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read joint positions [T, J, 3] of SMPL's skeleton, 22 joints or more, at a rate that is not in the file."""
    return _fitted(_joint_arrays(content), None, "")


def read_bailando(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read Bailando's joint positions [T, 72], bare or as pred_position, and rotations to them; 60 fps, y up."""
    return _fitted(_joint_arrays(content), BAILANDO_FPS, "60 fps, AIST++'s rate: format=NAME@RATE gives another", "y")


def read_positions(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read joint positions [T, 72] z up, as EDGE's full_pose, and rotations to them; 30 fps."""
    return _fitted(_joint_arrays(content), FPS, "", "z")


def read_humanml3d(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read HumanML3D's joints [T, 22, 3] or features [T, 263], as they are before normalising; 20 fps."""
    if isinstance(content, np.ndarray) and content.shape[-1] == 3:
        return _fitted(_joint_arrays(content), HUMANML3D_FPS, HUMANML3D_RATE)
    array = _rows(content, (FEATURE_WIDTH,))
    return _fitted({"": joints_of_features(array)}, HUMANML3D_FPS, HUMANML3D_RATE)


def read_mdm(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read MDM's results.npy, {motion: [N, 22, 3, T], lengths: [N]}, each a motion; 20 fps, y up."""
    content = named(content)
    motions, lengths = numbers(content["motion"], "motion"), content.get("lengths")
    if motions.ndim != 4 or motions.shape[1:3] not in ((22, 3), (24, 3)):
        raise UserError(
            f"its 'motion' is {list(motions.shape)} where MDM's joint positions [N, 22, 3, T] were expected: sample "
            "with --dataset humanml"
        )
    ends = [motions.shape[3]] * len(motions) if lengths is None else numbers(lengths, "lengths").ravel().astype(int)
    joints = {
        str(index): motion[:, :, :end].transpose(2, 0, 1)
        for index, (motion, end) in enumerate(zip(motions, ends, strict=False))
    }
    return _fitted(joints if len(joints) > 1 else {"": joints["0"]}, HUMANML3D_FPS, HUMANML3D_RATE)


def read_mdm_smpl(content: Any, _: Path) -> list[RawMotion]:  # noqa: ANN401
    """Read MDM's sampleNN_repNN_smpl_params.npy: thetas [24, 6, T], root_translation [3, T]; 20 fps, y up."""
    content = named(content)
    thetas, root = (numbers(content[key], key) for key in ("thetas", "root_translation"))
    if thetas.ndim != 3 or thetas.shape[:2] != (24, 6) or root.shape != (3, thetas.shape[2]):
        raise UserError(f"its 'thetas' is {list(thetas.shape)} where MDM's 6D rotations [24, 6, T] were expected")
    rotvec = of_rot6d(thetas.transpose(2, 0, 1), "thetas")
    return [RawMotion(rotvec, root.T, HUMANML3D_FPS, "y", up_told=False, shape=shape_in(content),
                      notes=(HUMANML3D_RATE,))]


def _fitted(
    arrays: dict[str, np.ndarray], fps: float | None, note: str, up_axis: str | None = None
) -> list[RawMotion]:
    found = []
    for label, joints in arrays.items():
        fit = fit_joints(joints)
        unit = "" if fit.unit == "metres" else f"in {fit.unit}, by its legs; "
        size = f"{unit}scaled by {fit.scale:.3f} to the mean body, joints {100 * fit.mean_error_m:.1f} cm off"
        notes = tuple(filter(None, (note, TWIST_LOST, size)))
        found.append(RawMotion(fit.poses, fit.translation, fps, up_axis, label=label, notes=notes))
    return found


def _joint_arrays(content: Any) -> dict[str, np.ndarray]:  # noqa: ANN401
    """Return joints [T, 22 or 24, 3] of an array [T, J, 3] or [T, J*3], or of several [N, T, J, 3] or [T, N, J, 3]."""
    if isinstance(content, dict):
        key = key_of(content, JOINT_KEYS)
        if key is None:
            raise UserError(f"it has no joint positions under {', '.join(JOINT_KEYS)}")
        content = content[key]
    array = numbers(content, "content")
    if array.ndim == 2 and array.shape[1] % 3 == 0:
        array = array.reshape(len(array), -1, 3)
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim not in (3, 4) or array.shape[-1] != 3 or array.shape[-2] not in JOINT_COUNTS:
        raise UserError(f"it is {list(array.shape)} where joint positions [T, 22 or 24, 3] were expected")
    if array.ndim == 4 and frames_first(array):
        array = np.swapaxes(array, 0, 1)
    kept = array[..., : 24 if array.shape[-2] == 24 else 22, :]
    return {"": kept} if kept.ndim == 3 else {str(index): joints for index, joints in enumerate(kept)}


def _rows(content: Any, widths: Iterable[int]) -> np.ndarray:  # noqa: ANN401
    array = numbers(content, "content")
    if array.ndim == 3 and len(array) == 1:
        array = array[0]
    if array.ndim != 2 or array.shape[1] not in widths:
        raise UserError(f"it is {list(array.shape)} where rows of {', '.join(map(str, widths))} were expected")
    return array
