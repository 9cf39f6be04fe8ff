"""Mesh functions against solids and triangle pairs whose answers are known."""

import numpy as np
import pytest
import trimesh

from skeleton2stage.body import mesh

TRIANGLE = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0]])


def intersect(second) -> bool:
    """Return whether TRIANGLE and `second` intersect, asked both ways round and in every corner order."""
    second = np.asarray(second, dtype=float)
    answers = {
        bool(mesh.triangles_intersect(np.roll(a, turn, axis=0)[None], b[None])[0])
        for a, b in ((TRIANGLE, second), (second, TRIANGLE), (TRIANGLE[::-1], second[::-1]))
        for turn in range(3)
    }
    assert len(answers) == 1, "the answer depends on the order of corners"
    return answers.pop()


@pytest.mark.parametrize(("second", "expected"), [
    ([[1, 1, -1], [1, 1, 1], [5, 5, 1]], True),          # an edge through the inside
    ([[-1, -1, -1], [1, 1, 3], [-1, -1, 3]], False),     # crosses the plane beside the triangle
    ([[1, 1, 1], [2, 1, 1], [1, 2, 1]], False),          # parallel above
    ([[1, 1, 0], [2, 1, 5], [1, 2, 5]], True),           # touches with a corner
    ([[6, 6, -1], [6, 6, 1], [1, 1, 0]], True),          # a corner in the plane, inside
    ([[6, 6, -1], [6, 6, 1], [2.5, 2.5, 0]], False),     # a corner in the plane, outside
    ([[1, -1, 0], [1, 5, 0], [1, 1, 3]], True),          # an edge lies in the plane, across
    ([[-1, 5, 0], [5, 5, 0], [1, 5, 3]], False),         # an edge lies in the plane, beside
    ([[1, 1, 0], [2, 1, 0], [1, 2, 0]], True),           # same plane, one within the other
    ([[-9, -9, 0], [30, -9, 0], [-9, 30, 0]], True),     # same plane, around it
    ([[3, 3, 0], [5, 3, 0], [3, 5, 0]], False),          # same plane, apart
    ([[2, -3, 0], [3, 5, 0], [2.5, 5, 0]], True),        # same plane, edges cross
])
def test_triangle_pairs(second, expected):
    assert intersect(second) is expected


def test_triangle_test_agrees_with_sampled_distance():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 3000, 3, 3))
    hit = mesh.triangles_intersect(first, second)
    assert 0.1 < hit.mean() < 0.9
    np.testing.assert_array_equal(hit, [crosses_by_solving(a, b) for a, b in zip(first, second, strict=True)])


def crosses_by_solving(first, second) -> bool:
    """Decide by solving for the point where each edge meets the other's plane, in its own coordinates."""
    for a, b in ((first, second), (second, first)):
        for k in range(3):
            p, q = a[k], a[(k + 1) % 3]
            s, u, v = np.linalg.solve(np.stack([q - p, b[0] - b[1], b[0] - b[2]], axis=1), b[0] - p)
            if 0 <= s <= 1 and u >= 0 and v >= 0 and u + v <= 1:
                return True
    return False


def two_spheres(shift: float) -> tuple[np.ndarray, np.ndarray]:
    ball = trimesh.creation.icosphere(subdivisions=2)
    vertices = np.concatenate([ball.vertices, ball.vertices + [shift, 0.013, 0.007]])
    return vertices, np.concatenate([ball.faces, ball.faces + len(ball.vertices)])


def test_self_intersections_equal_all_pairs():
    vertices, faces = two_spheres(1.0)
    first, second = np.triu_indices(len(faces), k=1)
    apart = ~(faces[first][:, :, None] == faces[second][:, None, :]).any((1, 2))
    first, second = first[apart], second[apart]
    hit = mesh.triangles_intersect(vertices[faces[first]], vertices[faces[second]])
    expected = set(zip(first[hit].tolist(), second[hit].tolist(), strict=True))
    found = [tuple(pair) for pair in mesh.self_intersections(vertices, faces).tolist()]
    assert len(found) > 50
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_self_intersections_join_only_the_two_spheres():
    vertices, faces = two_spheres(1.0)
    pairs = mesh.self_intersections(vertices, faces)
    half = len(faces) // 2
    assert (pairs[:, 0] < half).all() and (pairs[:, 1] >= half).all()


def test_no_self_intersections_when_apart_or_sharing_vertices():
    assert mesh.self_intersections(*two_spheres(2.5)).shape == (0, 2)


def test_pairs_do_not_depend_on_place_and_size():
    vertices, faces = two_spheres(1.2)
    pairs = mesh.self_intersections(vertices, faces)
    moved = mesh.self_intersections(0.25 * vertices[:, [1, 2, 0]] + 8.0, faces)
    assert set(map(tuple, pairs.tolist())) == set(map(tuple, moved.tolist()))


def test_chunks_do_not_change_the_answer(monkeypatch):
    vertices, faces = two_spheres(1.0)
    whole = mesh.self_intersections(vertices, faces)
    monkeypatch.setattr(mesh, "PAIRS_PER_CHUNK", 7)
    monkeypatch.setattr(mesh, "SWEEP_ROWS", 5)
    parts = mesh.self_intersections(vertices, faces)
    assert set(map(tuple, whole.tolist())) == set(map(tuple, parts.tolist()))


def test_volume_of_a_box_anywhere():
    box = trimesh.creation.box((1.0, 2.0, 3.0))
    assert mesh.volume(box.vertices + [5.0, -3.0, 2.0], box.faces) == pytest.approx(6.0, abs=1e-12)
    assert mesh.volume(box.vertices, box.faces[:, ::-1]) == pytest.approx(-6.0, abs=1e-12)


def test_closedness_sees_holes_and_turned_faces():
    faces = trimesh.creation.icosphere(subdivisions=1).faces
    turned = faces.copy()
    turned[3] = turned[3, ::-1]
    assert mesh.is_closed(faces)
    assert not mesh.is_closed(faces[1:])
    assert not mesh.is_closed(turned)
    assert not mesh.is_closed(np.concatenate([faces, faces[:1]]))


def test_euler_characteristic():
    assert mesh.euler_characteristic(trimesh.creation.icosphere(subdivisions=1).faces) == 2
    assert mesh.euler_characteristic(trimesh.creation.torus(1.0, 0.3).faces) == 0
    assert mesh.euler_characteristic(two_spheres(3.0)[1]) == 4


@pytest.mark.parametrize(("vertices", "faces", "words"), [
    (np.zeros((4, 2)), np.zeros((1, 3), int), "vertices must be"),
    (np.zeros((4, 3)), np.zeros((1, 4), int), "faces must be"),
    (np.zeros((4, 3)), np.array([[0, 1, 4]]), "there are 4"),
])
def test_bad_shapes_are_refused(vertices, faces, words):
    with pytest.raises(ValueError, match=words):
        mesh.self_intersections(vertices, faces)


def test_vertex_normals_of_a_sphere_point_outward():
    ball = trimesh.creation.icosphere(subdivisions=2, radius=0.3)
    vertices = np.array(ball.vertices)
    normals = mesh.vertex_normals(vertices, ball.faces, mesh.face_incidence(ball.faces, len(vertices)))
    assert (normals * vertices / 0.3).sum(axis=1).min() > 0.99
