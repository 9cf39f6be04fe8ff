"""`pen_rate`: how much of the body's surface passes through itself, as the paper counts it."""

import numpy as np
import torch

from skeleton2stage.body.body_model import N_JOINTS, BodyModel
from skeleton2stage.body.self_intersection import PairCounter, all_hits, apart_pairs_of, pairs_of
from skeleton2stage.motion import skeleton


class PenetrationCounter:
    """Counts a body's intersecting triangles in any pose, at mean shape.

    Where the body stands and which way it faces do not matter and are left out, so that they cannot round the count.
    """

    def __init__(self, body: BodyModel, device: str = "auto") -> None:
        """Prepare for a body, which moves to the device: auto, cpu or cuda."""
        parts = face_parts(body)
        self._counter = PairCounter(body.faces, body.rest_vertices, device, parts, N_JOINTS, neighbouring_parts())
        self._body = body.to(self._counter.device)

    def hits(self, axis_angle: torch.Tensor) -> torch.Tensor:
        """Return for poses [T, 24, 3] rad how many triangles of each joint's part are in such pairs, [T, 2, 24] int32.

        First those in pairs of one part or of two neighbouring ones, such as the crease of a bent elbow, then those in
        all others. A triangle counts once for every pair that it is in: a frame's sum is twice its number of pairs. The
        result is on the counter's device.
        """
        axis_angle = torch.cat([torch.zeros_like(axis_angle[:, :1]), axis_angle[:, 1:]], dim=1)

        def pose(start: int, stop: int) -> torch.Tensor:
            return self._body.vertices(axis_angle[start:stop], torch.zeros(stop - start, 3))

        return all_hits(self._counter, len(axis_angle), pose)

    def pairs(self, axis_angle: torch.Tensor) -> torch.Tensor:
        """Return for poses [T, 24, 3] rad the number of intersecting pairs of triangles, [T] int64.

        A pair shares no vertex; `body.self_intersection` says what else counts. 13,776 triangles, as SMPL has.
        """
        return pairs_of(self.hits(axis_angle))

    def apart_pairs(self, axis_angle: torch.Tensor) -> torch.Tensor:
        """Return the number of those pairs whose triangles are on parts that are not neighbours, [T] int64."""
        return apart_pairs_of(self.hits(axis_angle))


def pen_rate(hits: torch.Tensor) -> float:
    """Return the mean over frames of the number of intersecting pairs, of `PenetrationCounter.hits` [T, 2, G]."""
    return float(pairs_of(hits).double().mean())


def pen_rate_apart(hits: torch.Tensor) -> float:
    """Return the same of pairs of parts that are not neighbours, which no pose needs."""
    return float(apart_pairs_of(hits).double().mean())


def neighbouring_parts() -> np.ndarray:
    """Return which parts are one, or joined by a bone, [24, 24] bool."""
    near = np.eye(N_JOINTS, dtype=bool)
    for joint, parent in enumerate(skeleton.parents()[1:], start=1):
        near[joint, parent] = near[parent, joint] = True
    return near


def face_parts(body: BodyModel) -> np.ndarray:
    """Return the joint that moves each face of a body the most, [N] numbers under 24."""
    return body.weights[body.faces].sum(axis=1).argmax(axis=1)

