import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.axes.contact_axes import slide
from skeleton2stage.physics.axes.dance_frames import persisting
from skeleton2stage.physics.axes.dynamics import Dynamics
from skeleton2stage.physics.axes.floor_points import SOLE_POINTS, FloorPoints
from skeleton2stage.physics.axes.reading import Reading, graded, of_whole_body

FPS = 30.0
FEET = [skeleton.joint_index("left_ankle"), skeleton.joint_index("right_ankle")]


def test_feet_that_carry_the_body_along_slide_at_its_speed(stand, read):
    poses, pelvis = stand(np.zeros(60))
    pelvis[:, 0] += torch.from_numpy(0.5 * np.arange(60) / FPS).float()
    reading = read((poses, pelvis))["slide"]
    assert reading.value[0, 30, FEET].tolist() == pytest.approx([50.0, 50.0], abs=0.5)
    assert reading.value[0, 30].count_nonzero() == 2
    assert read(stand(np.zeros(60)))["slide"].value.max() < 0.01


def test_a_foot_that_lands_or_leaves_is_fast_on_one_side_alone(stand, read):
    """Carried along at 1 m/s up to frame 30 and at rest from there: the frame between does not slide."""
    poses, pelvis = stand(np.zeros(60))
    pelvis[:, 0] += torch.from_numpy(np.minimum(np.arange(60), 30) / FPS).float()
    speed = read((poses, pelvis))["slide"].value[0, :, FEET[0]]
    torch.testing.assert_close(speed[:30], torch.full((30,), 100.0), atol=0.5, rtol=0)
    assert speed[30:].max() < 0.01


def test_a_body_sunk_for_a_while_is_in_the_floor_that_deep(stand, read):
    height = np.zeros(90)
    height[30:50] = -0.06
    sink = read(stand(height))["sink"]
    assert sink.value[0, 40].max().item() == pytest.approx(6.0, abs=0.05)
    assert set(sink.value[0, 40].nonzero().squeeze(-1).tolist()) >= set(FEET)
    assert sink.value[0, 10].max() < 0.01 and sink.frames[0, 40] > 0


def test_a_motion_far_from_its_floor_stands_on_its_own(stand, read):
    """Half a metre up throughout: the file's floor was elsewhere, and nothing floats."""
    readings = read(stand(np.full(60, 0.5)))
    assert readings["float"].frames.max() == 0 and readings["sink"].frames.max() == 0


def test_a_lean_beyond_the_feet_needs_support_where_no_foot_is(stand, read):
    """By 20 degrees forward over flat feet the centre of mass, about a metre up, is 35 cm ahead of the ankles, and what
    is supported there is so far outside the feet as their toes do not reach.
    """
    upright = read(stand(np.zeros(60)))["support"]
    leaning = read(stand(np.zeros(60), lean_rad=np.radians(20.0)))["support"]
    assert upright.value.max() < 1.0
    assert leaning.value[0, 30, 0].item() == pytest.approx(14.1, abs=0.5)
    assert leaning.frames[0, 30] > 0.1


def test_grades_and_scores():
    torch.testing.assert_close(graded(torch.tensor([0.0, 2.0, 3.0, 9.0]), 2.0, 4.0), torch.tensor([0.0, 0.0, 0.5, 1.0]))
    share = torch.zeros(1, 4, 24)
    share[0, 1, 3], share[0, 1, 5], share[0, 2, 0] = 0.2, 0.6, 1.0
    reading = Reading(share, share, "cm")
    assert reading.frames[0].tolist() == pytest.approx([0.0, 0.6, 1.0, 0.0])
    assert reading.soundness.tolist() == pytest.approx([0.6])
    assert of_whole_body(torch.ones(2, 3)).sum(dim=-1).tolist() == [[1.0] * 3] * 2


def test_turning_on_a_point_is_free_and_a_foot_that_carries_nothing_does_not_slide():
    """The left sole turns at 3 rad/s about one of its points; the right one goes at 1 m/s and carries nothing, then
    half the weight.
    """
    time, points = torch.arange(20) / FPS, torch.zeros(1, 20, 2, 2 * SOLE_POINTS, 3)
    reach = torch.linspace(0.0, 0.2, 2 * SOLE_POINTS)
    points[0, :, 0, :, 0] = torch.cos(3.0 * time)[:, None] * reach
    points[0, :, 0, :, 1] = torch.sin(3.0 * time)[:, None] * reach
    points[0, :, 1, :, 0] = time[:, None]
    soles = points.flatten(2, 3)
    touching = torch.ones(1, 20, 4 * SOLE_POINTS)
    load = torch.zeros(1, 20, 24)
    load[..., FEET[0]] = 300.0
    load[:, 10:, FEET[1]] = 400.0
    nothing = torch.zeros(1, 20)
    forces = Dynamics(nothing, nothing, nothing, nothing, nothing, nothing, load, weight_n=700.0)
    reading = slide(FloorPoints(soles, touching, touching, ()), forces)
    assert reading.value[..., FEET[0]].max() < 1e-3
    assert reading.value[0, :10, FEET[1]].max() == 0
    assert reading.value[0, 10:, FEET[1]].tolist() == pytest.approx([100.0] * 10, abs=0.1)


def test_what_is_shorter_than_a_sixth_of_a_second_does_not_persist():
    """Four frames in a row do not count, five do, by the least of them, at an end as elsewhere."""
    values = torch.zeros(2, 20)
    values[0, 3:7] = 9.0
    values[0, 10:15] = torch.tensor([4.0, 3.0, 9.0, 5.0, 4.0])
    values[1, :5], values[1, 17:] = 7.0, 2.0
    expected = torch.zeros(2, 20)
    expected[0, 10:15] = 3.0
    expected[1, :5] = 7.0
    torch.testing.assert_close(persisting(values), expected)
    torch.testing.assert_close(persisting(values[:, 2:6]), torch.tensor([[0.0] * 4, [0.0] * 4]))
    torch.testing.assert_close(persisting(values[1:, :4]), torch.full((1, 4), 7.0))
