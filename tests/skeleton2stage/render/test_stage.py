import numpy as np
import pytest
import torch
import trimesh

from skeleton2stage.render.camera import Camera, view_axes
from skeleton2stage.render.stage import Stage, _incidence, sun_direction, vertex_normals

RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)


@pytest.fixture(scope="module")
def ball():
    return trimesh.creation.icosphere(subdivisions=2, radius=0.3)


@pytest.fixture(scope="module")
def stage(drawing, ball):
    with Stage(ball.faces, np.array(ball.vertices), 96, 64, samples=0) as stage:
        yield stage


def view(target=(0.0, 0.0, 1.0)):
    return Camera(np.array(target), 3.0, 0.0, -0.1)


def coloured(picture, channel):
    """Rows and columns of pixels where one channel clearly dominates."""
    others = np.delete(picture.astype(int), channel, axis=2).max(axis=2)
    return np.nonzero(picture[..., channel] > others + 40)


def test_vertex_normals_of_a_sphere_point_outward(ball):
    vertices = np.array(ball.vertices)
    normals = vertex_normals(vertices, ball.faces, _incidence(ball.faces, len(vertices)))
    assert (normals * vertices / 0.3).sum(axis=1).min() > 0.99


def test_the_mesh_is_drawn_where_its_vertices_are(stage, ball):
    vertices = np.array(ball.vertices) + [0.0, 0.0, 1.0]
    rows, columns = coloured(stage.render(vertices, view(), RED), 0)
    assert rows.mean() == pytest.approx(31.5, abs=1.5)
    assert columns.mean() == pytest.approx(47.5, abs=1.5)
    # Its radius of 0.3 m at 3 m in a field of 38 degrees over 64 rows.
    assert np.ptp(rows) == pytest.approx(2 * 0.3 / (2 * 3 * np.tan(np.radians(19))) * 64, abs=3)


def test_each_picture_shows_the_new_vertices_and_colour(stage, ball):
    raised = np.array(ball.vertices) + [0.0, 0.0, 1.0]
    stage.render(raised, view(), RED)
    # Looking along +x, the world's +y is to the left.
    picture = stage.render(raised + [0.0, 0.5, 0.4], view(), BLUE)
    rows, columns = coloured(picture, 2)
    assert len(coloured(picture, 0)[0]) == 0
    assert rows.mean() < 24 and columns.mean() < 40


def test_the_body_casts_a_shadow_on_the_floor(stage, ball):
    def darkest_floor(height):
        above = Camera(np.zeros(3), 3.0, 0.0, -1.0)
        picture = stage.render(np.array(ball.vertices) + [0.0, 0.0, height], above, RED).astype(int)
        grey = np.ptp(picture, axis=2) < 40
        return picture.sum(axis=2)[grey].min()

    assert darkest_floor(0.3) < 0.8 * darkest_floor(-5.0)


def test_light_comes_from_the_cameras_side_and_from_above():
    for azimuth_rad in (0.0, 2.0):
        direction = sun_direction(azimuth_rad)
        forward, right, _ = view_axes(azimuth_rad, 0.0)
        assert direction @ forward > 0.3 and direction @ right > 0.2 and direction[2] < -0.7


def test_wrong_vertex_count_is_refused(stage):
    with pytest.raises(ValueError, match="expected vertices"):
        stage.render(np.zeros((5, 3)), view(), RED)


def test_two_stages_do_not_disturb_each_other(stage, ball):
    vertices = np.array(ball.vertices) + [0.0, 0.0, 1.0]
    before = stage.render(vertices, view(), RED)
    with Stage(ball.faces, np.array(ball.vertices), 64, 64, samples=0) as other:
        other.render(vertices + 0.5, view(), BLUE)
    after = stage.render(vertices, view(), RED)
    np.testing.assert_allclose(after.astype(int), before.astype(int), atol=1)


def test_a_whole_body_is_in_frame(drawing, capsule_body, standing):
    from skeleton2stage.render.camera import plan
    from skeleton2stage.render.clips import pose

    points = pose(capsule_body, standing)
    camera = plan([standing], [points], 1.0, 0.0, -0.2)[0][0]
    at_rest = capsule_body.vertices(torch.zeros(1, 24, 3), torch.zeros(1, 3))[0].numpy()
    with Stage(capsule_body.faces, at_rest, 128, 128, samples=0) as stage:
        rows, columns = coloured(stage.render(points[0], camera, RED), 0)
    assert min(rows.min(), columns.min()) >= 1 and max(rows.max(), columns.max()) <= 126
    assert np.ptp(rows) > 70 or np.ptp(columns) > 100
