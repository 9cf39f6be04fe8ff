"""Where the floor may push: heights, speeds and corners by hand."""

import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.axes.floor_points import SOLE_PARTS, SOLE_POINTS, floor_points, lowest_point
from skeleton2stage.physics.quaternions import quat_to_rotmat

FPS = 30.0


def vertices_of(frames, humanoid, part: int) -> torch.Tensor:
    """All hull vertices of a part in the world, [T, V, 3]."""
    turn = quat_to_rotmat(frames.quat_w[0, :, part])
    vertices = torch.as_tensor(humanoid.hull_vertices[part], dtype=torch.float32)
    return torch.einsum("tab,vb->tva", turn, vertices) + frames.pos_w[0, :, part, None]


@pytest.mark.parametrize("part", range(24))
def test_the_lowest_point_is_the_lowest_of_all_vertices(stand, frames_of, humanoid, part):
    poses, pelvis = stand(np.zeros(8))
    poses += 0.7 * torch.randn(poses.shape, generator=torch.Generator().manual_seed(3))
    frames = frames_of((poses, pelvis))
    vertices = vertices_of(frames, humanoid, part)
    expected = torch.stack([points[points[:, 2].argmin()] for points in vertices])
    torch.testing.assert_close(lowest_point(frames, humanoid, part)[0], expected, atol=1e-4, rtol=0)


def test_points_of_soles_come_first_and_then_the_lowest_of_every_other_part(stand, frames_of, humanoid):
    frames = frames_of(stand(np.zeros(8)))
    points = floor_points(frames, humanoid)
    others = [part for part in range(24) if part not in SOLE_PARTS]
    assert points.owners == (*(part for part in SOLE_PARTS for _ in range(SOLE_POINTS)), *others)
    assert points.n_sole == 24 and points.pos_w.shape == (1, 8, 24 + 20, 3)
    assert {skeleton.joint_names()[part] for part in SOLE_PARTS} == {
        "left_ankle", "left_foot", "right_ankle", "right_foot"
    }
    for column, part in enumerate(others, start=points.n_sole):
        torch.testing.assert_close(points.pos_w[:, :, column], lowest_point(frames, humanoid, part))


def test_the_corners_of_a_sole_are_vertices_of_its_underside_and_span_it(stand, frames_of, humanoid):
    frames = frames_of(stand(np.zeros(4)))
    points = floor_points(frames, humanoid).pos_w[0, 0]
    for place, part in enumerate(SOLE_PARTS):
        corners = points[place * SOLE_POINTS : (place + 1) * SOLE_POINTS]
        vertices = vertices_of(frames, humanoid, part)[0]
        assert torch.cdist(corners, vertices).amin(dim=1).max() < 1e-4
        assert len({tuple(corner) for corner in corners.round(decimals=5).tolist()}) == SOLE_POINTS
        under = vertices[vertices[:, 2] < vertices[:, 2].min() + 0.015]
        assert corners[:, 2].max() < vertices[:, 2].min() + 0.015 + 1e-5
        assert torch.pdist(corners[:, :2]).max() > 0.9 * torch.pdist(under[:, :2]).max()


@pytest.mark.parametrize(("height", "touching"), [
    (-0.05, 1.0), (0.0, 1.0), (0.0149, 1.0), (0.02, 0.75), (0.025, 0.5), (0.03, 0.25), (0.0351, 0.0), (0.2, 0.0),
])
def test_a_point_touches_up_to_a_centimetre_and_a_half_and_not_from_three_and_a_half(
    stand, frames_of, humanoid, height, touching
):
    """Of a body over the floor that it declares, the lowest corner of its soles, a little over its lowest vertex."""
    lowest = floor_points(frames_of(stand(np.zeros(20))), humanoid).pos_w[0, 0, :, 2].amin().item()
    assert 0.0 <= lowest < 0.005
    heights = np.zeros(20)
    heights[15:] = height - lowest  # in most frames on the floor
    points = floor_points(frames_of(stand(heights)), humanoid)
    place = points.pos_w[0, 17, :, 2].argmin()
    assert points.pos_w[0, 17, place, 2].item() == pytest.approx(height, abs=1e-4)
    assert points.touching[0, 17, place].item() == pytest.approx(touching, abs=6e-3)
    assert points.touching[0, 17].max() == points.touching[0, 17, place]


@pytest.mark.parametrize(("speed_mps", "share"), [(0.0, 1.0), (0.3, 0.5), (0.6, 0.2), (3.0, 0.05)])
def test_what_brushes_the_floor_carries_less_readily(stand, frames_of, humanoid, speed_mps, share):
    """1 / (1 + (v / 0.3)^2), at least a twentieth, by the faster of the steps to a frame and from it."""
    poses, pelvis = stand(np.zeros(20))
    pelvis[:, 1] += speed_mps * torch.clamp(torch.arange(20) - 10, min=0) / FPS
    points = floor_points(frames_of((poses, pelvis)), humanoid)
    grip = points.grip[0, :, : points.n_sole] / points.touching[0, :, : points.n_sole].clamp(min=1e-6)
    standing = points.touching[0, 0, : points.n_sole] > 0.5
    assert standing.any()
    torch.testing.assert_close(grip[:10, standing], torch.ones(10, int(standing.sum())))
    torch.testing.assert_close(grip[10:, standing], torch.full((10, int(standing.sum())), share), atol=1e-3, rtol=0)
