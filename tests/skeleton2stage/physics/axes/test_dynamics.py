"""Free fall, standing, a squat and a jump, by hand."""

import numpy as np
import pytest
import torch

from skeleton2stage.motion import skeleton
from skeleton2stage.physics.axes.dynamics import Dynamics, dynamics
from skeleton2stage.physics.axes.floor_points import floor_points
from skeleton2stage.physics.imitation.inverse_dynamics import Inertias
from skeleton2stage.physics.quaternions import quat_rotate

FPS, GRAVITY, MASS_KG = 30.0, 9.81, 70.0
WEIGHT_N = MASS_KG * GRAVITY
SECOND = np.arange(30) / FPS


@pytest.fixture(scope="session")
def forces_of(humanoid, frames_of):
    def make(motion, smoothing: float = 1.5) -> tuple[Dynamics, object]:
        frames = frames_of(motion, smoothing)
        return dynamics(frames, floor_points(frames, humanoid), Inertias.of(humanoid)), frames

    return make


def centres_of_mass(frames, humanoid) -> np.ndarray:
    inertias = Inertias.of(humanoid)
    centres_w = frames.pos_w + quat_rotate(frames.quat_w, inertias.centre_local.expand_as(frames.pos_w))
    return ((inertias.mass[:, None] * centres_w).sum(dim=2) / inertias.mass.sum())[0].numpy()


def test_free_fall_needs_nothing_and_has_no_fault(stand, forces_of, read):
    falling = stand(5.0 - 0.5 * GRAVITY * SECOND**2)
    forces, _ = forces_of(falling, smoothing=0.0)
    inner = slice(1, -1)
    assert forces.needed_force_w[:, inner].abs().max() < 0.1  # N
    assert forces.torque[:, inner].abs().max() < 0.1
    assert forces.residual_n[:, inner].max() < 0.1
    for name in ("ground_force", "residual", "float", "support", "torque", "power"):
        assert read(falling)[name].frames.max() == 0.0, name


def test_standing_needs_its_weight_under_its_centre_of_mass(stand, forces_of, humanoid, read):
    forces, frames = forces_of(stand(np.zeros(30)))
    expected = torch.tensor([0.0, 0.0, WEIGHT_N]).expand(1, 30, 3)
    torch.testing.assert_close(forces.needed_force_w, expected, atol=0.5, rtol=0)
    under = centres_of_mass(frames, humanoid)[:, :2]
    np.testing.assert_allclose(forces.centre_of_pressure_w[0], under, atol=1e-3)
    assert forces.weight_n == pytest.approx(WEIGHT_N, rel=1e-4)
    assert forces.load_n.sum(dim=-1).numpy() == pytest.approx(WEIGHT_N, rel=0.01)
    assert forces.power_w.abs().max() < 1e-3
    assert all(reading.frames.max() == 0.0 for name, reading in read(stand(np.zeros(30))).items())


def test_what_floats_has_nothing_to_stand_on(stand, read):
    """Upright 5 cm over where it stands for the most of the time: it would need its whole weight from nowhere."""
    height = np.zeros(90)
    height[40:60] = 0.05
    readings = read(stand(height))
    middle = 50
    assert readings["float"].value[0, middle, 0].item() == pytest.approx(5.0, abs=0.05)
    assert readings["ground_force"].value[0, middle, 0].item() == pytest.approx(100.0, abs=1.0)
    assert readings["residual"].value[0, middle, 0].item() >= 99.0
    assert readings["float"].value[0, 10, 0] < 0.01


def test_a_squat_that_is_held_loads_the_knees_by_their_levers(stand, forces_of, humanoid):
    """The weight comes up under the body's centre of mass; the knees hold that less what shanks and feet weigh
    themselves, each at its lever.
    """
    forces, frames = forces_of(stand(np.zeros(30), 0.7))
    inertias = Inertias.of(humanoid)
    centres_w = (frames.pos_w + quat_rotate(frames.quat_w, inertias.centre_local.expand_as(frames.pos_w)))[0, 15]
    moment, torque = 0.0, 0.0
    for side in ("left", "right"):
        knee = skeleton.joint_index(f"{side}_knee")
        below = [skeleton.joint_index(f"{side}_{part}") for part in ("knee", "ankle", "foot")]
        knee_y = frames.pos_w[0, 15, knee, 1]
        load = forces.load_n[0, 15, below].sum()
        assert load.item() == pytest.approx(WEIGHT_N / 2, rel=0.1)  # the body is no mirror image of itself
        moment += load * (forces.centre_of_pressure_w[0, 15, 1] - knee_y)
        moment -= (inertias.mass[below] * GRAVITY * (centres_w[below, 1] - knee_y)).sum()
        torque += forces.torque[0, 15, knee - 1, 0]
    assert abs(moment.item()) > 80.0
    assert abs(torque.item()) == pytest.approx(abs(moment.item()), rel=0.03)


def test_a_squat_takes_and_gives_the_energy_of_its_height(stand, forces_of, humanoid):
    """Down and up by half a cosine of 2 s each: the joints' power is the rate of the body's energy."""
    time = np.arange(120) / FPS
    forces, frames = forces_of(stand(np.zeros(120), 0.5 - 0.5 * np.cos(np.pi * time / 2)), smoothing=0.0)
    height = centres_of_mass(frames, humanoid)[:, 2]
    speed, rise = np.gradient(height) * FPS, np.gradient(np.gradient(height)) * FPS**2
    inner = slice(3, -3)
    np.testing.assert_allclose(
        forces.needed_force_w[0, inner, 2], (MASS_KG * (GRAVITY + rise))[inner], atol=0.01 * WEIGHT_N
    )
    power = forces.power_w[0].sum(dim=-1).numpy()
    expected = MASS_KG * (GRAVITY + rise) * speed
    assert np.abs(expected).max() > 100.0
    np.testing.assert_allclose(power[inner], expected[inner], atol=0.06 * np.abs(expected).max())


def test_a_jump_flies_free_and_a_lift_does_not(stand, read):
    """Up at 2 m/s from a standing start: between the push and the landing nothing is needed and nothing floats."""
    flight_s = 2 * 2.0 / GRAVITY
    time = np.arange(90) / FPS - 1.0
    flying = (time > 0) & (time < flight_s)
    jump = np.where(flying, 2.0 * time - 0.5 * GRAVITY * time**2, 0.0)
    readings = read(stand(jump))
    apex = 30 + round(0.5 * flight_s * FPS)
    assert readings["float"].value[0, apex, 0] < 1.0 and jump[apex] > 0.2
    hover = np.where(flying, 0.2, 0.0)
    assert read(stand(hover))["float"].value[0, apex, 0] > 15.0
    assert readings["ground_force"].value[0, apex, 0] < 10.0 < read(stand(hover))["ground_force"].value[0, apex, 0]


def test_a_push_sideways_moves_the_centre_of_pressure(stand, forces_of, humanoid):
    """Under an acceleration a the centre of pressure is h a / g behind the centre of mass, h its height."""
    poses, pelvis = stand(np.zeros(60))
    time = np.arange(60) / FPS
    pelvis[:, 0] += torch.from_numpy(0.5 * 1.0 * time**2).float()
    forces, frames = forces_of((poses, pelvis))
    centre = centres_of_mass(frames, humanoid)[30]
    expected = centre[0] - centre[2] * 1.0 / GRAVITY
    assert forces.centre_of_pressure_w[0, 30, 0].item() == pytest.approx(expected, abs=2e-3)
