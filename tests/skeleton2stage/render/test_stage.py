import numpy as np
import pytest
import trimesh
from scipy.ndimage import binary_dilation, binary_erosion

from skeleton2stage.render.camera import Camera, view_axes
from skeleton2stage.render.floor_marks import Disc
from skeleton2stage.render.stage import Stage
from skeleton2stage.render.sunlight import shaded_box, sun_direction, sun_matrix

RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)


@pytest.fixture(scope="module")
def ball():
    return trimesh.creation.icosphere(subdivisions=2, radius=0.3)


@pytest.fixture(scope="module")
def stage(drawing, ball):
    with Stage(ball.faces, len(ball.vertices), 96, 64, samples=0) as stage:
        yield stage


def view(target=(0.0, 0.0, 1.0)):
    return Camera(np.array(target), 3.0, 0.0, -0.1)


def coloured(picture, channel):
    """Rows and columns of pixels where one channel clearly dominates."""
    others = np.delete(picture.astype(int), channel, axis=2).max(axis=2)
    return np.nonzero(picture[..., channel] > others + 40)


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


@pytest.mark.parametrize("shift", [[0.0, 0.0, 1.0], [0.0, 0.9, 1.2], [0.0, 6.0, 1.0]])
def test_antialiasing_changes_the_figures_edge_and_nothing_else(drawing, stage, ball, shift):
    """The figure in the middle, cut by the picture's edge, out of sight."""
    vertices, discs = np.array(ball.vertices) + shift, [Disc(0.0, 0.4, 0.15, (1.0, 0.0, 0.0, 1.0))]
    hard = stage.render(vertices, view(), BLUE, discs).astype(int)
    with Stage(ball.faces, len(ball.vertices), 96, 64, samples=4) as smooth:
        smooth.render(np.array(ball.vertices) + [0.0, -0.5, 1.3], view(), RED)  # what was drawn before leaves no trace
        soft = smooth.render(vertices, view(), BLUE, discs).astype(int)
    blue = hard[..., 2] > hard[..., :2].max(axis=2) + 40
    edge = binary_dilation(blue, iterations=2) & ~binary_erosion(blue, iterations=2, border_value=1)
    assert np.abs(soft - hard)[~edge].max() <= 3
    if shift[1] < 2.0:
        between = (np.abs(soft - hard).max(axis=2) > 12) & edge
        assert between.sum() > 0.1 * edge.sum() > 0


def test_two_stages_do_not_disturb_each_other(stage, ball):
    vertices = np.array(ball.vertices) + [0.0, 0.0, 1.0]
    before = stage.render(vertices, view(), RED)
    with Stage(ball.faces, len(ball.vertices), 64, 64, samples=0) as other:
        other.render(vertices + 0.5, view(), BLUE)
    after = stage.render(vertices, view(), RED)
    np.testing.assert_allclose(after.astype(int), before.astype(int), atol=1)


def test_a_whole_body_is_in_frame(drawing, capsule_body, standing):
    from skeleton2stage.render.camera import plan
    from skeleton2stage.render.figures import pose

    points = pose(capsule_body, standing)
    camera = plan([standing], [points], 1.0, 0.0, -0.2)[0][0]
    with Stage(capsule_body.faces, points.shape[1], 128, 128, samples=0) as stage:
        rows, columns = coloured(stage.render(points[0], camera, RED), 0)
    assert min(rows.min(), columns.min()) >= 1 and max(rows.max(), columns.max()) <= 126
    assert np.ptp(rows) > 70 or np.ptp(columns) > 100


def test_faces_have_colours_of_their_own(stage, ball):
    vertices = np.array(ball.vertices) + [0.0, 0.0, 1.0]
    upper = ball.triangles_center[:, 2] > 0
    picture = stage.render(vertices, view(), np.where(upper[:, None], RED, BLUE))
    red, blue = coloured(picture, 0)[0], coloured(picture, 2)[0]
    assert red.max() <= blue.min() + 2 and len(red) > 50 and len(blue) > 50


def test_a_disc_lies_on_the_floor_where_it_is_said_to_and_under_the_figure(stage, ball):
    above = Camera(np.zeros(3), 3.0, 0.0, -1.2)
    hidden = np.array(ball.vertices) - [0.0, 0.0, 5.0]
    rows, columns = coloured(stage.render(hidden, above, BLUE, [Disc(0.0, 0.4, 0.15, (1.0, 0.0, 0.0, 1.0))]), 0)
    assert columns.mean() < 40 and rows.mean() == pytest.approx(31.5, abs=3)  # the world's +y is to the left
    over = np.array(ball.vertices) + [0.0, 0.4, 0.4]
    assert len(coloured(stage.render(over, above, BLUE, [Disc(0.0, 0.4, 0.15, (1.0, 0.0, 0.0, 1.0))]), 0)[0]) < 5


def test_what_is_under_the_floor_is_hidden(stage, ball):
    sunk = np.array(ball.vertices) + [0.0, 0.0, -0.4]
    assert len(coloured(stage.render(sunk, Camera(np.zeros(3), 3.0, 0.0, -0.6), RED), 0)[0]) == 0


def test_a_shadow_is_sharper_the_lower_its_caster(drawing, ball):
    def steepest_edge(height):
        above = Camera(np.zeros(3), 3.0, 0.0, -1.4)
        with Stage(ball.faces, len(ball.vertices), 256, 256, samples=0) as large:
            lit = large.render(np.array(ball.vertices) * 0.5 - [0, 0, 9], above, RED).astype(int)
            shaded = large.render(np.array(ball.vertices) * 0.5 + [0, 0, height], above, RED).astype(int)
        dark = np.where(np.ptp(shaded, axis=2) < 40, lit.sum(axis=2) - shaded.sum(axis=2), 0)
        return np.abs(np.diff(dark, axis=0)).max()

    assert steepest_edge(0.2) > 1.5 * steepest_edge(1.0)


def test_the_suns_picture_holds_the_figure_and_its_shadow():
    target = np.array([1.0, -2.0, 0.9])
    sun = -sun_direction(0.7)
    matrix = sun_matrix(target, sun)
    body = target + np.array([[0.9, 0, 0.9], [-0.9, 0, -0.9], [0, 0.9, -0.9], [0, -0.9, 1.0]])
    low_x, low_y, high_x, high_y = shaded_box(body, sun)
    corners = np.array([[x, y, 0.0] for x in (low_x, high_x) for y in (low_y, high_y)])
    for point in (*body, *corners[[0, 3]]):
        assert np.abs((matrix @ [*point, 1.0])[:3]).max() < 1.0
    assert (matrix @ [*(target + sun), 1.0])[2] < (matrix @ [*target, 1.0])[2]  # nearer the sun, nearer its eye
