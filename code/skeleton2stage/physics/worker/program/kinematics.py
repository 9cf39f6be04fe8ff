"""Rotations, forward kinematics and control law in plain numpy, for interpreters without the library.

Conventions are the library's: quaternions wxyz, SMPL joint order, `_w` world with z up, `_local` relative to
the parent body, angular velocities of `_local` in the body's own frame.
"""

import numpy as np


def quat_multiply(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Hamilton products [..., 4] of quaternions [..., 4] wxyz (shapes broadcast)."""
    w1, x1, y1, z1 = np.moveaxis(first, -1, 0)
    w2, x2, y2, z2 = np.moveaxis(second, -1, 0)
    return np.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        axis=-1,
    )


def quat_conjugate(quat: np.ndarray) -> np.ndarray:
    """Return the inverse of unit quaternions [..., 4] wxyz."""
    return quat * np.array([1.0, -1.0, -1.0, -1.0], dtype=quat.dtype)


def quat_rotate(quat: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return vectors [..., 3] turned by quaternions [..., 4] wxyz (shapes broadcast)."""
    w, v = quat[..., :1], quat[..., 1:]
    twice = 2.0 * np.cross(v, vector)
    return vector + w * twice + np.cross(v, twice)


def quat_to_rotvec(quat: np.ndarray) -> np.ndarray:
    """Return rotation vectors [..., 3] rad, angles in [0, pi], of unit quaternions [..., 4] wxyz."""
    quat = np.where(quat[..., :1] < 0, -quat, quat)
    norm = np.linalg.norm(quat[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(norm, quat[..., :1])
    # sin(a/2) ~ a/2 where the angle is too small to divide by
    return quat[..., 1:] * np.where(norm > 1e-7, angle / np.maximum(norm, 1e-7), 2.0)


def rotvec_to_quat(rotvec: np.ndarray) -> np.ndarray:
    """Return unit quaternions [..., 4] wxyz of rotation vectors [..., 3] rad, of any length."""
    half = 0.5 * np.linalg.norm(rotvec, axis=-1, keepdims=True)
    # numpy's sinc is sin(pi x) / (pi x)
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * rotvec], axis=-1)


def wxyz_from_xyzw(quat: np.ndarray) -> np.ndarray:
    """Return quaternions [..., 4] with the real part first that had it last."""
    return np.roll(quat, 1, axis=-1)


def xyzw_from_wxyz(quat: np.ndarray) -> np.ndarray:
    """Return quaternions [..., 4] with the real part last that had it first."""
    return np.roll(quat, -1, axis=-1)


def forward_kinematics(
    root: dict, quat_local: np.ndarray, ang_vel_local: np.ndarray, parents: list, offsets: np.ndarray
) -> dict:
    """Return pos_w [W, J, 3], quat_w [W, J, 4], lin_vel_w [W, J, 3] and ang_vel_w [W, J, 3] of jointed bodies.

    root: pos_w [W, 3] m and lin_vel_w [W, 3] m/s of the pelvis joint. quat_local [W, J, 4], ang_vel_local
    [W, J, 3] rad/s, the pelvis' relative to the world. parents: [J], -1 for the pelvis and else before their
    children. offsets: [J, 3] m. Velocities are those of the joints' points.
    """
    pos, quat = [root["pos_w"]], [quat_local[:, 0]]
    velocity, spin = [root["lin_vel_w"]], [quat_rotate(quat_local[:, 0], ang_vel_local[:, 0])]
    for joint in range(1, len(parents)):
        parent = parents[joint]
        arm = quat_rotate(quat[parent], offsets[joint])
        pos.append(pos[parent] + arm)
        velocity.append(velocity[parent] + np.cross(spin[parent], arm))
        quat.append(quat_multiply(quat[parent], quat_local[:, joint]))
        spin.append(spin[parent] + quat_rotate(quat[joint], ang_vel_local[:, joint]))
    names = ("pos_w", "quat_w", "lin_vel_w", "ang_vel_w")
    return {name: np.stack(values, axis=1) for name, values in zip(names, (pos, quat, velocity, spin))}


def drive_targets(rotvec: np.ndarray, target_quat: np.ndarray, max_error_rad: float) -> np.ndarray:
    """Return where drives on exponential-map coordinates must aim, [..., 3] rad: phi + clamp(log(q^-1 q*)).

    rotvec [..., 3] rad: the joint's present coordinates phi, from which the engine subtracts; target_quat
    [..., 4] wxyz: q*. The spring then acts on the shortest rotation to the target, and cannot wind up.
    """
    error = quat_to_rotvec(quat_multiply(quat_conjugate(rotvec_to_quat(rotvec)), target_quat))
    return rotvec + np.clip(error, -max_error_rad, max_error_rad)


def joint_velocity_misfit(
    lin_vel_w: np.ndarray, ang_vel_w: np.ndarray, quat_w: np.ndarray, parents: list, offsets: np.ndarray
) -> float:
    """Return by how much (m/s, the largest) jointed bodies would come apart if they moved like that.

    lin_vel_w, ang_vel_w [W, J, 3], quat_w [W, J, 4]: of the joints' points, whose velocity must be the same
    on both bodies of a joint. Small only where `lin_vel_w` really is the velocity of those points.
    """
    children = np.arange(1, len(parents))
    holders = np.array(parents)[children]
    arms = quat_rotate(quat_w[:, holders], offsets[children])
    expected = lin_vel_w[:, holders] + np.cross(ang_vel_w[:, holders], arms)
    return float(np.abs(lin_vel_w[:, children] - expected).max())
