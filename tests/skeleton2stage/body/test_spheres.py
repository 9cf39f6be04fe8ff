"""Spheres in the body, against answers worked out by hand and the exact count."""

import numpy as np
import pytest
import roma
import torch
from scipy.stats import spearmanr

from skeleton2stage.body.body_model import load_body
from skeleton2stage.body.spheres import (
    BodySpheres,
    SphereConfig,
    close_pairs,
    fill_body,
    greedy_cover,
    joints_between,
    pair_depths,
    sphere_pairs,
    sphere_penetration,
)
from skeleton2stage.metrics.penetration import PenetrationCounter
from skeleton2stage.motion import skeleton

HANDS_TOGETHER = {"left_shoulder": (0.0, -1.95, 0.0), "right_shoulder": (0.0, 1.95, 0.0)}


@pytest.fixture(scope="module")
def body():
    return load_body("open")


@pytest.fixture(scope="module")
def spheres(body) -> BodySpheres:
    return fill_body(body)


def by_hand(radii, pairs) -> BodySpheres:
    n = len(radii)
    return BodySpheres(
        torch.arange(n), torch.zeros(n, 3), torch.tensor(radii), torch.tensor(pairs), torch.ones(len(pairs)),
        torch.zeros(24, 3),
    )


def pose(**axis_angles) -> torch.Tensor:
    poses = torch.zeros(1, 1, 24, 3)
    for name, value in axis_angles.items():
        poses[0, 0, skeleton.joint_index(name)] = torch.tensor(value)
    return poses


def test_two_spheres_are_as_deep_as_their_radii_exceed_their_distance():
    three = by_hand([0.3, 0.2, 0.1], [[0, 1], [0, 2]])
    centers = torch.tensor([[0.0, 0.0, 0.0], [0.4, 0.0, 0.0], [0.0, 0.9, 0.0]])
    torch.testing.assert_close(pair_depths(three, centers), torch.tensor([0.1, 0.0]))


def test_the_depths_gradient_points_along_the_line_between_centres():
    two = by_hand([0.3, 0.2], [[0, 1]])
    centers = torch.tensor([[0.0, 0.0, 0.0], [0.24, 0.32, 0.0]], requires_grad=True)
    pair_depths(two, centers).sum().backward()
    torch.testing.assert_close(centers.grad, torch.tensor([[0.6, 0.8, 0.0], [-0.6, -0.8, 0.0]]))


def test_bones_between_joints():
    #      0 - 1 - 2,  0 - 3
    assert joints_between([-1, 0, 1, 0]).tolist() == [[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 3], [1, 2, 3, 0]]


@pytest.mark.parametrize(("first", "second", "distance", "is_pair"), [
    (18, 18, 5.0, False),  # one part
    (16, 18, 5.0, False),  # parent and child, however far
    (18, 20, 5.0, False),
    (9, 16, 0.1, False),   # overlaps at rest
    (9, 16, 0.34, False),  # chest and upper arm, 0.14 m apart: an armpit's fold
    (9, 16, 0.36, True),   # 0.16 m apart
    (7, 8, 0.21, True),    # the other leg's ankle may be near
    (7, 8, 0.19, False),   # but not overlap
])
def test_which_spheres_are_pairs(first, second, distance, is_pair):
    centers = torch.tensor([[0.0, 0.0, 0.0], [distance, 0.0, 0.0]])
    pairs, gaps = sphere_pairs(torch.tensor([first, second]), centers, torch.full((2,), 0.1), skeleton.parents())
    assert len(pairs) == len(gaps) == is_pair
    if is_pair:
        assert float(gaps[0]) == pytest.approx(distance - 0.2, abs=1e-6)


def test_greedy_takes_what_gains_most():
    covers = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1]], dtype=bool)
    weights = np.array([1.0, 1.0, 1.0, 1.0, 5.0])
    assert greedy_cover(covers, weights, 1.0, 9) == [2, 0, 1]
    assert greedy_cover(covers, weights, 1.0, 2) == [2, 0]
    assert greedy_cover(covers, weights, 0.6, 9) == [2]
    assert greedy_cover(covers[:1], weights, 1.0, 9) == [0]


def test_every_part_has_spheres_inside_the_body(body, spheres):
    counts = torch.bincount(spheres.joints, minlength=24)
    assert counts.min() >= 1 and counts.max() <= 8
    assert 100 <= len(spheres) <= 200
    centers = spheres.centers + torch.from_numpy(body.rest_joints)[spheres.joints]
    nearest = torch.cdist(centers, torch.from_numpy(body.rest_vertices)).min(dim=1).values
    # No vertex is deeper in a sphere than the sphere was made larger, and the surface's points are apart.
    assert float((spheres.radii - nearest).max()) < 0.008 + 0.004


def test_the_same_body_gets_the_same_spheres(body, spheres):
    again = fill_body(body)
    assert torch.equal(again.centers, spheres.centers) and torch.equal(again.radii, spheres.radii)


def test_a_finer_filling_has_more_spheres(body, spheres):
    assert len(fill_body(body, SphereConfig(tolerance_m=0.01, max_per_part=12))) > 1.5 * len(spheres)


def test_at_rest_nothing_overlaps(spheres):
    assert float(sphere_penetration(spheres, pose())) == 0.0
    assert (spheres.rest_gaps > 0).all()


def test_spheres_move_with_their_parts(body, spheres):
    """A vertex that one joint alone moves keeps its place among that joint's spheres."""
    turned = pose(pelvis=(0.3, 1.0, -0.4), left_elbow=(0.0, -1.2, 0.0), left_shoulder=(0.4, 0.2, 0.9))[0]
    before, after = (spheres.posed(roma.rotvec_to_rotmat(poses))[0] for poses in (torch.zeros(1, 24, 3), turned))
    rest, posed = (body.vertices(poses, torch.zeros(1, 3))[0] for poses in (torch.zeros(1, 24, 3), turned))
    own = torch.from_numpy(body.weights[:, 18] > 0.999)
    forearm = spheres.joints == 18
    assert own.sum() > 20
    torch.testing.assert_close(
        torch.cdist(after[forearm], posed[own]), torch.cdist(before[forearm], rest[own]), atol=2e-3, rtol=0
    )


def test_hands_in_each_other_are_found(spheres):
    depth = float(sphere_penetration(spheres, pose(**HANDS_TOGETHER)))
    assert depth > 0.05
    centers = spheres.posed(roma.rotvec_to_rotmat(pose(**HANDS_TOGETHER)))
    assert float(pair_depths(spheres, centers).sum()) == pytest.approx(depth, rel=1e-3)


def test_where_a_body_stands_does_not_matter(spheres):
    poses = pose(**HANDS_TOGETHER)
    turned = poses.clone()
    turned[..., 0, :] = torch.tensor([1.0, 0.5, -0.3])
    depth, depth_turned = (sphere_penetration(spheres, x) for x in (poses, turned))
    torch.testing.assert_close(depth_turned, depth, rtol=1e-3, atol=1e-4)


def test_close_pairs_are_those_within_reach(spheres):
    poses = torch.cat((pose(**HANDS_TOGETHER), pose()), dim=1)[0]
    centers = spheres.posed(roma.rotvec_to_rotmat(poses))
    frames, pairs = close_pairs(spheres, centers, 0.0)
    depths = pair_depths(spheres, centers)
    found = set(zip(frames.tolist(), pairs.tolist(), strict=True))
    assert found == {tuple(index) for index in (depths > 1e-5).nonzero().tolist()}
    assert len(close_pairs(spheres, centers, 0.05)[0]) > len(frames) > 10


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_how_many_frames_are_compared_at_once_does_not_matter(at_once, spheres, monkeypatch):
    poses = torch.cat([pose(**HANDS_TOGETHER), pose()] * 2, dim=1)
    centers = spheres.posed(roma.rotvec_to_rotmat(poses[0]))
    expected, depth = close_pairs(spheres, centers, 0.02), sphere_penetration(spheres, poses)
    monkeypatch.setattr("skeleton2stage.body.spheres._CPU_FRAMES", at_once)
    for found, whole in zip(close_pairs(spheres, centers, 0.02), expected, strict=True):
        assert found.tolist() == whole.tolist()
    torch.testing.assert_close(sphere_penetration(spheres, poses), depth)


def test_frames_are_ranked_like_the_exact_count(body, spheres):
    rng = np.random.default_rng(0)
    poses = torch.from_numpy(rng.normal(scale=0.25, size=(150, 24, 3)).astype(np.float32))
    reach = torch.from_numpy(rng.uniform(0.0, 1.7, size=(150, 2)).astype(np.float32))
    poses[:, 16, 1] -= reach[:, 0]
    poses[:, 17, 1] += reach[:, 1]
    exact = PenetrationCounter(body, "cpu").apart_pairs(poses)
    rank = spearmanr(sphere_penetration(spheres, poses[None])[0], exact).statistic
    assert 0.2 < (exact > 0).float().mean() < 0.8
    assert rank > 0.6


def test_other_shapes_are_refused(spheres):
    with pytest.raises(ValueError, match=r"poses must be \[N, T, 24, 3\]"):
        sphere_penetration(spheres, torch.zeros(3, 24, 3))
