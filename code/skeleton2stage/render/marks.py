"""What is pointed out in pictures: triangles that pass through others, and feet on the floor, still or sliding."""

from dataclasses import dataclass

import numpy as np
import torch

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.body.self_intersection import PairCounter, all_hits, pairs_of
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion
from skeleton2stage.render.floor_marks import Disc

MARKS = ("penetration", "contacts")
# Okabe and Ito's colours, which people with any kind of colour vision tell apart.
PENETRATION_RGB = (0.80, 0.05, 0.10)
STILL_RGBA, SLIDING_RGBA = (0.0, 0.45, 0.70, 0.85), (0.90, 0.62, 0.0, 0.95)
FEET = tuple(skeleton.joint_index(f"{side}_{part}") for part in ("ankle", "foot") for side in ("left", "right"))
TOUCHING_M = 0.02  # the lowest point of a foot's part is so near the floor, or under it
SLIDING_M_PER_S = 0.3  # EDGE's contact: a joint that moves under 0.01 m in a thirtieth of a second
NONE, STILL, SLIDING = range(3)
_DISC_RADIUS_M = 0.075
_CHUNK_FRAMES = 128


@dataclass(frozen=True)
class Penetration:
    """Where a body passes through itself.

    faces: [T, F] bool, whether a triangle is in an intersecting pair. pairs: [T], how many pairs there are.
    """

    faces: np.ndarray
    pairs: np.ndarray


def penetration(body: BodyModel, poses: np.ndarray) -> Penetration:
    """Return where a body at poses [T, 24, 3] rad passes through itself, by the count of `pen_rate`."""
    n_faces = len(body.faces)
    counter = PairCounter(body.faces, body.rest_vertices, "cpu", np.arange(n_faces), n_faces)
    # Where the body stands cannot matter, and is left out so that it cannot round the count.
    poses = np.concatenate([np.zeros_like(poses[:, :1]), poses[:, 1:]], axis=1)
    faces, pairs = [], []
    for chunk in torch.from_numpy(poses).split(_CHUNK_FRAMES):
        def posed(start: int, stop: int, chunk: torch.Tensor = chunk) -> torch.Tensor:
            return body.vertices(chunk[start:stop], torch.zeros(stop - start, 3))

        hits = all_hits(counter, len(chunk), posed)
        faces.append((hits.sum(dim=1) > 0).numpy())
        pairs.append(pairs_of(hits).numpy())
    return Penetration(np.concatenate(faces), np.concatenate(pairs))


def foot_contacts(motion: Motion, vertices_w: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return NONE, STILL or SLIDING for each frame and joint of FEET, [T, 4].

    A foot's part touches where its lowest vertex (of vertices [T, V, 3] m carried by joints `parts` [V]) is within 2 cm
    of the floor, z = 0; it is still where its joint moves under 0.3 m/s over the floor.
    """
    joints_w = motion.joints()[:, FEET, :2]
    step = np.linalg.norm(np.diff(joints_w, axis=0, append=joints_w[-1:]), axis=-1) * motion.fps
    if len(step) > 1:
        step[-1] = step[-2]
    lowest = np.stack([vertices_w[:, parts == joint, 2].min(axis=1) for joint in FEET], axis=1)
    return np.where(lowest > TOUCHING_M, NONE, np.where(step < SLIDING_M_PER_S, STILL, SLIDING))


def contact_discs(states: np.ndarray, joints_w: np.ndarray) -> list[Disc]:
    """Return spots under the feet of one frame: states [4] of FEET, joints [24, 3] m."""
    colours = {STILL: STILL_RGBA, SLIDING: SLIDING_RGBA}
    return [
        Disc(float(joints_w[joint, 0]), float(joints_w[joint, 1]), _DISC_RADIUS_M, colours[int(state)])
        for joint, state in zip(FEET, states, strict=True) if state != NONE
    ]


def face_colours(rgb: tuple[float, float, float], marked: np.ndarray) -> np.ndarray:
    """Return colours [F, 3] of faces of which some are marked, [F] bool; the others turn pale, for marks to be seen."""
    pale = 0.35 * np.asarray(rgb) + 0.65 * np.array([0.84, 0.82, 0.80])
    return np.where(marked[:, None], PENETRATION_RGB, pale)
