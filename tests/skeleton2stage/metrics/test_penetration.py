"""Penetrations of the open body in poses whose trouble is known."""

import numpy as np
import pytest
import torch

from skeleton2stage.body import mesh, self_intersection
from skeleton2stage.body.body_model import load_body
from skeleton2stage.metrics.penetration import (
    PenetrationCounter,
    face_parts,
    neighbouring_parts,
    pen_rate,
    pen_rate_apart,
)

TRUNK_AND_THIGH, LEFT_ARM = (0, 1, 3, 6, 9), (16, 18, 20, 22)


@pytest.fixture(scope="module")
def counter():
    return PenetrationCounter(load_body("open"), "cpu")


@pytest.fixture(scope="module")
def poses():
    """Return the T-pose, the left arm swung into the side, and half the way there, [3, 24, 3]."""
    poses = torch.zeros(3, 24, 3)
    poses[1:, 16, 2] = torch.tensor([-1.75, -0.5])
    return poses


def test_the_t_pose_is_clean_and_an_arm_in_the_side_is_not(counter, poses):
    rest, inside, beside = counter.pairs(poses).tolist()
    assert rest == beside == 0 and inside > 150


def test_parts_say_which_limbs_meet(counter, poses):
    parts = counter.hits(poses).sum(dim=1)
    assert parts.shape == (3, 24)
    assert torch.equal(parts.sum(dim=1), 2 * counter.pairs(poses))
    limbs = parts[1].tolist()
    assert sum(limbs[j] for j in LEFT_ARM) > 100 and sum(limbs[j] for j in TRUNK_AND_THIGH) > 100
    assert limbs[8] == limbs[11] == limbs[21] == 0


def test_where_the_body_is_and_faces_does_not_matter(counter, poses):
    turned = poses.clone()
    turned[:, 0] = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, -1.0], [-3.0, 0.3, 0.0]])
    assert torch.equal(counter.pairs(turned), counter.pairs(poses))


def test_pen_rate_is_the_mean_of_exact_counts(counter, poses):
    body = load_body("open")
    vertices = body.vertices(poses, torch.zeros(3, 3)).numpy()
    exact = [len(mesh.self_intersections(frame, body.faces)) for frame in vertices]
    assert counter.pairs(poses).tolist() == exact
    assert pen_rate(counter.hits(poses)) == pytest.approx(np.mean(exact), rel=1e-12)


def test_a_bent_elbow_is_a_crease_and_an_arm_in_the_side_is_not(counter, poses):
    """Which pairs are of parts apart, found for each pair of the exact list by its triangles' parts."""
    body = load_body("open")
    bent = torch.zeros(2, 24, 3)
    bent[:, 18, 1] = -2.6  # left forearm folded onto its upper arm
    bent[1, 16, 2] = -1.75
    parts, near = face_parts(body), neighbouring_parts()
    vertices = body.vertices(bent, torch.zeros(2, 3)).numpy()
    pairs = [mesh.self_intersections(frame, body.faces) for frame in vertices]
    apart = [int((~near[parts[of_frame[:, 0]], parts[of_frame[:, 1]]]).sum()) for of_frame in pairs]
    assert counter.apart_pairs(bent).tolist() == apart
    assert apart[0] < 0.3 * len(pairs[0]) and apart[1] > 100
    assert pen_rate_apart(counter.hits(bent)) == pytest.approx(np.mean(apart))


def test_neighbours_are_joined_by_a_bone():
    near = neighbouring_parts()
    assert near[16, 18] and near[18, 16] and near[5, 5]
    assert not near[16, 20] and not near[22, 23]
    assert near.sum() == 24 + 2 * 23


def test_every_face_has_a_part():
    body = load_body("open")
    parts = face_parts(body)
    assert parts.shape == (len(body.faces),)
    assert set(parts.tolist()) == set(range(24))
    lowest = body.rest_vertices[body.faces].mean(axis=1)[:, 1].argmin()
    assert parts[lowest] in (7, 8, 10, 11)


def test_frames_of_many_are_counted_as_each_alone(counter, poses):
    """More than are posed at once, and not a multiple of that."""
    many = poses.repeat(self_intersection.CPU_FRAMES, 1, 1)[: 2 * self_intersection.CPU_FRAMES + 1]
    expected = counter.hits(poses).repeat(self_intersection.CPU_FRAMES, 1, 1)[: len(many)]
    assert torch.equal(counter.hits(many), expected)
    assert counter.hits(poses[:0]).shape == (0, 2, 24)
