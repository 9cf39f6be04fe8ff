import time

import pytest
import torch

from skeleton2stage.metrics.energy import energy_expenditure, kinetic_energy, motion_energy


def test_published_compute_k(published, public_joints):
    for name, joints in public_joints.items():
        expected = published["per_motion"][name]["compute_k"]
        assert float(motion_energy(joints)) == pytest.approx(expected, rel=1e-4), name


def test_constant_velocity_has_its_square_and_no_expenditure():
    frame = torch.arange(12.0)[:, None, None]
    positions = frame * torch.tensor([0.01, 0.0, 0.02]).expand(1, 24, 3)
    speed_squared = (0.01**2 + 0.02**2) * 30.0**2
    assert torch.allclose(kinetic_energy(positions), torch.full((24,), speed_squared), rtol=1e-5)
    assert torch.allclose(energy_expenditure(positions), torch.zeros(24), atol=1e-3)


def test_constant_acceleration_is_found_at_the_edges_too():
    time_s = torch.arange(9, dtype=torch.float64)[:, None, None] / 30.0
    positions = 0.5 * time_s**2 * torch.tensor([0.0, 3.0, 4.0], dtype=torch.float64).expand(1, 24, 3)
    assert torch.allclose(energy_expenditure(positions), torch.full((24,), 5.0, dtype=torch.float64))


def test_three_frames_by_hand():
    # x = 0, 0.1, 0.4: both windows reach over the whole clip, so the velocity is 0.4 / (2/30) = 6 m/s,
    # and the one second difference is 0.2 * 900 = 180 m/s^2.
    positions = torch.zeros(3, 24, 3)
    positions[:, 1, 0] = torch.tensor([0.0, 0.1, 0.4])
    assert float(kinetic_energy(positions)[1]) == pytest.approx(36.0, rel=1e-5)
    assert float(energy_expenditure(positions)[1]) == pytest.approx(180.0, rel=1e-5)
    assert float(motion_energy(positions)) == pytest.approx((36.0 + 180.0) / 2 / 24, rel=1e-5)


def test_neither_place_nor_root_height_matters():
    joints = torch.randn(40, 24, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    bobbing = torch.zeros(40, 1, 3, dtype=torch.float64)
    bobbing[:, 0, 2] = torch.sin(torch.arange(40.0))
    away = torch.tensor([3.0, -2.0, 5.0])
    assert torch.allclose(motion_energy(joints + away), motion_energy(joints))
    assert torch.allclose(motion_energy(joints + bobbing), motion_energy(joints))


def test_batch_equals_one_by_one_and_leaves_its_input(public_joints):
    dances = torch.stack([public_joints[name] for name in ("synth01", "synth02", "synth04", "synth05")])
    before = dances.clone()
    batched = motion_energy(dances.unflatten(0, (2, 2)))
    assert batched.shape == (2, 2)
    assert torch.allclose(batched.flatten(), torch.stack([motion_energy(dance) for dance in dances]))
    assert torch.equal(dances, before)


def test_two_hundred_dances_take_no_time():
    joints = torch.randn(200, 150, 24, 3)
    start = time.perf_counter()
    motion_energy(joints)
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize("shape", [(2, 24, 3), (10, 22, 3), (24, 3)])
def test_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="expected"):
        motion_energy(torch.zeros(shape))
