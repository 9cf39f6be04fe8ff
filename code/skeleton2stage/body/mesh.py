"""Triangle meshes as arrays: closedness, Euler characteristic, volume, exact self-intersection."""

import numpy as np
from scipy import sparse

# Candidate pairs tested at once: bounds memory to about a hundred megabytes.
PAIRS_PER_CHUNK = 100_000
# How many candidate triangles the sweep compares with at once.
SWEEP_ROWS = 2048


def check_mesh(vertices: np.ndarray, faces: np.ndarray) -> None:
    """Raise ValueError unless vertices are [V, 3] and faces [F, 3] name them."""
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise ValueError(f"vertices must be [V, 3], got {vertices.shape}")
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError(f"faces must be [F, 3], got {faces.shape}")
    if faces.size and not 0 <= faces.min() <= faces.max() < len(vertices):
        raise ValueError(f"faces name vertices {faces.min()} to {faces.max()}, but there are {len(vertices)}")


def unique_edges(faces: np.ndarray) -> np.ndarray:
    """Return the undirected edges [E, 2] of faces [F, 3], each once, lower vertex first."""
    return np.unique(np.sort(_half_edges(faces), axis=1), axis=0)


def _half_edges(faces: np.ndarray) -> np.ndarray:
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def is_closed(faces: np.ndarray) -> bool:
    """Say whether faces [F, 3] bound a solid: every edge is in two faces, which pass it in opposite ways."""
    half = _half_edges(faces)
    once = len(np.unique(half, axis=0)) == len(half)
    return once and np.array_equal(np.unique(half, axis=0), np.unique(half[:, ::-1], axis=0))


def euler_characteristic(faces: np.ndarray) -> int:
    """Return V - E + F of the vertices that faces [F, 3] use: 2 for one closed piece without handles."""
    return len(np.unique(faces)) - len(unique_edges(faces)) + len(faces)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Return the volume, in cubed units of `vertices` [V, 3], within closed faces [F, 3] turned outward.

    The divergence theorem: a sixth of the sum of the triple products of the triangles' corners.
    """
    check_mesh(vertices, faces)
    a, b, c = np.moveaxis(vertices[faces].astype(np.float64), 1, 0)
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6.0)


def face_incidence(faces: np.ndarray, n_vertices: int) -> sparse.csr_matrix:
    """Return the matrix [V, F] with 1 where a face has a vertex."""
    columns = np.repeat(np.arange(len(faces)), 3)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((ones, (faces.ravel(), columns)), shape=(n_vertices, len(faces)))


def vertex_normals(vertices: np.ndarray, faces: np.ndarray, incidence: sparse.csr_matrix) -> np.ndarray:
    """Return unit normals [V, 3]: the area-weighted mean of the normals of the faces around each vertex."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normals = incidence @ np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def self_intersections(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the pairs [K, 2] of triangles that intersect and share no vertex; in a row the lower first.

    Two triangles without a common vertex intersect where an edge of one passes through the other, or,
    where they lie in one plane, where they overlap; touching counts. Computed in float64.
    """
    check_mesh(vertices, faces)
    corners = vertices.astype(np.float64)[faces]
    candidates = _overlapping_boxes(corners.min(1), corners.max(1))
    shared = (faces[candidates[:, 0], :, None] == faces[candidates[:, 1], None, :]).any((1, 2))
    candidates = candidates[~shared]
    hits = [
        triangles_intersect(corners[chunk[:, 0]], corners[chunk[:, 1]])
        for chunk in np.array_split(candidates, max(1, -(-len(candidates) // PAIRS_PER_CHUNK)))
    ]
    return candidates[np.concatenate(hits)]


def _overlapping_boxes(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the pairs [K, 2], lower index first, of boxes low..high [F, 3] that overlap.

    Sweep along the axis on which the boxes spread the most: only those whose intervals there overlap
    are compared on the other two.
    """
    axis = int(np.argmax(np.ptp(low, axis=0)))
    order = np.argsort(low[:, axis], kind="stable")
    low, high = low[order], high[order]
    ends = np.searchsorted(low[:, axis], high[:, axis], side="right")
    found = [np.zeros((0, 2), dtype=np.int64)]
    for start in range(0, len(low), SWEEP_ROWS):
        first, second = _sweep_pairs(np.arange(start, min(start + SWEEP_ROWS, len(low))), ends)
        overlap = ((low[first] <= high[second]) & (low[second] <= high[first])).all(1)
        found.append(order[np.stack([first[overlap], second[overlap]], axis=1)])
    return np.sort(np.concatenate(found), axis=1)


def _sweep_pairs(rows: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each of `rows` paired with every later box that starts before it ends."""
    counts = ends[rows] - rows - 1
    first = np.repeat(rows, counts)
    within = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, first + 1 + within


def triangles_intersect(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return for K pairs of triangles [K, 3, 3] whether they have a point in common [K]."""
    hit = _edge_through_triangle(first, second) | _edge_through_triangle(second, first)
    flat = _coplanar(first, second)
    hit[flat] = _coplanar_overlap(first[flat], second[flat])
    return hit


def _normal(triangles: np.ndarray) -> np.ndarray:
    return np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])


def _heights(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return how far points [K, 3, 3] are over each triangle's plane, times its normal's length [K, 3]."""
    return np.einsum("ki,kpi->kp", _normal(triangles), points - triangles[:, :1])


def _coplanar(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (_heights(first, second) == 0).all(1)


def _edge_through_triangle(edges_of: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return whether any edge of `edges_of` [K, 3, 3] meets the inside or rim of `triangles` [K, 3, 3].

    An edge crosses the plane where its ends are on different sides; it crosses within the triangle where
    the volumes it spans with the triangle's three edges have one sign. Edges within the plane are left
    to the other triangle's edges.
    """
    height = _heights(triangles, edges_of)
    hit = np.zeros(len(triangles), dtype=bool)
    for start in range(3):
        end = (start + 1) % 3
        apart = (height[:, start] * height[:, end] <= 0) & (height[:, start] != height[:, end])
        p, q = edges_of[:, start], edges_of[:, end]
        spans = np.stack([_span(p, q, triangles[:, k], triangles[:, (k + 1) % 3]) for k in range(3)], axis=1)
        hit |= apart & ((spans >= 0).all(1) | (spans <= 0).all(1))
    return hit


def _span(p: np.ndarray, q: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return six times the signed volume [K] of tetrahedra p, q, a, b, each [K, 3]."""
    return np.einsum("ki,ki->k", q - p, np.cross(a - p, b - p))


def _coplanar_overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return whether pairs of triangles in one plane overlap: no edge's line separates them [K]."""
    separated = np.zeros(len(first), dtype=bool)
    for triangles, others in ((first, second), (second, first)):
        normal = _normal(triangles)
        for k in range(3):
            start, edge = triangles[:, k], triangles[:, (k + 1) % 3] - triangles[:, k]
            outward = np.cross(edge, normal)
            separated |= (np.einsum("ki,kpi->kp", outward, others - start[:, None]) > 0).all(1)
    return ~separated
