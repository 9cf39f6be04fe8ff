"""What of Isaac Gym could not be looked up, told from how its bodies move."""

import kinematics
import numpy as np

_POSITION_TOLERANCE_M = 2e-3
_ANGLE_TOLERANCE_RAD = 5e-3
_SPEED_TOLERANCE = 0.05  # m/s or rad/s, at joint speeds about 1 rad/s


def find_velocity_arm(bodies: np.ndarray, com_local: np.ndarray, parents: list, offsets: np.ndarray) -> np.ndarray:
    """Return where in body frames, [24, 3] m, the velocities of `bodies` [W, 24, 13] are taken: zero or com_local."""
    quat, spin = kinematics.wxyz_from_xyzw(bodies[..., 3:7]), bodies[..., 10:13]
    misfits = []
    for arm in (np.zeros((24, 3)), com_local):
        at_joint = bodies[..., 7:10] - np.cross(spin, kinematics.quat_rotate(quat, arm))
        misfits.append(kinematics.joint_velocity_misfit(at_joint, spin, quat, parents, offsets))
    if min(misfits) > _SPEED_TOLERANCE:
        raise RuntimeError(f"Isaac Gym's velocities are neither the joints' nor the centres' of mass: {misfits}")
    return np.zeros((24, 3)) if misfits[0] <= misfits[1] else com_local


def compare(computed: dict, bodies: np.ndarray, origins: np.ndarray, arm: np.ndarray) -> None:
    """Raise RuntimeError where forward kinematics and Isaac Gym's bodies [W, 24, 13] disagree."""
    quat = kinematics.wxyz_from_xyzw(bodies[..., 3:7])
    turn = kinematics.quat_to_rotvec(kinematics.quat_multiply(kinematics.quat_conjugate(quat), computed["quat_w"]))
    at_joint = bodies[..., 7:10] - np.cross(bodies[..., 10:13], kinematics.quat_rotate(quat, arm))
    checks = (
        ("positions (m)", bodies[..., :3] - origins[:, None] - computed["pos_w"], _POSITION_TOLERANCE_M),
        ("rotations (rad): its joints are no exponential maps", turn, _ANGLE_TOLERANCE_RAD),
        ("angular velocities (rad/s)", bodies[..., 10:13] - computed["ang_vel_w"], _SPEED_TOLERANCE),
        ("velocities (m/s)", at_joint - computed["lin_vel_w"], _SPEED_TOLERANCE),
    )
    for what, difference, tolerance in checks:
        worst = float(np.abs(difference).max())
        if not worst <= tolerance:
            raise RuntimeError(f"this Isaac Gym differs from what was expected by {worst:.3g} in {what}")
