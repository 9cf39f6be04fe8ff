"""Frames a second that `pen_rate` counts on the open body (13,776 triangles, as SMPL's), against other libraries.

python benchmarks/pen_rate.py [device=cpu] [frames=1200] [rounds=3] [threads=0] [other_frames=16]

The frames are of dances: windows of data/cmu_dance, or the shipped model's own where those are absent. The other
libraries are measured where they are installed (pip install libigl pymeshlab open3d), on some of the frames, and
count the same pairs unless said otherwise; trimesh and python-fcl find no self-intersections. Prints JSON; on cores
that others use too, CPU milliseconds say more than seconds. threads=0 are as many as torch takes.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scoring import windows

from pretrain.data import WINDOW_FRAMES
from skeleton2stage.body import mesh
from skeleton2stage.body.body_model import BodyModel, load_body
from skeleton2stage.body.self_intersection import PairCounter, all_hits
from skeleton2stage.config import read_options
from skeleton2stage.errors import run_main
from skeleton2stage.metrics.penetration import PenetrationCounter

# Posed at once to time the counting alone: 83 kB each.
COUNTED_FRAMES = 1024


@dataclass(frozen=True)
class Options:
    """What is measured, from the command line."""

    device: str = "cpu"
    frames: int = 1200
    rounds: int = 3
    threads: int = 0
    other_frames: int = 16


def libigl(vertices: np.ndarray, faces: np.ndarray) -> int:
    """Count with libigl's tree of boxes and exact predicates."""
    from igl.predicates import find_self_intersections

    return _without_shared_vertices(find_self_intersections(vertices, faces)[1], faces)


def libigl_cgal(vertices: np.ndarray, faces: np.ndarray) -> int:
    """Count with CGAL's sweep of boxes and exact numbers, by libigl."""
    from igl.copyleft.cgal import remesh_self_intersections

    found = remesh_self_intersections(vertices, faces, detect_only=True, cutoff=len(faces) ** 2)
    return _without_shared_vertices(found[2], faces)


def open3d(vertices: np.ndarray, faces: np.ndarray) -> int:
    """Count with Open3D."""
    from open3d.geometry import TriangleMesh
    from open3d.utility import Vector3dVector, Vector3iVector

    body = TriangleMesh(Vector3dVector(vertices), Vector3iVector(faces.astype(np.int32)))
    return _without_shared_vertices(np.asarray(body.get_self_intersecting_triangles()), faces)


def pymeshlab(vertices: np.ndarray, faces: np.ndarray) -> int:
    """Count the triangles that intersect any other, which is all that MeshLab tells."""
    from pymeshlab import Mesh, MeshSet

    meshes = MeshSet()
    meshes.add_mesh(Mesh(vertices, faces))
    meshes.compute_selection_by_self_intersections_per_face()
    return meshes.current_mesh().selected_face_number()


def numpy(vertices: np.ndarray, faces: np.ndarray) -> int:
    """Count with the project's own sweep in numpy, in float64."""
    return len(mesh.self_intersections(vertices, faces))


OTHERS = (libigl, libigl_cgal, open3d, pymeshlab, numpy)


def main(arguments: list[str]) -> None:
    options = read_options(arguments, Options)
    if options.threads:
        torch.set_num_threads(options.threads)
    source, motions = windows(-(-options.frames // WINDOW_FRAMES))
    poses = torch.cat([torch.from_numpy(motion.poses) for motion in motions])[:options.frames]
    poses[:, 0] = 0.0  # as `PenetrationCounter` has it, so that others count in the same coordinates
    body = load_body("open")
    begun = time.perf_counter()
    counter = PenetrationCounter(body, options.device)
    first_s = time.perf_counter() - begun
    counted, ours = best(lambda: counter.pairs(poses), options.rounds, len(poses))
    chosen = torch.linspace(0, len(poses) - 1, options.other_frames).long()
    posed = standing(body, poses[chosen]).cpu().numpy()
    print(json.dumps({
        "machine": torch.cuda.get_device_name() if options.device == "cuda" else platform.machine(),
        "threads": torch.get_num_threads(),
        "frames": len(poses),
        "frames_from": source,
        "triangles": len(body.faces),
        "pen_rate": round(float(counted.double().mean()), 3),
        "compiling_or_loading_s": round(first_s, 2),
        "posing_and_counting": ours,
        "counting": counting(body, poses[:COUNTED_FRAMES], options),
        "others": {count.__name__: measured(count, posed, body.faces, counted[chosen]) for count in OTHERS},
    }, indent=1))


def standing(body: BodyModel, poses: torch.Tensor) -> torch.Tensor:
    return body.vertices(poses, torch.zeros(len(poses), 3))


def counting(body: BodyModel, poses: torch.Tensor, options: Options) -> dict[str, float]:
    """Return the figures of counting alone, in frames posed beforehand."""
    vertices = standing(body, poses)
    counter = PairCounter(body.faces, body.rest_vertices, options.device)
    return best(lambda: all_hits(counter, len(poses), lambda a, b: vertices[a:b]), options.rounds, len(poses))[1]


def measured(
    count: Callable[[np.ndarray, np.ndarray], int], vertices: np.ndarray, faces: np.ndarray, expected: torch.Tensor
) -> dict[str, float | bool] | str:
    """Return a library's figures, and whether its counts are ours; why there are none where it cannot be imported."""
    vertices = vertices.astype(np.float64)
    try:
        counts, figures = best(lambda: [count(frame, faces) for frame in vertices], 2, len(vertices))
    except ImportError as error:
        return f"not measured: {error}"
    return {**figures, "same_counts": counts == expected.tolist()}


def best(work: Callable[[], object], rounds: int, n_frames: int) -> tuple[object, dict[str, float]]:
    """Return what `work` returns, and the figures of its quickest round."""
    taken = []
    for _ in range(rounds):
        begun, cpu = time.perf_counter(), time.process_time()
        result = work()
        taken.append((time.perf_counter() - begun, time.process_time() - cpu))
    seconds, cpu_s = np.min(taken, axis=0) / n_frames
    return result, {"frames_per_s": round(1.0 / seconds, 1), "cpu_ms_per_frame": round(1000.0 * cpu_s, 2)}


def _without_shared_vertices(pairs: np.ndarray, faces: np.ndarray) -> int:
    if not len(pairs):
        return 0
    first, second = faces[pairs[:, 0]], faces[pairs[:, 1]]
    return int((~(first[:, :, None] == second[:, None, :]).any(axis=(1, 2))).sum())


if __name__ == "__main__":
    run_main(main)
