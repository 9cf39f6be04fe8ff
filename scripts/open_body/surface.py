"""The outer surface of a mesh that intersects itself: winding number, marching cubes, decimation."""

from collections.abc import Callable

import igl
import numpy as np
from scipy import ndimage, sparse
from skimage.measure import marching_cubes

from skeleton2stage.body import mesh

BAND_VOXELS = 4.0
UNTANGLING_ROUNDS = 40


def outer_surface(
    vertices: np.ndarray, faces: np.ndarray, voxel_m: float, close_radius: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the closed outer surface (vertices, faces) of the solid that `faces` wrap, overlaps joined.

    A point is inside where the generalised winding number is over one half (Jacobson et al. 2013).
    Gaps narrower than `close_radius` (metres, from heights y in metres) are filled, and so is every
    cavity, so that mouth and nostrils do not count as surface.
    """
    distance, origin = _signed_distance_grid(vertices, faces, voxel_m)
    rows_m = origin[1] + voxel_m * np.arange(distance.shape[1])
    distance = _fill(distance, close_radius(rows_m) / voxel_m)
    smooth = ndimage.gaussian_filter(np.clip(distance, -3.0, 3.0), 0.8)
    found, triangles, _, _ = marching_cubes(smooth, level=0.0)
    found, triangles = largest_component(found * voxel_m + origin, triangles.astype(np.int64))
    return found, outward(found, triangles)


def _signed_distance_grid(
    vertices: np.ndarray, faces: np.ndarray, voxel_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the signed distance in voxels, exact within a band at the surface, and the grid's origin."""
    margin = (BAND_VOXELS + 2) * voxel_m
    origin = vertices.min(0) - margin
    shape = np.ceil((np.ptp(vertices, axis=0) + 2 * margin) / voxel_m).astype(int) + 1
    band = np.argwhere(_near_surface(vertices, faces, origin, shape, voxel_m))
    winding = igl.SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER
    points = band * voxel_m + origin
    signed = igl.signed_distance(points, vertices, faces.astype(np.int64), sign_type=winding)[0]
    distance = np.full(shape, np.nan, dtype=np.float32)
    distance[tuple(band.T)] = signed / voxel_m
    return _sign_far_cells(distance), origin


def _near_surface(
    vertices: np.ndarray, faces: np.ndarray, origin: np.ndarray, shape: np.ndarray, voxel_m: float
) -> np.ndarray:
    """Return which grid cells [X, Y, Z] may be within the band of the surface."""
    touched = np.zeros(shape, dtype=bool)
    corners = vertices[faces]
    for u, v in np.mgrid[0:13, 0:13].reshape(2, -1).T / 12.0:
        if u + v <= 1.0:
            points = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
            touched[tuple(np.round((points - origin) / voxel_m).astype(int).T)] = True
    return ndimage.distance_transform_edt(~touched) <= BAND_VOXELS


def _sign_far_cells(distance: np.ndarray) -> np.ndarray:
    """Return the grid with cells beyond the band outside where they join the border, else inside."""
    regions, _ = ndimage.label(np.isnan(distance))
    outside = regions == regions[0, 0, 0]
    distance = np.where(np.isnan(distance), -BAND_VOXELS, distance)
    distance[outside] = BAND_VOXELS
    return distance


def _fill(distance: np.ndarray, radius_by_row: np.ndarray) -> np.ndarray:
    """Return the grid with narrow gaps and cavities made inside; the radius, in voxels, may vary with y."""
    solid = distance < 0
    to_solid = ndimage.distance_transform_edt(~solid)
    radius = np.broadcast_to(radius_by_row, distance.shape[1])[None, :, None]
    grown = to_solid <= radius
    closed = (ndimage.distance_transform_edt(grown) > radius) & (radius > 0)
    filled = ndimage.binary_fill_holes(solid | closed)
    return np.where(filled & ~solid, -1.0, distance)


def largest_component(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the connected piece with the most faces."""
    _, labels = igl.facet_components(faces)
    return _compact(vertices, faces[labels == np.bincount(labels).argmax()])


def _compact(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, faces = np.unique(faces, return_inverse=True)
    return vertices[used], faces.reshape(-1, 3)


def outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the faces turned so that their normals point out of the solid."""
    corners = vertices[faces]
    volume = np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return faces if volume > 0 else faces[:, ::-1].copy()


def decimate(
    vertices: np.ndarray, faces: np.ndarray, n_faces: int, even: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mesh with exactly `n_faces` faces, by edge collapses that keep it a closed manifold.

    Collapses what changes the shape least (quadric error, Garland and Heckbert 1997), or, where `even`,
    the shortest edge, which makes triangles alike in size.
    """
    collapse = igl.decimate if even else igl.qslim
    found, triangles = collapse(np.asfortranarray(vertices), np.asfortranarray(faces, np.int32), n_faces)[:2]
    found, triangles = _compact(found, triangles.astype(np.int64))
    return found, outward(found, triangles)


def averaging_matrix(faces: np.ndarray, n_vertices: int) -> sparse.csr_matrix:
    """Return the matrix [V, V] that puts the mean of its neighbours in a vertex's place."""
    edges = mesh.unique_edges(faces)
    ones = np.ones(len(edges))
    adjacent = sparse.csr_matrix((ones, edges.T), (n_vertices, n_vertices))
    adjacent = adjacent + adjacent.T
    return sparse.diags(1.0 / np.asarray(adjacent.sum(1)).ravel()) @ adjacent


def smooth(vertices: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:
    """Return vertices [V, 3] without ripples and, nearly, without shrinking (Taubin 1995)."""
    mean = averaging_matrix(faces, len(vertices))
    for _ in range(rounds):
        for step in (0.5, -0.53):
            vertices = vertices + step * (mean @ vertices - vertices)
    return vertices


def untangle(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return vertices [V, 3] with those of intersecting triangles smoothed until none intersect, if possible."""
    mean = averaging_matrix(faces, len(vertices))
    for _ in range(UNTANGLING_ROUNDS):
        pairs = mesh.self_intersections(vertices, faces)
        if not len(pairs):
            break
        tangled = np.unique(faces[pairs])
        vertices = vertices.copy()
        vertices[tangled] += 0.5 * ((mean @ vertices)[tangled] - vertices[tangled])
    return vertices
