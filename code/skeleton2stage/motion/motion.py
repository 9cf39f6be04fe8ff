"""The `Motion` type: a clip of SMPL poses with what one must know to use it."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton

FPS = 30.0
# The reflection of a rotation vector in the plane x = 0: a pseudovector keeps its x and flips the rest.
_MIRROR_ROTVEC = np.array([1.0, -1.0, -1.0], dtype=np.float32)
_MIRROR_POSITION = np.array([-1.0, 1.0, 1.0], dtype=np.float32)


@dataclass(frozen=True)
class BodyShape:
    """A person's body: coefficients of a shape space, and whose it is.

    gender: neutral, male or female. family: smpl, smplh or smplx, empty where it is not known.
    """

    betas: tuple[float, ...]
    gender: str = "neutral"
    family: str = ""


@dataclass(frozen=True)
class Motion:
    """SMPL motion, z up, floor at z = 0.

    poses: [T, 24, 3] float32 axis-angle, rad; the pelvis' relative to the world.
    translation: [T, 3] float32 m, world position of the pelvis joint.
    fps: frames a second.
    contacts: [T, C] float32 or None, as the layout that made them lists the joints.
    shape: whose body it was, where the file says; what is measured on the skeleton is measured on the mean one.
    """

    poses: np.ndarray
    translation: np.ndarray
    fps: float = FPS
    contacts: np.ndarray | None = None
    shape: BodyShape | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "poses", np.ascontiguousarray(self.poses, dtype=np.float32))
        object.__setattr__(self, "translation", np.ascontiguousarray(self.translation, dtype=np.float32))
        if self.poses.ndim != 3 or self.poses.shape[1:] != (skeleton.N_JOINTS, 3):
            raise UserError(f"a motion needs poses [T, 24, 3]; these are {list(self.poses.shape)}")
        if self.translation.shape != (len(self.poses), 3):
            raise UserError(
                f"a motion of {len(self.poses)} frames needs a translation [{len(self.poses)}, 3]; "
                f"this one is {list(self.translation.shape)}"
            )
        if len(self.poses) == 0:
            raise UserError("the motion has no frames")
        self._check_finite()

    def _check_finite(self) -> None:
        finite = np.isfinite(self.poses).all(axis=(1, 2)) & np.isfinite(self.translation).all(axis=1)
        if not finite.all():
            bad = np.flatnonzero(~finite)
            raise UserError(f"the motion has NaN or infinity in {len(bad)} frames, the first of them {bad[0]}")

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self) / self.fps

    def joints(self) -> np.ndarray:
        """Return world joint positions [T, 24, 3] m of the mean skeleton."""
        return skeleton.forward_kinematics(
            torch.from_numpy(self.poses), torch.from_numpy(self.translation)
        ).numpy()

    def slice(self, start: int, stop: int) -> "Motion":
        """Return frames start to stop."""
        contacts = None if self.contacts is None else self.contacts[start:stop]
        return replace(
            self, poses=self.poses[start:stop], translation=self.translation[start:stop], contacts=contacts
        )

    def shifted(self, offset_m: np.ndarray) -> "Motion":
        """Return the motion moved by a world offset [3] m."""
        return replace(self, translation=self.translation + np.asarray(offset_m, dtype=np.float32))

    def mirrored(self) -> "Motion":
        """Return the motion reflected in the world plane x = 0, left and right exchanged.

        Exact for a skeleton that is symmetric; SMPL's mean one is so to about 1 cm. Contacts are dropped,
        since they are labels of the other foot.
        """
        order = skeleton.mirror_order()
        # In the rest pose SMPL's x is the body's left, so the same reflection serves root and joints.
        poses = self.poses[:, order] * _MIRROR_ROTVEC
        return replace(self, poses=poses, translation=self.translation * _MIRROR_POSITION, contacts=None)
