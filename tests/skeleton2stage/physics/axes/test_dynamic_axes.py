"""Forces made by hand, and what the axes say of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.axes import contact_axes, dynamic_axes
from skeleton2stage.physics.axes.dynamics import Dynamics
from skeleton2stage.physics.axes.floor_points import SOLE_POINTS, FloorPoints

T, WEIGHT_N = 20, 700.0


@pytest.fixture()
def nothing() -> Dynamics:
    """A body that stands on the floor and of which nothing else is known."""
    return Dynamics(
        needed_force_w=torch.zeros(1, T, 3), centre_of_pressure_w=torch.zeros(1, T, 2),
        residual_n=torch.zeros(1, T), torque=torch.zeros(1, T, 23, 3), power_w=torch.zeros(1, T, 23),
        touched=torch.ones(1, T), load_n=torch.zeros(1, T, 24), weight_n=WEIGHT_N,
    )


def needing(forces: Dynamics, weights: tuple[float, float, float], touched: float = 1.0) -> Dynamics:
    force = WEIGHT_N * torch.tensor(weights).expand(1, T, 3)
    return replace(forces, needed_force_w=force, touched=torch.full((1, T), touched))


@pytest.mark.parametrize(("weights", "unmet"), [
    ((0.0, 0.0, 1.0), 0.0),
    ((0.0, 0.0, 5.0), 0.0),
    ((0.0, 0.0, 5.4), 40.0),  # more than five body weights
    ((3.0, 0.0, 4.0), 0.0),  # five in size, and friction 1 holds it
    ((4.2, 0.0, 5.6), 200.0),  # seven in size
    ((0.0, 0.0, -1.0), 100.0),  # a floor does not pull
    ((1.0, 0.0, 0.0), 100.0 / np.sqrt(2)),  # of a push sideways the nearest that friction 1 holds is half both ways
    ((0.0, -1.5, 0.5), 100.0 / np.sqrt(2)),
])
def test_what_no_floor_gives(nothing, weights, unmet):
    reading = dynamic_axes.ground_force(needing(nothing, weights))
    assert reading.value[0, :, 0].tolist() == pytest.approx([unmet] * T, abs=1e-3)
    assert reading.value[..., 1:].abs().max() == 0 and reading.unit == "% weight"


@pytest.mark.parametrize(("touched", "unmet"), [(1.0, 0.0), (0.25, 60.0), (0.0, 80.0)])
def test_where_nothing_touches_all_of_it_is_unmet(nothing, touched, unmet):
    reading = dynamic_axes.ground_force(needing(nothing, (0.0, 0.0, 0.8), touched))
    assert reading.value[0, 9, 0].item() == pytest.approx(unmet, abs=1e-3)


@pytest.mark.parametrize("axis", ["ground_force", "residual"])
@pytest.mark.parametrize(("frames", "seen"), [(4, 0.0), (5, 100.0)])
def test_forces_must_last_a_sixth_of_a_second(nothing, axis, frames, seen):
    force, missing = torch.zeros(1, T, 3), torch.zeros(1, T)
    force[:, 8 : 8 + frames, 2], missing[:, 8 : 8 + frames] = -WEIGHT_N, WEIGHT_N
    reading = getattr(dynamic_axes, axis)(replace(nothing, needed_force_w=force, residual_n=missing))
    assert reading.value[0, 8, 0].item() == pytest.approx(seen, abs=1e-3)
    assert reading.value[0, 7, 0] == 0


def test_a_residual_is_told_in_shares_of_the_bodys_own_weight(nothing):
    reading = dynamic_axes.residual(replace(nothing, residual_n=torch.full((1, T), 350.0)))
    assert reading.value[0, :, 0].tolist() == pytest.approx([50.0] * T) and reading.unit == "% weight"


def test_torques_are_sizes_at_their_joints_and_the_pelvis_has_none(nothing):
    torque = torch.zeros(1, T, 23, 3)
    elbow = skeleton.joint_index("left_elbow")
    torque[0, 4, elbow - 1] = torch.tensor([0.0, -108.0, 81.0])  # 135 N·m where a person has 90
    reading = dynamic_axes.torque(replace(nothing, torque=torque))
    assert reading.value[0, 4, elbow].item() == pytest.approx(135.0)
    assert reading.share[0, 4, elbow].item() == pytest.approx(1.0 / 3.0)
    assert reading.value.count_nonzero() == 1 and reading.value[..., 0].max() == 0 and reading.unit == "N m"


def test_power_counts_what_drives_and_not_what_brakes(nothing):
    power = torch.zeros(1, T, 23)
    power[0, 3, 4], power[0, 3, 9], power[0, 3, 11] = 1400.0, 2100.0, -7000.0
    reading = dynamic_axes.power(replace(nothing, power_w=power))
    assert reading.value[0, 3, [0, 5, 10, 12]].tolist() == pytest.approx([50.0, 20.0, 30.0, 0.0])  # of 70 kg
    assert reading.share[0, 3, 0].item() == pytest.approx((50.0 - 25.0) / (90.0 - 25.0))
    assert reading.share[..., 1:].max() == 0 and reading.unit == "W/kg"


@pytest.fixture()
def square() -> FloorPoints:
    """The four corners of a square of 20 cm about the origin touch, each half; a point far away hardly does."""
    points, touching = torch.zeros(1, T, 24, 3), torch.zeros(1, T, 24)
    points[0, :, :4, :2] = torch.tensor([[0.1, 0.1], [-0.1, 0.1], [-0.1, -0.1], [0.1, -0.1]])
    points[0, :, 4, 0] = 5.0
    touching[..., :4], touching[..., 4] = 0.5, 0.49
    return FloorPoints(points, touching, touching, ())


@pytest.mark.parametrize(("centre", "outside"), [
    ((0.0, 0.0), 0.0), ((0.1, -0.1), 0.0), ((0.25, 0.0), 15.0), ((0.0, -0.4), 30.0),
    ((0.2, 0.2), 10.0 * np.sqrt(2)),  # 10 cm further than a corner, both ways
    ((9.0, 0.0), 100.0),  # what is a metre outside is told as that
])
def test_support_is_told_by_how_far_it_is_outside_what_touches(nothing, square, centre, outside):
    forces = replace(needing(nothing, (0.0, 0.0, 1.0)), centre_of_pressure_w=torch.tensor(centre).expand(1, T, 2))
    reading = contact_axes.support(square, forces)
    assert reading.value[0, :, 0].tolist() == pytest.approx([outside] * T, abs=1e-3) and reading.unit == "cm"


@pytest.mark.parametrize(("up", "counts"), [(0.29, False), (0.31, True), (-1.0, False)])
def test_support_is_asked_for_where_three_tenths_of_the_weight_are_carried(nothing, square, up, counts):
    forces = replace(needing(nothing, (0.0, 0.0, up)), centre_of_pressure_w=torch.full((1, T, 2), 0.4))
    assert bool(contact_axes.support(square, forces).value.max() > 0) == counts


def test_where_nothing_touches_support_says_nothing(nothing, square):
    forces = replace(needing(nothing, (0.0, 0.0, 1.0)), centre_of_pressure_w=torch.full((1, T, 2), 0.4))
    aloft = replace(square, touching=0.9 * square.touching)
    assert contact_axes.support(aloft, forces).value.max() == 0


def test_directions_of_support_are_close_enough_for_any_side(nothing, square):
    """Outside a single point, at any bearing, by 16 directions: at most 2 % short."""
    one = replace(square, touching=torch.nn.functional.pad(torch.ones(1, T, 1), (0, 23)))
    for bearing in np.linspace(0.0, 2.0 * np.pi, 23):
        away = square.pos_w[0, 0, 0, :2] + 0.3 * torch.tensor([np.cos(bearing), np.sin(bearing)]).float()
        forces = replace(needing(nothing, (0.0, 0.0, 1.0)), centre_of_pressure_w=away.expand(1, T, 2))
        assert contact_axes.support(one, forces).value[0, 9, 0].item() == pytest.approx(30.0, rel=0.02)


@pytest.mark.parametrize(("height", "up", "floats"), [
    (0.08, 1.0, 8.0), (0.08, 0.5, 4.0), (0.08, 3.0, 8.0), (0.08, -1.0, 0.0), (-0.02, 1.0, 0.0),
])
def test_floating_is_height_times_the_weight_that_must_be_carried(nothing, height, up, floats):
    """Of the lowest part, and never by more than its height: a landing of three body weights floats no higher."""
    heights = torch.full((1, T, 24), 1.0)
    heights[..., 7] = height
    reading = contact_axes.floating(heights, needing(nothing, (0.0, 0.0, up)))
    assert reading.value[0, :, 0].tolist() == pytest.approx([floats] * T, abs=1e-4)
    assert reading.value[..., 1:].abs().max() == 0 and reading.unit == "cm"


def test_the_ends_of_a_flight_do_not_float(nothing):
    """Within two frames of the floor, the reach that forces are smoothed by, the body counts as on it."""
    heights = torch.full((1, T, 24), 0.08)
    heights[:, 10] = 0.0
    value = contact_axes.floating(heights, needing(nothing, (0.0, 0.0, 1.0))).value[0, :, 0]
    expected = torch.full((T,), 8.0)
    expected[8:13] = 0.0
    torch.testing.assert_close(value, expected)


def test_sinking_is_told_of_every_part_by_itself():
    heights = torch.full((2, T, 24), 0.3)
    heights[1, 4, 7], heights[1, 4, 20] = -0.05, -0.1
    reading = contact_axes.sink(heights)
    assert reading.value[1, 4, [7, 20]].tolist() == pytest.approx([5.0, 10.0])
    assert reading.value.count_nonzero() == 2 and reading.unit == "cm"
    assert reading.share[1, 4, 20].item() == pytest.approx(1.0)


def test_the_load_of_a_foot_is_that_of_its_sole_and_toes(nothing):
    index = skeleton.joint_index
    load = torch.arange(24.0).expand(1, T, 24)
    found = contact_axes.foot_load(replace(nothing, load_n=load))[0, 0]
    for side in ("left", "right"):
        assert found[index(f"{side}_ankle")] == index(f"{side}_ankle") + index(f"{side}_foot")
    assert found.count_nonzero() == 2


@pytest.mark.parametrize(("load_n", "speed"), [(0.29 * WEIGHT_N, 0.0), (0.31 * WEIGHT_N, 60.0)])
def test_a_foot_slides_where_it_carries_three_tenths_of_the_weight(nothing, load_n, speed):
    points = torch.zeros(1, T, 4 * SOLE_POINTS, 3)
    points[0, :, : 2 * SOLE_POINTS, 1] = (0.6 * torch.arange(T) / 30.0)[:, None]
    points[..., 2] = 0.01 * torch.arange(T)[:, None]  # up and down is no sliding
    touching = torch.full((1, T, 4 * SOLE_POINTS), 0.5)
    load = torch.zeros(1, T, 24)
    load[..., skeleton.joint_index("left_ankle")] = load_n
    reading = contact_axes.slide(FloorPoints(points, touching, touching, ()), replace(nothing, load_n=load))
    assert reading.value[0, :, skeleton.joint_index("left_ankle")].tolist() == pytest.approx([speed] * T, abs=1e-2)
    assert reading.value[0, :, skeleton.joint_index("right_ankle")].max() == 0 and reading.unit == "cm/s"
    hardly = FloorPoints(points, 0.9 * touching, touching, ())
    assert contact_axes.slide(hardly, replace(nothing, load_n=load)).value.max() == 0
