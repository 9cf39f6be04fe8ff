"""Counts of intersecting triangles against pairs whose answer is known, and two slower ways of counting in float64."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
import trimesh

from skeleton2stage.body import mesh, self_intersection
from skeleton2stage.body.body_model import load_body
from skeleton2stage.body.self_intersection import PairCounter, all_hits, intersecting_pairs, pairs_of, tree_order
from skeleton2stage.errors import UserError

TRIANGLE = [[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0]]
TWO_FACES = np.array([[0, 1, 2], [3, 4, 5]])


def counts(vertices, faces) -> list[int]:
    return intersecting_pairs(torch.as_tensor(np.asarray(vertices, dtype=np.float32)), faces, "cpu").tolist()


def every_order(first, second) -> np.ndarray:
    """Return two triangles as frames [72, 6, 3]: in every order of corners, and either one first."""
    orders = list(itertools.permutations(range(3)))
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    pairs = [(a[list(i)], b[list(j)]) for a, b in ((first, second), (second, first)) for i in orders for j in orders]
    return np.array([np.concatenate(pair) for pair in pairs])


@pytest.mark.parametrize(("second", "expected"), [
    ([[1, 1, -1], [1, 1, 1], [5, 5, 1]], True),          # an edge through the inside
    ([[1, 1, -1], [1, 1, 1], [1, 2, 1]], True),          # a corner through it
    ([[-1, 1, -1], [5, 1, -1], [2, 1, 1]], True),        # each cuts an edge of the other
    ([[-1, -1, -1], [1, 1, 3], [-1, -1, 3]], False),     # crosses the plane beside the triangle
    ([[5, 5, -1], [6, 5, 1], [5, 6, 1]], False),         # each crosses the other's plane elsewhere
    ([[1, 1, 1e-6], [2, 1, 1], [1, 2, 1]], False),       # a micrometre above
    ([[1, 1, 1], [2, 1, 1], [1, 2, 1]], False),          # parallel above
    ([[1, 1, 0], [2, 1, 5], [1, 2, 5]], True),           # touches the inside with a corner
    ([[2, 0, 0], [2, -1, 5], [1, -2, 5]], True),         # touches an edge with a corner
    ([[2, -1, 1], [2, 1, -1], [2, -3, -1]], True),       # touches an edge with an edge
    ([[4, 0, 0], [9, 1, 5], [9, 2, -5]], True),          # corner on corner
    ([[6, 6, -1], [6, 6, 1], [2.5, 2.5, 0]], False),     # a corner in the plane, outside
    ([[1, -1, 0], [1, 5, 0], [1, 1, 3]], True),          # an edge lies in the plane, across
    ([[-1, 5, 0], [5, 5, 0], [1, 5, 3]], False),         # an edge lies in the plane, beside
    ([[0, 0, 0], [4, 0, 0], [2, 2, 3]], True),           # an edge on an edge
    (TRIANGLE, True),                                    # same plane, the same triangle again
    ([[1, 1, 0], [2, 1, 0], [1, 2, 0]], True),           # same plane, one within the other
    ([[3, 3, 0], [5, 3, 0], [3, 5, 0]], False),          # same plane, apart
    ([[2, -3, 0], [3, 5, 0], [2.5, 5, 0]], True),        # same plane, edges cross
    ([[4, 0, 0], [8, 0, 0], [8, 4, 0]], True),           # same plane, corner on corner
    ([[1, 1, -1], [1, 1, 0], [1, 1, 1]], False),         # a segment through it has no area
    ([[1, 1, 0], [1, 1, 0], [1, 1, 0]], False),          # nor has a point on it
    ([[1, 1, -1], [1, 1, 1], [1, 1, 1]], False),         # nor one with a corner twice
])
def test_triangle_pairs(second, expected):
    assert counts(every_order(TRIANGLE, second), TWO_FACES) == [int(expected)] * 72


def test_a_triangle_pair_anywhere_in_space():
    """Turned, scaled and far from the origin, where float32 determinants would have lost their sign."""
    turn = trimesh.transformations.rotation_matrix(1.0, [1, 2, 3])[:3, :3]
    crossing = every_order(TRIANGLE, [[1, 1, -0.01], [1, 1, 0.01], [5, 5, 0.01]]) @ turn.T
    apart = every_order(TRIANGLE, [[1, 1, 0.01], [1, 1, 1], [5, 5, 1]]) @ turn.T
    for scale, shift in ((0.01, 0.0), (1.0, 1000.0), (100.0, -3000.0)):
        assert counts(scale * crossing + shift, TWO_FACES) == [1] * 72
        assert counts(scale * apart + shift, TWO_FACES) == [0] * 72


def soup(n_faces: int, n_vertices: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random triangles, some of which share vertices."""
    rng = np.random.default_rng(seed)
    faces = np.array([rng.choice(n_vertices, 3, replace=False) for _ in range(n_faces)])
    return rng.normal(size=(n_vertices, 3)).astype(np.float32), faces


def pairs_by_solving(vertices, faces) -> np.ndarray:
    """Return which pairs [K, 2] intersect, by where the edges of each meet the other's plane, for general positions."""
    first, second = np.triu_indices(len(faces), k=1)
    apart = ~(faces[first][:, :, None] == faces[second][:, None, :]).any((1, 2))
    first, second = first[apart], second[apart]
    corners, hit = vertices.astype(np.float64)[faces], np.zeros(len(first), dtype=bool)
    for a, b in ((corners[first], corners[second]), (corners[second], corners[first])):
        for p, q in ((a[:, 0], a[:, 1]), (a[:, 1], a[:, 2]), (a[:, 2], a[:, 0])):
            sides = np.stack([q - p, b[:, 0] - b[:, 1], b[:, 0] - b[:, 2]], axis=2)
            s, u, v = np.linalg.solve(sides, (b[:, 0] - p)[:, :, None])[:, :, 0].T
            hit |= (s >= 0) & (s <= 1) & (u >= 0) & (v >= 0) & (u + v <= 1)
    return np.stack([first, second], axis=1)[hit]


@pytest.mark.parametrize(("n_faces", "n_vertices"), [(3, 8), (60, 200), (150, 90), (400, 1500)])
def test_random_triangles_equal_all_pairs_solved(n_faces, n_vertices):
    vertices, faces = soup(n_faces, n_vertices, seed=n_faces)
    expected = pairs_by_solving(vertices, faces)
    counter = PairCounter(faces, vertices, "cpu", groups=np.arange(n_faces), n_groups=n_faces)
    hits = counter.hits(torch.from_numpy(vertices)[None])
    np.testing.assert_array_equal(hits[0, 1], np.bincount(expected.ravel(), minlength=n_faces))
    assert counts(vertices[None], faces) == [len(expected)]


@pytest.fixture(scope="module")
def posed():
    """Return the open body's faces, T-pose, and frames [10, V, 3] whose limbs pass through others and the trunk."""
    body = load_body("open")
    poses = np.random.default_rng(4).normal(scale=0.3, size=(10, 24, 3)).astype(np.float32)
    poses[2:6, 16, 2] -= 1.5  # left arm into the side, right arm across the chest
    poses[4:8, 17, 1] += 1.8
    poses[6:, 1:3, 2] = [-0.6, 0.6]  # legs crossed
    poses[8, 5, 0] = 2.6  # a shin into its thigh
    return body.faces, body.rest_vertices, body.vertices(torch.from_numpy(poses), torch.zeros(10, 3))


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_posed_bodies_equal_the_float64_count(posed, device):
    faces, rest, frames = posed
    expected = [mesh.self_intersections(frame.numpy(), faces) for frame in frames]
    counter = PairCounter(faces, rest, device, groups=np.arange(len(faces)), n_groups=len(faces))
    hits = counter.hits(frames.to(device)).cpu()
    assert pairs_of(hits).tolist() == [len(pairs) for pairs in expected]
    assert pairs_of(hits).max() > 400
    for row, pairs in zip(hits[:, 1], expected, strict=True):
        np.testing.assert_array_equal(row, np.bincount(pairs.ravel(), minlength=len(faces)))


def test_the_tree_does_not_change_the_count(posed):
    faces, rest, frames = posed
    usual = PairCounter(faces, rest, "cpu").hits(frames[4:7])
    shuffled = np.random.default_rng(0).permutation(len(faces))
    unlike = PairCounter(faces[shuffled], frames[8].numpy(), "cpu").hits(frames[4:7])
    assert torch.equal(usual, unlike)


@pytest.mark.parametrize("threads", [1, 3])
def test_frames_are_posed_a_few_at_a_time_on_any_number_of_threads(threads):
    vertices, faces = soup(60, 100, seed=1)
    frames = torch.from_numpy(vertices) * torch.linspace(0.5, 2.0, 100)[:, None, None] ** torch.tensor([1.0, 2.0, 3.0])
    counter, lengths = PairCounter(faces, vertices, "cpu"), []

    def pose(start, stop):
        lengths.append(stop - start)
        return frames[start:stop]

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        streamed = all_hits(counter, len(frames), pose)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(streamed, counter.hits(frames)) and pairs_of(streamed).min() > 10
    assert sum(lengths) == 100 and max(lengths) == self_intersection.CPU_FRAMES


def test_a_failing_pose_is_not_swallowed():
    vertices, faces = soup(9, 20, seed=0)

    def pose(start, stop):
        raise UserError(f"no frames {start} to {stop}")

    with pytest.raises(UserError, match="no frames 0 to 5"):
        all_hits(PairCounter(faces, vertices, "cpu"), 5, pose)


def test_nothing_to_count():
    vertices, faces = soup(9, 20, seed=0)
    assert counts(np.zeros((0, 20, 3)), faces) == []
    assert counts(vertices[None], faces[:0]) == [0]
    assert counts(vertices[None], faces[:1]) == [0]
    ball = trimesh.creation.icosphere(subdivisions=2)
    assert counts(ball.vertices[None], ball.faces) == [0]


@pytest.mark.parametrize(("vertices", "faces", "words"), [
    (torch.zeros(1, 4, 2), np.zeros((1, 3), int), "vertices must be"),
    (torch.zeros(1, 4, 3), np.array([[0, 1, 4]]), "there are 4"),
    (torch.full((1, 4, 3), torch.nan), np.array([[0, 1, 2]]), "NaN"),
])
def test_bad_meshes_are_refused(vertices, faces, words):
    with pytest.raises(ValueError, match=words):
        intersecting_pairs(vertices, faces, "cpu")


def test_other_meshes_and_groups_are_refused():
    vertices, faces = soup(9, 20, seed=0)
    with pytest.raises(ValueError, match=r"must be \[F, 20, 3\]"):
        PairCounter(faces, vertices, "cpu").hits(torch.zeros(1, 19, 3))
    for groups in (np.zeros(8, int), np.full(9, 2), np.full(9, -1)):
        with pytest.raises(ValueError, match=r"groups must be \[9\] numbers under 2"):
            PairCounter(faces, vertices, "cpu", groups, n_groups=2)


@pytest.mark.parametrize(("n", "depth"), [(1, 1), (5, 3), (100, 4), (1000, 7)])
def test_tree_order_keeps_neighbours_together(n, depth):
    centers = np.random.default_rng(n).uniform(size=(n, 3))
    order = tree_order(centers, depth)
    assert sorted(order) == list(range(n))
    if n == 1000:
        leaves = np.split(centers[order], np.arange(1, 2**depth) * n // 2**depth)
        assert np.mean([np.ptp(leaf, axis=0).max() for leaf in leaves]) < 0.4


@pytest.mark.slow
def test_two_processes_may_compile_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("WARP_CACHE_PATH", str(tmp_path))
    code = (
        "import numpy as np, torch; from skeleton2stage.body.self_intersection import intersecting_pairs as f\n"
        "v = torch.tensor([[[0., 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, -1], [.2, .2, 1], [1, 1, 1]]])\n"
        "print(f(v, np.arange(6).reshape(2, 3), 'cpu').tolist())"
    )
    children = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [child.communicate(timeout=120)[0].strip() for child in children] == ["[1]"] * 3
    assert [child.returncode for child in children] == [0] * 3
