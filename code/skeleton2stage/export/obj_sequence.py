"""A dance as a sequence of .obj files, a mesh a frame: what programs without skinning read. Large: 0.4 MB a frame.

Named as the original's get_obj.py names them, and z up as there.
"""

import shutil
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_text
from skeleton2stage.motion.motion import Motion

UPS = ("y", "z")
_CHUNK_FRAMES = 64
_BYTES_A_VERTEX, _BYTES_A_FACE = 28, 18  # a little more than lines have


def write_obj_sequence(folder: Path, motion: Motion, body: BodyModel, up: str = "z") -> None:
    """Write FOLDER/mesh_0.obj and so on, metres, each atomically; up: which axis of the files points up.

    Files of the folder that are there already, as of an export that was stopped, are written anew. Raises UserError
    before anything is written where the disk has no room for all.
    """
    _check_room(folder, len(motion) * (_BYTES_A_VERTEX * len(body.rest_vertices) + _BYTES_A_FACE * len(body.faces)))
    faces = "\n".join(f"f {a} {b} {c}" for a, b, c in (body.faces + 1).tolist())
    template = "v %.5f %.5f %.5f\n" * len(body.rest_vertices)
    poses, translation = torch.from_numpy(motion.poses), torch.from_numpy(motion.translation)
    frames = tqdm(range(len(motion)), desc=folder.name, unit="frame", leave=False, disable=None)
    for frame in frames:
        if frame % _CHUNK_FRAMES == 0:
            chunk = slice(frame, frame + _CHUNK_FRAMES)
            points = _turned(body.vertices(poses[chunk], translation[chunk]).numpy(), up)
        vertices = template % tuple(points[frame % _CHUNK_FRAMES].ravel().tolist())
        write_text(folder / f"mesh_{frame}.obj", f"o mesh_{frame}\n{vertices}{faces}\n")


def _turned(points: np.ndarray, up: str) -> np.ndarray:
    return points if up == "z" else points[..., [0, 2, 1]] * [1.0, 1.0, -1.0]


def _check_room(folder: Path, n_bytes: int) -> None:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    if n_bytes > free:
        raise UserError(
            f"{folder} needs about {n_bytes / 1e6:.0f} MB and its disk has {free / 1e6:.0f} MB free: give a shorter "
            "'seconds', another folder, or to=[glb], which holds the same in a few MB"
        )
