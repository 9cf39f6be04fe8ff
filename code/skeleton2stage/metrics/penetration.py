"""`pen_rate`: how much of the body's surface passes through itself, as the paper counts it."""

import numpy as np
import torch

from skeleton2stage.body.model import N_JOINTS, BodyModel
from skeleton2stage.body.self_intersection import PairCounter, all_hits, pairs_of


class PenetrationCounter:
    """Counts a body's intersecting triangles in any pose, at mean shape.

    Where the body stands and which way it faces do not matter and are left out, so that they cannot round the count.
    """

    def __init__(self, body: BodyModel, device: str = "auto") -> None:
        """Prepare for a body, which moves to the device: auto, cpu or cuda."""
        self._counter = PairCounter(body.faces, body.rest_vertices, device, face_parts(body), N_JOINTS)
        self._body = body.to(self._counter.device)

    def faces_by_part(self, axis_angle: torch.Tensor) -> torch.Tensor:
        """Return for poses [T, 24, 3] rad how many triangles of each joint's part are in such pairs, [T, 24] int32.

        A triangle counts once for every pair that it is in: a row's sum is twice the frame's number of pairs.
        """
        axis_angle = torch.cat([torch.zeros_like(axis_angle[:, :1]), axis_angle[:, 1:]], dim=1)

        def pose(start: int, stop: int) -> torch.Tensor:
            return self._body.vertices(axis_angle[start:stop], torch.zeros(stop - start, 3))

        return all_hits(self._counter, len(axis_angle), pose)

    def pairs(self, axis_angle: torch.Tensor) -> torch.Tensor:
        """Return for poses [T, 24, 3] rad the number of intersecting pairs of triangles, [T] int64, on the CPU.

        A pair shares no vertex; `body.self_intersection` says what else counts. 13,776 triangles, as SMPL has.
        """
        return pairs_of(self.faces_by_part(axis_angle))


def pen_rate(faces_by_part: torch.Tensor) -> float:
    """Return the mean over frames of the number of intersecting pairs, of `PenetrationCounter.faces_by_part` [T, G]."""
    return float(pairs_of(faces_by_part).double().mean())


def face_parts(body: BodyModel) -> np.ndarray:
    """Return the joint that moves each face of a body the most, [N] numbers under 24."""
    return body.weights[body.faces].sum(axis=1).argmax(axis=1)

