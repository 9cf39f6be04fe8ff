"""Displacements by hand: which frames are posed, what their energy is, and what must not matter."""

import numpy as np
import pytest
import roma
import torch

from rl_finetune.algorithms.displacement import (
    ENDS,
    FEET,
    LEGS,
    DisplacementConfig,
    _Energy,
    displacement,
    interpolation,
    livelier,
    posed_frames,
)
from skeleton2stage.body.body_model import load_body
from skeleton2stage.body.spheres import BodySpheres, fill_body
from skeleton2stage.motion.rotations import axis_angle_to_rot6d, rot6d_to_rotmat, rotmat_to_rot6d
from skeleton2stage.motion.skeleton import forward_kinematics_rotmat, joint_index

SHOULDER = joint_index("left_shoulder")
SCALE = torch.full((24, 6), 2.0)


@pytest.fixture(scope="module")
def spheres() -> BodySpheres:
    return fill_body(load_body("open"))


def dances(n: int = 2, frames: int = 9) -> torch.Tensor:
    """6D rotations [n, frames, 24, 6] of arms that swing through the chest, more in one dance than in the other."""
    poses = torch.zeros(n, frames, 24, 3)
    poses[..., SHOULDER, 2] = -torch.linspace(0.0, 1.0, frames) * torch.linspace(1.0, 1.8, n)[:, None]
    poses[..., joint_index("right_elbow"), 1] = torch.sin(torch.arange(frames) / 2.0)
    return axis_angle_to_rot6d(poses)


@pytest.mark.parametrize(("n", "every", "posed"), [
    (10, 3, [0, 3, 6, 9]), (9, 3, [0, 3, 6, 8]), (1, 3, [0]), (2, 5, [0, 1]), (4, 1, [0, 1, 2, 3]),
])
def test_every_so_many_frames_are_posed_and_the_last(n, every, posed):
    assert posed_frames(n, every).tolist() == posed


@pytest.mark.parametrize(("n", "every"), [(10, 3), (11, 4), (2, 5), (5, 1), (1, 3)])
def test_what_lies_between_is_numpys_interpolation(n, every):
    frames = posed_frames(n, every)
    values = np.random.default_rng(0).normal(size=len(frames))
    expected = np.interp(np.arange(n), frames, values)
    np.testing.assert_allclose(interpolation(frames, n) @ torch.from_numpy(values).float(), expected, atol=1e-6)


def energy_of(spheres: BodySpheres, scaled: torch.Tensor, **weights: float) -> float:
    nothing = {"margin_m": 0.02, "pull": 0.0, "smoothness": 0.0, "feet": 0.0}
    config = DisplacementConfig(**nothing | weights)
    rest = axis_angle_to_rot6d(torch.zeros(*scaled.shape[:2], 24, 3))
    energy = _Energy(rest, SCALE, spheres, config)
    return float(energy(scaled) - (energy(torch.zeros_like(scaled))))


def test_pull_and_smoothness_are_sums_of_squares(spheres):
    """The head's features of frame 1 of 3 moved by 0.1 each: six squares, and two changes of it."""
    scaled = torch.zeros(2, 3, 24, 6)
    scaled[1, 1, joint_index("head")] = 0.1
    assert energy_of(spheres, scaled, pull=3.0) == pytest.approx(3.0 * 6 * 0.01, rel=1e-3)
    assert energy_of(spheres, scaled, smoothness=5.0) == pytest.approx(5.0 * 2 * 6 * 0.01, rel=1e-3)


def test_feet_may_not_change_their_way_nor_rise(spheres):
    """The left knee's features moved in one frame of three: its foot's shift against those around, and its rise."""
    scaled = torch.zeros(1, 3, 24, 6)
    scaled[0, 1, joint_index("left_knee")] = torch.tensor([0.0, 0.1, -0.2, 0.3, 0.0, 0.4])
    rest = axis_angle_to_rot6d(torch.zeros(1, 3, 24, 3))
    origin = torch.zeros(1, 3, 3)
    moved, _ = forward_kinematics_rotmat(rot6d_to_rotmat(rest + scaled / SCALE), origin, spheres.bone_offsets)
    still, _ = forward_kinematics_rotmat(rot6d_to_rotmat(rest), origin, spheres.bone_offsets)
    shift = (moved - still)[0, :, FEET].numpy()
    expected = (np.diff(shift, axis=0) ** 2).sum() + (shift[..., 2] ** 2).sum()
    assert expected > 1e-3 and np.diff(shift, axis=0).any()
    assert energy_of(spheres, scaled, feet=100.0) == pytest.approx(100.0 * expected, rel=1e-3)


def test_overlap_is_the_squared_lack_of_distance_in_margins():
    """Two spheres of 5 cm, 10.5 cm apart, that should keep 2 cm: they lack three quarters of the margin."""
    two = BodySpheres(
        torch.tensor([SHOULDER, 0]), torch.tensor([[0.0, 0, 0], [0.105, 0, 0]]), torch.full((2,), 0.05),
        torch.tensor([[0, 1]]), torch.ones(1), torch.zeros(24, 3),
    )
    rest = axis_angle_to_rot6d(torch.zeros(1, 2, 24, 3))
    config = DisplacementConfig(margin_m=0.02, pull=0.0, smoothness=0.0, feet=0.0)
    assert float(_Energy(rest, SCALE, two, config)(torch.zeros(1, 2, 24, 6))) == pytest.approx(2 * 0.75**2, rel=1e-4)


@pytest.mark.parametrize(("feet", "held"), [(1e5, [0, *ENDS]), (0.0, [0, *ENDS, *LEGS])])
def test_pelvis_toes_and_fingers_stay_and_legs_where_feet_have_no_weight(spheres, feet, held):
    moved = displacement(dances(), SCALE, spheres, DisplacementConfig(feet=feet, steps=5))
    assert not moved[:, :, held].any() and moved[:, :, SHOULDER].abs().max() > 1e-3


def test_dances_are_moved_each_by_itself_in_any_order(spheres):
    both, config = dances(), DisplacementConfig(steps=5)
    together = displacement(both, SCALE, spheres, config)
    torch.testing.assert_close(displacement(both.flip(0), SCALE, spheres, config), together.flip(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(displacement(both[1:], SCALE, spheres, config), together[1:], atol=1e-5, rtol=0)


def test_which_way_a_dancer_faces_does_not_matter(spheres):
    """Turned about the vertical, z up, a displacement has the same energy."""
    upright = roma.rotvec_to_rotmat(torch.tensor([torch.pi / 2, 0.0, 0.0]))
    turn = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, 2.0]))
    here, there = dances(), dances()
    here[:, :, 0], there[:, :, 0] = rotmat_to_rot6d(upright), rotmat_to_rot6d(turn @ upright)
    scaled = 0.1 * torch.randn(2, 9, 24, 6, generator=torch.Generator().manual_seed(0))
    scaled[:, :, 0] = 0.0
    one, other = (_Energy(rot6d, SCALE, spheres, DisplacementConfig())(scaled) for rot6d in (here, there))
    assert float(one) == pytest.approx(float(other), rel=1e-4)


def test_no_steps_and_no_overlap_move_nothing(spheres):
    assert not displacement(dances(), SCALE, spheres, DisplacementConfig(steps=0)).any()
    apart = axis_angle_to_rot6d(torch.zeros(1, 5, 24, 3))
    assert not displacement(apart, SCALE, spheres, DisplacementConfig(margin_m=0.0, reach_m=0.0)).any()


def test_swings_grow_about_their_mean_above_the_hips_alone():
    """Of an arm that alone moves all changes are its own: 1.5 times as lively, it swings 1.5 times as wide."""
    swinging = axis_angle_to_rot6d(torch.zeros(1, 8, 24, 3))
    swinging[0, :, SHOULDER, 1] = torch.sin(torch.arange(8.0))
    found = livelier(swinging, torch.tensor([1.5]))
    mean = swinging.mean(dim=1, keepdim=True)
    torch.testing.assert_close(found, mean + 1.5 * (swinging - mean))
    swinging[0, :, 4, 1] = torch.sin(torch.arange(8.0))  # and a knee as much as the arm
    found = livelier(swinging, torch.tensor([1.5]))
    torch.testing.assert_close(found[:, :, 4], swinging[:, :, 4])
    changes = [rot6d.diff(dim=1).abs().sum() for rot6d in (swinging, found)]
    assert float(changes[1] / changes[0]) == pytest.approx(1.5, rel=1e-5)
