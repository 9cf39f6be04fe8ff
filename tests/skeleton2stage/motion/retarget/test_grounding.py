"""The floor under feet, by hand: which level is whose, and toes that rest."""

import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.motion.retarget.grounding import (
    MAX_TOE_BEND_RAD,
    SOLE_M,
    TOE_REST_HEIGHT_M,
    feet_of,
    grounded,
    levelled,
    resting_toes,
    standing_levels,
)
from skeleton2stage.motion.retarget.guide import TARGETS, Guide
from skeleton2stage.motion.retarget.standing import pitch, standing_frames

T, FPS = 60, 30.0
LEFT, RIGHT = (list(TARGETS).index(f"{side}_ankle") for side in ("left", "right"))


def feet(left_m: np.ndarray | float, right_m: np.ndarray | float, moving: tuple[str, ...] = ()) -> np.ndarray:
    """Ankles 8 cm over their toes, 13 cm behind, the toes at heights; those that move go by a metre a second."""
    places = np.zeros((T, 4, 3))
    for first, height, side in ((0, left_m, "left"), (2, right_m, "right")):
        places[:, first, 2] = np.asarray(height) + 0.08
        places[:, first + 1, 1], places[:, first + 1, 2] = -0.13, np.asarray(height)
        if side in moving:
            places[:, first : first + 2, 0] = (np.arange(T) / FPS)[:, None]
    places[45:, :, 2] += 0.2  # both feet are lifted in the end
    return places


def test_each_foot_has_the_level_on_which_it_stands():
    assert standing_levels(feet(0.03, 0.07), FPS) == {"left": pytest.approx(0.03), "right": pytest.approx(0.07)}


@pytest.mark.parametrize(("moving", "levels"), [
    (("left",), (0.07, 0.07)), (("right",), (0.03, 0.03)),
    (("left", "right"), (0.03, 0.03)),  # nobody stands: the lower toe's usual lowest
])
def test_a_foot_that_never_stands_has_the_other_ones(moving, levels):
    found = standing_levels(feet(0.03, 0.07, moving), FPS)
    assert (found["left"], found["right"]) == pytest.approx(levels)


def test_a_low_share_of_a_stance_stands_for_it():
    """While it stands a toe rises evenly from 2 to 6 cm: its level is the lower quarter's."""
    places = feet(0.0, 0.0)
    frames = standing_frames(places[:, 0], places[:, 1], FPS)
    places[frames, 1, 2] = np.linspace(0.02, 0.06, len(frames))
    assert standing_levels(places, FPS)["left"] == pytest.approx(0.03, abs=2e-3)


def guide(left_m: float = 0.1, right_m: float = 0.1) -> Guide:
    targets = torch.ones(T, len(TARGETS), 3, dtype=torch.float64)
    targets[:, LEFT, 2], targets[:, RIGHT, 2] = left_m, right_m
    return Guide(torch.eye(3, dtype=torch.float64).repeat(T, 24, 1, 1), targets, "motion")


def test_the_floor_is_a_soles_thickness_under_the_mean_of_both_levels():
    moved = grounded(guide(), {"left": 0.05, "right": 0.09})
    expected = guide().targets_w - torch.tensor([0.0, 0.0, 0.07 - SOLE_M])
    torch.testing.assert_close(moved.targets_w, expected)
    assert moved.rest_pose == "motion" and torch.equal(moved.rotmat_w, guide().rotmat_w)


@pytest.mark.parametrize(("levels", "shift"), [((0.05, 0.07), 0.01), ((0.05, 0.05), 0.0), ((0.0, 0.2), 0.02)])
def test_feet_are_levelled_by_two_centimetres_at_most(levels, shift):
    """The one that stands lower is raised, the other lowered; nothing else moves."""
    targets = levelled(guide(), {"left": levels[0], "right": levels[1]}).targets_w
    expected = guide(0.1 + shift, 0.1 - shift).targets_w
    torch.testing.assert_close(targets, expected)


def test_feet_of_a_guide_are_ankles_and_the_toes_that_go_with_them():
    turned = guide()
    quarter = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    turned.rotmat_w[:, skeleton.joint_index("right_ankle")] = quarter
    found = feet_of(turned)
    offsets = skeleton.offsets()
    assert found.shape == (T, 4, 3)
    np.testing.assert_allclose(found[0, 0], [1.0, 1.0, 0.1])
    np.testing.assert_allclose(found[0, 1] - found[0, 0], offsets[skeleton.joint_index("left_foot")])
    x, y, z = offsets[skeleton.joint_index("right_foot")]
    np.testing.assert_allclose(found[0, 3] - found[0, 2], [-y, x, z])


def pitched(down_rad: float) -> torch.Tensor:
    """World rotation of a foot [1, 2, 3, 3] whose front, local z, points down by an angle; ahead is world -y."""
    cos, sin = np.cos(down_rad), np.sin(down_rad)
    left, front = np.array([1.0, 0.0, 0.0]), np.array([0.0, -cos, -sin])
    up = np.cross(front, left)
    return torch.from_numpy(np.stack((left, up, front), axis=1)).expand(1, 2, 3, 3)


@pytest.mark.parametrize(("down_rad", "height_m", "bend"), [
    (0.0, SOLE_M, 0.0), (0.5, SOLE_M, 0.5), (0.5, 0.0, 0.5), (1.3, SOLE_M, MAX_TOE_BEND_RAD), (-0.4, SOLE_M, 0.0),
    (0.5, (SOLE_M + TOE_REST_HEIGHT_M) / 2, 0.25), (0.5, TOE_REST_HEIGHT_M, 0.0), (0.5, 0.4, 0.0),
])
def test_toes_of_a_lifted_heel_rest_level(down_rad, height_m, bend):
    assert (SOLE_M, MAX_TOE_BEND_RAD, TOE_REST_HEIGHT_M) == (0.025, 0.9, 0.06)
    turns = resting_toes(pitched(down_rad), torch.full((1, 2), height_m, dtype=torch.float64))
    expected = torch.tensor([-bend, 0.0, 0.0], dtype=torch.float64).expand(1, 2, 3)
    torch.testing.assert_close(turns, expected)


def test_bent_so_the_toes_point_ahead():
    """The foot's rotation and the toes' after it: their front is horizontal again."""
    import roma

    foot = pitched(0.6)
    toes = roma.rotvec_to_rotmat(resting_toes(foot, torch.full((1, 2), 0.02, dtype=torch.float64)))
    front = (foot @ toes)[0, 0, :, 2]
    torch.testing.assert_close(front, torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64), atol=1e-9, rtol=0)


@pytest.mark.parametrize(("vector", "up", "angle"), [
    ((1.0, 0.0, 1.0), (0, 0, 1), 45), ((0.0, 2.0, 0.0), (0, 0, 1), 0), ((0.0, 2.0, 0.0), (0, 1, 0), 90),
    ((1.0, -1.0, 0.0), (0, 1, 0), -45), ((1.0, -1.0, 0.0), (0, -1, 0), 45),
])
def test_pitch_is_over_the_horizontal_of_the_axis_that_points_up(vector, up, angle):
    assert np.degrees(pitch(np.array([vector]), np.array(up, dtype=float)))[0] == pytest.approx(angle)


@pytest.mark.parametrize(("speed_mps", "stands"), [(0.11, True), (0.13, False)])
@pytest.mark.parametrize("joint", [0, 1])
def test_a_foot_stands_where_both_of_its_joints_rest(speed_mps, stands, joint):
    ankle, toe = (np.zeros((T, 3)) for _ in range(2))
    ankle[20:, 2] = 0.3
    (ankle, toe)[joint][:, 0] = speed_mps * np.arange(T) / FPS
    frames = standing_frames(ankle, toe, FPS)
    assert frames.tolist() == (list(range(19)) if stands else [])


def test_standing_is_told_along_any_axis_that_points_up():
    ankle, toe = feet(0.0, 0.0)[:, 0], feet(0.0, 0.0)[:, 1]
    expected = standing_frames(ankle, toe, FPS)
    turned = [np.roll(places, 1, axis=1) for places in (ankle, toe)]  # z becomes x
    np.testing.assert_array_equal(standing_frames(*turned, FPS, np.array([1.0, 0.0, 0.0])), expected)
    assert len(expected) > 5
