"""Where a body may touch the floor: points of every part, how high they are, and how much they count as touching."""

from dataclasses import dataclass

import numpy as np
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import FPS
from skeleton2stage.physics.axes.dance_frames import DanceFrames
from skeleton2stage.physics.humanoid.humanoid import Humanoid
from skeleton2stage.physics.quaternions import quat_conjugate, quat_rotate

# A point up to the first height over the floor touches it, one from the second does not; mocap's feet stand that high.
TOUCHING_M, CLEAR_M = 0.015, 0.035
GRIP_SPEED_MPS, LEAST_GRIP = 0.3, 0.05
SOLE_PARTS = tuple(skeleton.joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot"))
SOLE_POINTS = 6  # of each of the four parts, the corners of its underside
_SOLE_BAND_M = 0.015


@dataclass(frozen=True)
class FloorPoints:
    """P points of every frame: pos_w [N, T, P, 3] m; touching [N, T, P] in [0, 1]; grip [N, T, P], how
    readily each carries: touching over 1 + (speed over the floor / 0.3 m/s)^2, so that a foot that brushes the floor
    as it swings is not taken for the one that stands; owners, the part of each.

    The soles' points come first, fixed in the feet, `SOLE_POINTS` of each of `SOLE_PARTS`; then of every other part the
    vertex that is lowest in that frame.
    """

    pos_w: torch.Tensor
    touching: torch.Tensor
    grip: torch.Tensor
    owners: tuple[int, ...]

    @property
    def n_sole(self) -> int:
        """How many of the points are the soles'."""
        return SOLE_POINTS * len(SOLE_PARTS)


def floor_points(frames: DanceFrames, humanoid: Humanoid) -> FloorPoints:
    """Return the points of motions at which the floor may push; see `FloorPoints`."""
    points, owners = _sole_points(humanoid)
    local = torch.as_tensor(points, dtype=torch.float32, device=frames.pos_w.device)
    soles_w = quat_rotate(frames.quat_w[:, :, owners], local.expand(*frames.shape, -1, -1)) + frames.pos_w[:, :, owners]
    others = tuple(part for part in range(skeleton.N_JOINTS) if part not in SOLE_PARTS)
    lowest_w = torch.stack([lowest_point(frames, humanoid, part) for part in others], dim=2)
    pos_w = torch.cat((soles_w, lowest_w), dim=2)
    touching = ((CLEAR_M - pos_w[..., 2]) / (CLEAR_M - TOUCHING_M)).clamp(0.0, 1.0)
    return FloorPoints(pos_w, touching, touching * _grip(pos_w), (*owners, *others))


def _grip(pos_w: torch.Tensor) -> torch.Tensor:
    """Return how readily points [N, T, P, 3] m carry for their speed over the floor, [N, T, P] in [0.05, 1]."""
    step = pos_w[..., :2].diff(dim=1).norm(dim=-1) * FPS
    speed = torch.maximum(torch.cat((step[:, :1], step), dim=1), torch.cat((step, step[:, -1:]), dim=1))
    return (1.0 / (1.0 + (speed / GRIP_SPEED_MPS).square())).clamp(min=LEAST_GRIP)


def lowest_point(frames: DanceFrames, humanoid: Humanoid, part: int) -> torch.Tensor:
    """Return the lowest vertex of a part in every frame, [N, T, 3] m."""
    vertices = torch.as_tensor(humanoid.hull_vertices[part], dtype=torch.float32, device=frames.pos_w.device)
    turn = frames.quat_w[:, :, part]
    up = torch.tensor([0.0, 0.0, 1.0], device=turn.device)
    lowest = (quat_rotate(quat_conjugate(turn), up.expand(*frames.shape, 3)) @ vertices.T).argmin(dim=-1)
    return quat_rotate(turn, vertices[lowest]) + frames.pos_w[:, :, part]


def _sole_points(humanoid: Humanoid) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the corners of the soles [4 · SOLE_POINTS, 3] m in their parts' frames, and the part of each."""
    corners = [_corners(humanoid.hull_vertices[part]) for part in SOLE_PARTS]
    return np.concatenate(corners), tuple(part for part in SOLE_PARTS for _ in range(SOLE_POINTS))


def _corners(vertices: np.ndarray) -> np.ndarray:
    """Return the vertices of a foot part's underside that lie furthest apart, [SOLE_POINTS, 3]; y is up at rest."""
    order = np.argsort(vertices[:, 1])
    band = vertices[:, 1] < vertices[:, 1].min() + _SOLE_BAND_M
    under = vertices[order[: max(SOLE_POINTS, int(band.sum()))]]
    flat = under[:, [0, 2]]
    chosen = [int(np.linalg.norm(flat - flat.mean(axis=0), axis=1).argmax())]
    while len(chosen) < SOLE_POINTS:
        gaps = np.linalg.norm(flat[:, None] - flat[chosen], axis=-1).min(axis=1)
        chosen.append(int(gaps.argmax()))
    return under[chosen]
