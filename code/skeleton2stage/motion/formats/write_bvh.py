"""SMPL motion as a Biovision hierarchy (.bvh): what animation programs open without any add-on.

y up and centimetres, as such programs expect: world (x, y, z) of ours is the file's (x, z, -y). The rest pose is SMPL's
T-pose with the pelvis at the origin, rotations are Euler angles about z, x, y in degrees, and the pelvis alone has
position channels.
"""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from skeleton2stage.files import write_text
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion

CM_PER_M = 100.0
_ORDER = "ZXY"
_ROTATIONS = "Zrotation Xrotation Yrotation"
_POSITIONS = "Xposition Yposition Zposition"
# End sites that hands, feet and the head end in, SMPL's rest axes, m: programs draw a bone to them.
_ENDS = {"head": (0.0, 0.15, 0.0), "left_hand": (0.08, 0.0, 0.0), "right_hand": (-0.08, 0.0, 0.0),
         "left_foot": (0.0, 0.0, 0.07), "right_foot": (0.0, 0.0, 0.07)}
# From z up to y up: a quarter turn about x.
TO_Y_UP = Rotation.from_euler("x", -90.0, degrees=True)


def write_bvh(path: Path, motion: Motion, bone_offsets: np.ndarray | None = None) -> None:
    """Write a motion at its own frame rate, atomically.

    bone_offsets: [24, 3] m from each joint's parent at rest, y up; those of the mean skeleton where None.
    `read_bvh` and `read_motion` give it back within 0.01 cm and 0.01 degrees.
    """
    offsets = skeleton.offsets() if bone_offsets is None else np.asarray(bone_offsets, dtype=np.float64)
    order = _depth_first(0)
    header = "\n".join(["HIERARCHY", *_joint_lines(0, CM_PER_M * offsets, "")])
    rows = np.concatenate([_positions_cm(motion), _euler_deg(motion)[:, order].reshape(len(motion), -1)], axis=1)
    frames = "\n".join(" ".join(f"{value:.5f}" for value in row) for row in rows)
    write_text(path, f"{header}\nMOTION\nFrames: {len(motion)}\nFrame Time: {1.0 / motion.fps:.9f}\n{frames}\n")


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(skeleton.parents()) if parent == joint]


def _depth_first(joint: int) -> list[int]:
    """Return a joint and all below it in the order in which a hierarchy lists them."""
    return [joint, *(below for child in _children(joint) for below in _depth_first(child))]


def _joint_lines(joint: int, offsets_cm: np.ndarray, indent: str) -> list[str]:
    """Return the lines of a joint and all below it."""
    name, inner = skeleton.joint_names()[joint], indent + "  "
    channels = f"CHANNELS 3 {_ROTATIONS}" if joint else f"CHANNELS 6 {_POSITIONS} {_ROTATIONS}"
    lines = [f"{indent}{'JOINT' if joint else 'ROOT'} {name}", f"{indent}{{"]
    lines += [f"{inner}OFFSET {_numbers(offsets_cm[joint])}", f"{inner}{channels}"]
    for child in _children(joint):
        lines += _joint_lines(child, offsets_cm, inner)
    if name in _ENDS:
        end = _numbers(CM_PER_M * np.array(_ENDS[name]))
        lines += [f"{inner}End Site", f"{inner}{{", f"{inner}  OFFSET {end}", f"{inner}}}"]
    return [*lines, f"{indent}}}"]


def _numbers(vector: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in vector)


def _positions_cm(motion: Motion) -> np.ndarray:
    return CM_PER_M * TO_Y_UP.apply(motion.translation.astype(np.float64))


def _euler_deg(motion: Motion) -> np.ndarray:
    """Return the channels' angles [T, 24, 3], without jumps of whole turns, between which programs would spin."""
    rotation = Rotation.from_rotvec(motion.poses.reshape(-1, 3).astype(np.float64))
    matrices = rotation.as_matrix().reshape(len(motion), skeleton.N_JOINTS, 3, 3)
    matrices[:, 0] = TO_Y_UP.as_matrix() @ matrices[:, 0]
    angles = Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_euler(_ORDER, degrees=True)
    return np.unwrap(angles.reshape(len(motion), skeleton.N_JOINTS, 3), period=360.0, axis=0)
