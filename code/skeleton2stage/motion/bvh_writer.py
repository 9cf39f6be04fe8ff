"""Motions as BVH, for animation programs: SMPL's mean skeleton in T-pose, y up, centimetres."""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from skeleton2stage.files import write_text
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion

CM = 100.0
_ORDER = "ZXY"
_Y_UP = Rotation.from_euler("x", -90, degrees=True)
# What an end site's bone is long, as a share of the bone before it: a hand, toes, the top of the head.
_TIP_SHARE = 0.5


def write_bvh(path: Path, motion: Motion) -> None:
    """Write a motion as a BVH file at its own frame rate; joints have SMPL's names, rotations are in degrees."""
    write_text(path, "\n".join([*_hierarchy(), *_frames(motion)]) + "\n")


def _hierarchy() -> list[str]:
    lines = ["HIERARCHY"]
    parents, offsets = skeleton.parents(), CM * skeleton.offsets()

    def add(joint: int, depth: int) -> None:
        pad = "\t" * depth
        place = "Xposition Yposition Zposition " if depth == 0 else ""
        count = 6 if depth == 0 else 3
        lines.extend([
            f"{pad}{'JOINT' if depth else 'ROOT'} {skeleton.joint_names()[joint]}", f"{pad}{{",
            f"{pad}\tOFFSET {_row(offsets[joint])}",
            f"{pad}\tCHANNELS {count} {place}{' '.join(f'{axis}rotation' for axis in _ORDER)}",
        ])
        children = [kid for kid, parent in enumerate(parents) if parent == joint]
        for kid in children:
            add(kid, depth + 1)
        if not children:
            lines.extend([f"{pad}\tEnd Site", f"{pad}\t{{", f"{pad}\t\tOFFSET {_row(_TIP_SHARE * offsets[joint])}",
                          f"{pad}\t}}"])
        lines.append(f"{pad}}}")

    add(0, 0)
    return lines


def _frames(motion: Motion) -> list[str]:
    rotations = Rotation.from_rotvec(motion.poses.reshape(-1, 3).astype(np.float64))
    local = rotations.as_matrix().reshape(len(motion), skeleton.N_JOINTS, 3, 3)
    local[:, 0] = _Y_UP.as_matrix() @ local[:, 0]
    angles = Rotation.from_matrix(local[:, _depth_first()].reshape(-1, 3, 3)).as_euler(_ORDER, degrees=True)
    place = CM * _Y_UP.apply(motion.translation.astype(np.float64))
    values = np.concatenate((place, angles.reshape(len(motion), -1)), axis=1)
    return ["MOTION", f"Frames: {len(motion)}", f"Frame Time: {1 / motion.fps:.8f}", *map(_row, values)]


def _depth_first() -> list[int]:
    """Return the joints in the order in which the hierarchy lists them."""
    order, waiting = [], [0]
    while waiting:
        order.append(waiting.pop(0))
        waiting = [kid for kid, parent in enumerate(skeleton.parents()) if parent == order[-1]] + waiting
    return order


def _row(values: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values)
