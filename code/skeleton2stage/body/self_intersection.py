"""How many pairs of a mesh's triangles intersect, in many poses of it: on all cores of a CPU, or on a GPU.

What counts: two triangles that share no vertex (by number) and have a point in common, be it that they only touch.
Triangles in one plane count where they overlap; a triangle without area never does. Vertices are taken as the
float32 numbers they are, and the signs that decide are those of determinants computed in float64, where they are
wrong only if a determinant is below about 1e-15 of its terms: corners that touch to within a millionth of a
micrometre, on a body. `mesh.self_intersections` names the pairs of one pose, far more slowly.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import warp as wp

from skeleton2stage.body import intersection_kernels as kernels
from skeleton2stage.body.mesh import check_mesh
from skeleton2stage.devices import pick_device
from skeleton2stage.warp_devices import warp_device

# About as many faces as a leaf of the tree has: fewer make the walk longer, more make more pairs to compare.
FACES_PER_LEAF = 6
# Frames at once. On a CPU what a thread works on should stay in its cache, on a GPU thousands of threads want work.
CPU_FRAMES, GPU_FRAMES = 16, 1024
# A mesh that is flat along an axis fits any grid there.
_LEAST_EXTENT_M = 1e-20


class PairCounter:
    """Counts the intersecting pairs of one mesh's triangles in any number of poses of it.

    Attributes: device; n_groups, G.
    """

    def __init__(
        self,
        faces: np.ndarray,
        rest_vertices: np.ndarray,
        device: str = "auto",
        groups: np.ndarray | None = None,
        n_groups: int = 1,
        near: np.ndarray | None = None,
    ) -> None:
        """Prepare for a mesh of faces [N, 3], kernels being compiled the first time on a machine.

        rest_vertices: [V, 3], a pose in which triangles that stay together are close and others are not; only
            speed depends on it.
        device: auto, cpu or cuda.
        groups, n_groups: [N] and G, to which of G groups each face belongs; all to group 0 where None.
        near: [G, G] bool and symmetric, which groups' pairs are kept apart from those of the others; none where None.

        Raises ValueError where shapes do not fit, UserError where there is no such device.
        """
        check_mesh(rest_vertices, faces)
        groups = np.zeros(len(faces), dtype=np.int32) if groups is None else np.asarray(groups)
        if groups.shape != (len(faces),) or not 0 <= groups.min(initial=0) <= groups.max(initial=0) < n_groups:
            raise ValueError(f"groups must be [{len(faces)}] numbers under {n_groups}, got {groups.shape}")
        near = np.zeros((0, 0), dtype=bool) if near is None else np.asarray(near, dtype=bool)
        if near.size and (near.shape != (n_groups, n_groups) or (near != near.T).any()):
            raise ValueError(f"near must be [{n_groups}, {n_groups}] and symmetric, got {near.shape}")
        self.device = pick_device(device)
        self.n_groups = n_groups
        self._n_vertices = len(rest_vertices)
        self._depth = max(1, round(np.log2(max(len(faces), 1) / FACES_PER_LEAF)))
        order = tree_order(rest_vertices[faces].mean(axis=1), self._depth)
        self._wp_device = warp_device(self.device)
        wp.load_module(kernels, device=self._wp_device)
        self._faces = wp.array(faces[order].astype(np.int32), dtype=wp.vec3i, device=self._wp_device)
        self._groups = wp.array(groups[order].astype(np.int32), device=self._wp_device)
        self._apart = wp.array((~near).astype(np.int32), dtype=wp.int32, ndim=2, device=self._wp_device)
        self._starts = wp.array(_starts(len(faces), self._depth).astype(np.int32), device=self._wp_device)

    def hits(self, vertices: torch.Tensor) -> torch.Tensor:
        """Return for poses [F, V, 3] how many faces of each group are in intersecting pairs, [F, 2, G] int32.

        First those in pairs of groups that are `near` each other, then those in all other pairs. A face counts once
        for every pair that it is in, so that a frame's sum is twice the number of pairs. All frames are worked on at
        once, on one thread or on the GPU, without waiting for it.
        """
        if vertices.ndim != 3 or tuple(vertices.shape[1:]) != (self._n_vertices, 3):
            raise ValueError(f"vertices must be [F, {self._n_vertices}, 3], got {tuple(vertices.shape)}")
        vertices = vertices.to(self.device, torch.float32).contiguous()
        hits = torch.zeros(len(vertices), 2, self.n_groups, dtype=torch.int32, device=self.device)
        if len(vertices) and len(self._faces):
            with _on_torchs_stream(self.device):
                self._launch(vertices, hits)
        return hits

    def _launch(self, vertices: torch.Tensor, hits: torch.Tensor) -> None:
        n_frames, n_leaves = len(vertices), 2**self._depth
        low, high = vertices.amin(dim=1), vertices.amax(dim=1)
        # A little under the number of cells, so that rounding up cannot reach the next.
        cells_per_m = (kernels.CELLS - 0.01) / (high - low).clamp(min=_LEAST_EXTENT_M)
        points, low, cells_per_m = (wp.from_torch(t, dtype=wp.vec3) for t in (vertices, low, cells_per_m))
        face_boxes = wp.empty((n_frames, len(self._faces)), dtype=wp.uint64, device=self._wp_device)
        boxes = wp.empty((n_frames, 2 * n_leaves), dtype=wp.uint64, device=self._wp_device)
        self._run(kernels.enclose_faces, face_boxes.shape, points, self._faces, low, cells_per_m, face_boxes)
        self._run(kernels.enclose_leaves, (n_frames, n_leaves), self._starts, face_boxes, boxes)
        for level in reversed(range(self._depth)):
            self._run(kernels.enclose_children, (n_frames, 2**level), 2**level, boxes)
        mesh = points, self._faces, self._groups, self._apart
        tree = self._starts, face_boxes, boxes
        self._run(kernels.count_pairs, (n_frames, n_leaves), *mesh, *tree, wp.from_torch(hits))

    def _run(self, kernel: wp.Kernel, threads: tuple[int, ...], *inputs: wp.array | int) -> None:
        wp.launch(kernel, dim=threads, inputs=inputs, device=self._wp_device)


def intersecting_pairs(vertices: torch.Tensor, faces: np.ndarray, device: str = "auto") -> torch.Tensor:
    """Return for poses [F, V, 3] of faces [N, 3] the number of intersecting pairs of triangles, [F] int64 on the CPU.

    The module's docstring says which pairs count. Frames run on torch's number of threads, or on the GPU.
    Raises ValueError where shapes do not fit or vertices are not finite, UserError where there is no such device.
    """
    if not torch.isfinite(vertices).all():
        raise ValueError("vertices have NaN or infinity")
    if not len(vertices):
        return torch.zeros(0, dtype=torch.int64)
    counter = PairCounter(faces, vertices[0].cpu().numpy(), device)
    return pairs_of(all_hits(counter, len(vertices), lambda start, stop: vertices[start:stop]))


def pairs_of(hits: torch.Tensor) -> torch.Tensor:
    """Return the number of pairs [F] int64 of what `PairCounter.hits` returns [F, 2, G]."""
    return hits.sum(dim=(1, 2), dtype=torch.int64) // 2


def apart_pairs_of(hits: torch.Tensor) -> torch.Tensor:
    """Return the number of pairs [F] int64 of groups that are not near each other, of `PairCounter.hits` [F, 2, G]."""
    return hits[:, 1].sum(dim=1, dtype=torch.int64) // 2


def all_hits(counter: PairCounter, n_frames: int, pose: Callable[[int, int], torch.Tensor]) -> torch.Tensor:
    """Return `PairCounter.hits` of any number of frames, [F, 2, G] int32 on the counter's device.

    Few of them are posed at a time.

    pose: returns the vertices of frames start to stop. On a CPU several threads call it, as many as torch has.
    """
    # Written in place: small results kept from each chunk would pin the memory of the large ones between them.
    hits = torch.zeros(n_frames, 2, counter.n_groups, dtype=torch.int32, device=counter.device)
    on_gpu = counter.device.type == "cuda"
    step = GPU_FRAMES if on_gpu else CPU_FRAMES

    def count(start: int) -> None:
        stop = min(start + step, n_frames)
        hits[start:stop] = counter.hits(pose(start, stop))

    if on_gpu:
        for start in range(0, n_frames, step):
            count(start)
    else:
        _on_all_threads(count, range(0, n_frames, step))
    return hits


def _on_all_threads(work: Callable[[int], None], jobs: Iterable[int]) -> None:
    """Do jobs on as many threads as torch has, each of which leaves torch one thread.

    Warp's CPU kernels run on the thread that launches them, and leave Python's lock to the others meanwhile.
    """
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            deque(pool.map(work, jobs), maxlen=0)  # waits, and raises what a job has raised
    finally:
        torch.set_num_threads(threads)


def tree_order(centers: np.ndarray, depth: int) -> np.ndarray:
    """Return the order [N] of points [N, 3] in which a tree of 2**depth leaves has them from left to right.

    Each node halves its points where they spread the most.
    """
    order = np.arange(len(centers))
    for level in range(depth if len(centers) else 0):
        starts = _starts(len(centers), level)
        starts = starts[:-1][np.diff(starts) > 0]
        ordered = centers[order]
        extent = np.maximum.reduceat(ordered, starts) - np.minimum.reduceat(ordered, starts)
        node = np.searchsorted(starts, np.arange(len(centers)), side="right") - 1
        along = ordered[np.arange(len(centers)), extent.argmax(axis=1)[node]]
        order = order[np.lexsort((along, node))]
    return order


def _starts(n_faces: int, level: int) -> np.ndarray:
    """Return where the faces of each of a level's nodes start, and the last one's end [2**level + 1]."""
    return np.arange(2**level + 1) * n_faces // 2**level


def _on_torchs_stream(device: torch.device) -> contextlib.AbstractContextManager:
    """Have Warp's launches follow torch's in program order."""
    if device.type == "cpu":
        return contextlib.nullcontext()
    return wp.ScopedStream(wp.stream_from_torch(torch.cuda.current_stream(device)))
