"""Warp kernels behind `self_intersection`: a tree of boxes over the faces in each frame, and the pairs that meet.

The tree is perfect and binary, without pointers: node 1 is the root, 2k and 2k + 1 are the children of node k,
and leaf i of L is node L + i, which owns the faces starts[i] to starts[i + 1] (so faces must come in an order that
keeps neighbours together). All frames share it; only the boxes are a frame's own.

A box is one 64-bit number: six lanes of ten bits, the highest cell that it reaches along x, y, z, plus one, and
511 minus the lowest, on a grid of 512 cells a side that just holds the frame's mesh. Adding a box to another whose
halves are swapped then tells of all three axes at once whether they overlap: the top bit of every lane is set.
Since finding a point's cell never changes the order of two points, boxes that overlap on paper do so here.
"""

import warp as wp

wp.set_module_options({"enable_backward": False})

CELLS = 512
LANE_BITS = 10
_LAST_CELL = wp.constant(CELLS - 1)
_LANE = wp.constant(wp.uint64(2**LANE_BITS - 1))
_LANE_BITS = wp.constant(LANE_BITS)
_HALF = wp.constant(wp.uint64(2 ** (3 * LANE_BITS) - 1))
_HALF_BITS = wp.constant(wp.uint64(3 * LANE_BITS))
_TOP_BITS = wp.constant(wp.uint64(sum(CELLS << (LANE_BITS * lane) for lane in range(6))))
_ZERO = wp.constant(wp.float64(0.0))


@wp.func
def _cell(point: wp.vec3, origin: wp.vec3, cells_per_m: wp.vec3) -> wp.vec3i:
    scaled = wp.cw_mul(point - origin, cells_per_m)
    return wp.vec3i(int(scaled[0]), int(scaled[1]), int(scaled[2]))


@wp.func
def _union(a: wp.uint64, b: wp.uint64) -> wp.uint64:
    """Return the box around two: the greater of each lane. Zero is the empty box."""
    union = wp.uint64(0)
    for k in range(6):
        lane = _LANE << wp.uint64(k * _LANE_BITS)
        union = union | wp.max(a & lane, b & lane)
    return union


@wp.func
def _swapped(box: wp.uint64) -> wp.uint64:
    return (box >> _HALF_BITS) | ((box & _HALF) << _HALF_BITS)


@wp.func
def _overlap(box: wp.uint64, swapped_other: wp.uint64) -> bool:
    return ((box + swapped_other) & _TOP_BITS) == _TOP_BITS


@wp.kernel
def enclose_faces(
    vertices: wp.array2d[wp.vec3],
    faces: wp.array[wp.vec3i],
    origin: wp.array[wp.vec3],
    cells_per_m: wp.array[wp.vec3],
    face_boxes: wp.array2d[wp.uint64],
) -> None:
    """Set face_boxes [F, N] from vertices [F, V] and the corner and scale [F] of each frame's grid; F x N threads."""
    frame, i = wp.tid()
    face = faces[i]
    a = _cell(vertices[frame, face[0]], origin[frame], cells_per_m[frame])
    b = _cell(vertices[frame, face[1]], origin[frame], cells_per_m[frame])
    c = _cell(vertices[frame, face[2]], origin[frame], cells_per_m[frame])
    low = wp.min(wp.min(a, b), c)
    high = wp.max(wp.max(a, b), c)
    box = wp.uint64(0)
    for axis in range(3):
        box = box | (wp.uint64(high[axis] + 1) << wp.uint64(axis * _LANE_BITS))
        box = box | (wp.uint64(_LAST_CELL - low[axis]) << wp.uint64((axis + 3) * _LANE_BITS))
    face_boxes[frame, i] = box


@wp.kernel
def enclose_leaves(
    starts: wp.array[wp.int32], face_boxes: wp.array2d[wp.uint64], boxes: wp.array2d[wp.uint64]
) -> None:
    """Set the leaves' boxes [F, 2 L] from those of their faces [F, N]; F x L threads."""
    frame, leaf = wp.tid()
    box = wp.uint64(0)
    for i in range(starts[leaf], starts[leaf + 1]):
        box = _union(box, face_boxes[frame, i])
    boxes[frame, starts.shape[0] - 1 + leaf] = box


@wp.kernel
def enclose_children(first_node: int, boxes: wp.array2d[wp.uint64]) -> None:
    """Set the boxes [F, 2 L] of the tree's level that begins with `first_node`; F x (its nodes) threads."""
    frame, i = wp.tid()
    node = first_node + i
    boxes[frame, node] = _union(boxes[frame, 2 * node], boxes[frame, 2 * node + 1])


@wp.func
def _share_vertex(a: wp.vec3i, b: wp.vec3i) -> bool:
    # Nine comparisons joined by `or` would be nine branches, each a gamble for the processor.
    least = a[0] ^ b[0]
    for k in range(3):
        for m in range(3):
            least = wp.min(least, a[k] ^ b[m])
    return least == 0


@wp.func
def _float64(point: wp.vec3) -> wp.vec3d:
    return wp.vec3d(wp.float64(point[0]), wp.float64(point[1]), wp.float64(point[2]))


@wp.func
def _corners(vertices: wp.array2d[wp.vec3], frame: int, face: wp.vec3i) -> wp.mat33d:
    """Return a triangle, a corner in each row."""
    return wp.matrix_from_rows(
        _float64(vertices[frame, face[0]]), _float64(vertices[frame, face[1]]), _float64(vertices[frame, face[2]])
    )


@wp.func
def _normal(triangle: wp.mat33d) -> wp.vec3d:
    return wp.cross(triangle[1] - triangle[0], triangle[2] - triangle[0])


@wp.func
def _heights(direction: wp.vec3d, start: wp.vec3d, triangle: wp.mat33d) -> wp.vec3d:
    """Return how far each corner lies beyond `start` along `direction`, times that one's length."""
    return wp.vec3d(
        wp.dot(direction, triangle[0] - start),
        wp.dot(direction, triangle[1] - start),
        wp.dot(direction, triangle[2] - start),
    )


@wp.func
def _all_above(h: wp.vec3d) -> bool:
    return h[0] > _ZERO and h[1] > _ZERO and h[2] > _ZERO


@wp.func
def _side_alone(h: wp.vec3d, k: int) -> int:
    """Return 1 or -1 where corner k, of heights h, is alone above or below, others at most reaching the plane.

    A corner within the plane whose others are both on one side counts as alone on the other side. Else 0.
    """
    own, second, third = h[k], h[(k + 1) % 3], h[(k + 2) % 3]
    if (own > _ZERO and second <= _ZERO and third <= _ZERO) or (own == _ZERO and second < _ZERO and third < _ZERO):
        return 1
    if (own < _ZERO and second >= _ZERO and third >= _ZERO) or (own == _ZERO and second > _ZERO and third > _ZERO):
        return -1
    return 0


@wp.func
def _corner_alone(h: wp.vec3d) -> int:
    """Return which corner is alone on its side of a plane that the triangle meets and does not lie in."""
    if _side_alone(h, 0) != 0:
        return 0
    if _side_alone(h, 1) != 0:
        return 1
    return 2


@wp.func
def _span(p: wp.vec3d, q: wp.vec3d, r: wp.vec3d, s: wp.vec3d) -> wp.float64:
    """Return six times the signed volume of the tetrahedron p, q, r, s."""
    return wp.dot(wp.cross(q - p, r - p), s - p)


@wp.func
def _edge_separates(normal: wp.vec3d, triangle: wp.mat33d, other: wp.mat33d) -> bool:
    """Say of two triangles in a plane whether the line of an edge of the first has the other on its outer side."""
    for k in range(3):
        outward = wp.cross(triangle[(k + 1) % 3] - triangle[k], normal)
        if _all_above(_heights(outward, triangle[k], other)):
            return True
    return False


@wp.func
def _cross_planes(a: wp.mat33d, b: wp.mat33d, heights_a: wp.vec3d, heights_b: wp.vec3d) -> bool:
    """Say whether triangles meet, each of which meets the other's plane and does not lie in it.

    heights_a: of a's corners over b's plane; heights_b the other way round. Both triangles cut the line in which
    the planes meet, each with the two edges of the corner that is alone on its side. The cuts overlap unless one
    ends before the other begins, and the order of two ends is the sign of the volume that their edges span
    (Guigue and Devillers, Fast and robust triangle-triangle overlap test using orientation predicates, 2003).
    """
    i = _corner_alone(heights_a)
    j = _corner_alone(heights_b)
    a_second, a_third = a[(i + 1) % 3], a[(i + 2) % 3]
    b_second, b_third = b[(j + 1) % 3], b[(j + 2) % 3]
    if _side_alone(heights_b, j) < 0:
        a_second, a_third = a_third, a_second
    if _side_alone(heights_a, i) < 0:
        b_second, b_third = b_third, b_second
    return _span(a[i], a_second, b[j], b_second) <= _ZERO and _span(a[i], a_third, b_third, b[j]) <= _ZERO


@wp.func
def _meet(a: wp.mat33d, b: wp.mat33d) -> bool:
    """Say whether two triangles have a common point; false where one has no area."""
    normal_a = _normal(a)
    heights_b = _heights(normal_a, a[0], b)
    if _all_above(heights_b) or _all_above(-heights_b):
        return False
    normal_b = _normal(b)
    heights_a = _heights(normal_b, b[0], a)
    if _all_above(heights_a) or _all_above(-heights_a):
        return False
    if wp.length_sq(normal_a) == _ZERO or wp.length_sq(normal_b) == _ZERO:
        return False
    if wp.length_sq(heights_a) == _ZERO or wp.length_sq(heights_b) == _ZERO:
        return not (_edge_separates(normal_a, a, b) or _edge_separates(normal_b, b, a))
    return _cross_planes(a, b, heights_a, heights_b)


@wp.func
def _kind(apart: wp.array2d[wp.int32], group: int, other: int) -> int:
    if apart.shape[0] == 0:
        return 1
    return apart[group, other]


@wp.kernel
def count_pairs(
    vertices: wp.array2d[wp.vec3],
    faces: wp.array[wp.vec3i],
    groups: wp.array[wp.int32],
    apart: wp.array2d[wp.int32],
    starts: wp.array[wp.int32],
    face_boxes: wp.array2d[wp.uint64],
    boxes: wp.array2d[wp.uint64],
    hits: wp.array3d[wp.int32],
) -> None:
    """Add one to hits [F, 2, G] at the group of either face of each pair that meets without sharing a vertex.

    The middle index is what apart [G, G] says of the two groups, 0 or 1; where it is empty, 1.

    F x L threads: each walks from its own leaf to the right through the tree, so that a pair is met once. The
    node after k is its left child, or, where its box is too far, the next one to the right of its subtree.
    """
    frame, leaf = wp.tid()
    n_leaves = starts.shape[0] - 1
    node = n_leaves + leaf
    own = _swapped(boxes[frame, node])
    while node > 1:
        box = boxes[frame, node]
        if _overlap(box, own):
            if node < n_leaves:
                node = 2 * node
                continue
            other = node - n_leaves
            box = _swapped(box)
            for i in range(starts[leaf], starts[leaf + 1]):
                if _overlap(face_boxes[frame, i], box):
                    face_box = _swapped(face_boxes[frame, i])
                    for j in range(wp.max(i + 1, starts[other]), starts[other + 1]):
                        if (
                            _overlap(face_boxes[frame, j], face_box)
                            and not _share_vertex(faces[i], faces[j])
                            and _meet(_corners(vertices, frame, faces[i]), _corners(vertices, frame, faces[j]))
                        ):
                            kind = _kind(apart, groups[i], groups[j])
                            wp.atomic_add(hits, frame, kind, groups[i], 1)
                            wp.atomic_add(hits, frame, kind, groups[j], 1)
        while node % 2 == 1:
            node = node // 2
        if node > 0:
            node = node + 1
