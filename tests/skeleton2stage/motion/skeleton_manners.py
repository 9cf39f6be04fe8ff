"""A known SMPL motion written as BVH in the manner of other skeletons, and how far what comes back is from it.

A file made here has SMPL's own bones; only its names, axes, extra joints and zero pose are another program's. What is
read from it must be the motion that it was made of.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from skeleton2stage.motion import skeleton

NAMES, PARENTS = skeleton.joint_names(), skeleton.parents()
OFFSETS = skeleton.offsets().astype(float)
HANDS = ("left_hand", "right_hand")
Y_UP = Rotation.from_euler("x", -90, degrees=True).as_matrix()
FPS = 30.0


@dataclass(frozen=True)
class Extra:
    """A joint that SMPL has not: it lies `at` m in the frame of the SMPL joint `rides` and turns with it.

    parent: name of the SMPL joint, or of an extra, that it hangs from; None for a new root. takes: joints that hang
    from it instead of from their own parents.
    """

    name: str
    parent: str | None
    rides: str
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    takes: tuple[str, ...] = ()


def dance(n_frames=120):
    """Return poses [T, 24, 3] and pelvis [T, 3], z up, of someone who steps, turns, and swings arms and head."""
    t = np.arange(n_frames) / FPS
    poses = {name: np.zeros((n_frames, 3)) for name in NAMES}

    def wave(hz, phase=0.0):
        return np.sin(2 * np.pi * (hz * t + phase))

    root = Rotation.from_euler("z", 60 * wave(0.2)[:, None], degrees=True) * Rotation.from_euler("x", 90, degrees=True)
    poses["pelvis"] = (root * Rotation.from_euler("z", 7 * wave(0.5)[:, None], degrees=True)).as_rotvec()
    for side, sign, phase in (("left", 1, 0.0), ("right", -1, 0.5)):
        lift = np.maximum(0, wave(0.5, phase))
        poses[f"{side}_hip"][:, 0], poses[f"{side}_hip"][:, 2] = -0.1 - 0.6 * lift, 0.06 * sign
        poses[f"{side}_knee"][:, 0] = 0.2 + 0.8 * lift
        poses[f"{side}_ankle"][:, 0] = -0.1 - 0.2 * lift
        down = np.stack([sign * (-55 + 30 * wave(0.5, phase)), sign * (-15 + 25 * wave(0.25, phase)), 0 * t], axis=1)
        poses[f"{side}_shoulder"] = Rotation.from_euler("zyx", down, degrees=True).as_rotvec()
        poses[f"{side}_elbow"][:, 1] = -sign * (0.8 + 0.5 * wave(0.75, phase))
        poses[f"{side}_wrist"][:, 0] = 0.3 * wave(0.75)
    for name in ("spine1", "spine2", "spine3", "neck", "head"):
        poses[name] = np.stack([0.05 * wave(0.5), 0.08 * wave(0.25), 0.04 * wave(0.75)], axis=1)
    poses = np.stack([poses[name] for name in NAMES], axis=1)
    pelvis = np.stack([0.4 * wave(0.2), 0.3 * wave(0.15), np.zeros(n_frames)], axis=1)
    joints, _ = posed(poses, pelvis)
    pelvis[:, 2] -= np.minimum(joints[:, [10, 11], 2] - 0.025, joints[:, [7, 8], 2] - 0.08).min(axis=1)
    return poses, pelvis


def posed(poses, pelvis):
    """Return joint positions [T, 24, 3] m and world rotations [T, 24, 3, 3]."""
    rotmat = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(*poses.shape, 3)
    position = np.repeat(pelvis[:, None], len(NAMES), axis=1)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            rotmat[:, joint] = rotmat[:, parent] @ rotmat[:, joint]
            position[:, joint] = position[:, parent] + rotmat[:, parent] @ OFFSETS[joint]
    return position, rotmat


def along(axis):
    """Return axes [24, 3, 3] of joints whose own x, y or z leads along their bones: a zero pose of bones in a line."""
    found = np.zeros((len(NAMES), 3, 3))
    for joint in range(len(NAMES)):
        bone = OFFSETS[next((k for k, parent in enumerate(PARENTS) if parent == joint and k != 1), joint)]
        first = bone / np.linalg.norm(bone)
        third = np.cross(first, np.cross(np.eye(3)[2 if abs(first[2]) < 0.9 else 1], first))
        third /= np.linalg.norm(third)
        columns = [first, np.cross(third, first), third]
        found[joint] = np.stack(columns[-"xyz".index(axis):] + columns[: -"xyz".index(axis)], axis=1)
    return found


def bvh_of(poses, pelvis, names, extras=(), axes=None, order="ZXY", turn=Y_UP, left_out=HANDS, scale=100.0,
           positions=False):
    """Return the text of a BVH; names: SMPL joint -> name; axes [24, 3, 3]: of each joint in SMPL's rest pose."""
    axes = np.tile(np.eye(3), (len(NAMES), 1, 1)) if axes is None else axes
    position, rotmat = posed(poses, pelvis)
    parent, rides, at = {}, {}, {}
    for joint, name in enumerate(NAMES):
        if name not in left_out:
            parent[name], rides[name], at[name] = (NAMES[PARENTS[joint]] if joint else None), name, (0.0, 0.0, 0.0)
    for extra in extras:
        parent[extra.name], rides[extra.name], at[extra.name] = extra.parent, extra.rides, extra.at
        parent |= dict.fromkeys(extra.takes, extra.name)
    world = {}
    for name, joint in rides.items():
        k = NAMES.index(joint)
        world[name] = (turn @ rotmat[:, k] @ axes[k], scale * (position[:, k] + rotmat[:, k] @ at[name]) @ turn.T)
    lines, columns = ["HIERARCHY"], []

    def write(name):
        rotation, place = world[name]
        if parent[name] is None:
            local, offset = rotation, place
        else:
            up, origin = world[parent[name]]
            local, offset = np.swapaxes(up, 1, 2) @ rotation, np.einsum("tji,tj->ti", up, place - origin)
            assert positions or np.ptp(offset, axis=0).max() < 1e-6 * scale, f"{name} does not keep its place"
        moves = parent[name] is None or positions
        columns.extend([offset] * moves + [Rotation.from_matrix(local).as_euler(order, degrees=True)])
        offset = np.zeros(3) if parent[name] is None else offset[0]
        channels = ["Xposition", "Yposition", "Zposition"] * moves + [f"{axis}rotation" for axis in order]
        lines.extend([f"{'ROOT' if parent[name] is None else 'JOINT'} {names.get(name, name)}", "{",
                      "OFFSET {:.6f} {:.6f} {:.6f}".format(*offset), f"CHANNELS {len(channels)} {' '.join(channels)}"])
        below = [child for child, above in parent.items() if above == name]
        for child in below:
            write(child)
        if not below:
            k = NAMES.index(rides[name])
            tip = next((OFFSETS[j] for j, above in enumerate(PARENTS) if above == k), 0.5 * OFFSETS[k])
            lines.extend(["End Site", "{", "OFFSET {:.6f} {:.6f} {:.6f}".format(*(scale * axes[k].T @ tip)), "}"])
        lines.append("}")

    write(next(name for name, above in parent.items() if above is None))
    rows = [" ".join(f"{value:.6f}" for value in row) for row in np.concatenate(columns, axis=1)]
    return "\n".join([*lines, "MOTION", f"Frames: {len(rows)}", f"Frame Time: {1 / FPS:.8f}", *rows, ""])


def misses(motion, poses, pelvis):
    """Return the mean distance of joints (m, from the pelvis) and the mean angle of world rotations (rad)."""
    got, wanted = posed(motion.poses.astype(float), motion.translation.astype(float)), posed(poses, pelvis)
    assert len(got[0]) == len(wanted[0])
    away = (got[0] - got[0][:, :1]) - (wanted[0] - wanted[0][:, :1])
    turned = (np.swapaxes(got[1], 2, 3) @ wanted[1])[:, :22].reshape(-1, 3, 3)
    return np.linalg.norm(away, axis=-1).mean(), np.linalg.norm(Rotation.from_matrix(turned).as_rotvec(), axis=1).mean()
