"""The humanoid: 24 rigid convex parts with a ball joint each, and the gains that drive them.

Body frames sit at the joints and are aligned with the world in SMPL's rest pose (y up), so a local
rotation of SMPL is the ball joint's quaternion as it stands.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from skeleton2stage.motion import skeleton

TOTAL_MASS_KG = 70.0
GAIN_MASS_KG = 90.0  # the mass the gains below were chosen for
ARMATURE_KGM2 = 0.02
FLOOR_FRICTION = 1.0
PHYSICS_HZ = 120.0
DAMPING_TIME_S = 0.1  # every joint's damping over its position gain

# Position gain (N·m/rad) by part, for a 90 kg body.
_GAINS = {
    500.0: ("hip", "knee"),
    400.0: ("ankle", "collar", "shoulder"),
    200.0: ("foot",),
    1000.0: ("spine1", "spine2", "spine3"),
    300.0: ("elbow",),
    100.0: ("neck", "head", "wrist", "hand"),
}


@dataclass(frozen=True)
class Humanoid:
    """A compiled humanoid and what one needs to drive it, in SMPL's joint order throughout.

    model: the compiled MuJoCo model, floor included.
    xml: the same as MJCF.
    rest_joints: [24, 3] m, pelvis at the origin, y up.
    hull_vertices: 24 arrays [n, 3] m, each part's hull in its own body frame.
    """

    model: mujoco.MjModel
    xml: str
    rest_joints: np.ndarray
    hull_vertices: tuple[np.ndarray, ...]

    @property
    def bone_offsets(self) -> np.ndarray:
        """Each joint's offset from its parent, [24, 3] m, zero for the pelvis."""
        offsets = self.rest_joints.copy()
        for joint, parent in enumerate(skeleton.parents()):
            if parent >= 0:
                offsets[joint] -= self.rest_joints[parent]
        return offsets

    @property
    def body_ids(self) -> np.ndarray:
        """MuJoCo body index of every SMPL joint, [24]."""
        return np.array([self.model.body(name).id for name in skeleton.joint_names()])


def gains(name: str) -> tuple[float, float]:
    """Return the position gain (N·m/rad) and damping (N·m·s/rad) of a joint for the humanoid's mass."""
    part = name.removeprefix("left_").removeprefix("right_")
    kp = next(gain for gain, parts in _GAINS.items() if part in parts) * TOTAL_MASS_KG / GAIN_MASS_KG
    return kp, kp * DAMPING_TIME_S
