import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from skeleton2stage.physics.axes.ground_reaction import (
    MOMENT_ARM_M,
    _cone_root,
    ground_reaction,
    into_cone,
)

W = 700.0
UNDER = torch.tensor([[[0.0, 0.0, -1.0]]])


def given(force, moment=(0.0, 0.0, 0.0), arms=UNDER, grip=None, iterations: int = 40):
    grip = torch.ones(arms.shape[:2]) if grip is None else grip
    return ground_reaction(arms, grip, torch.tensor([force]), torch.tensor([moment]), iterations)


def test_a_point_under_the_body_carries_it():
    result = given((0.0, 0.0, W))
    assert result.forces_w[0, 0].tolist() == pytest.approx([0.0, 0.0, W], abs=0.5)
    assert result.residual_n.item() < 0.5


@pytest.mark.parametrize(
    ("force", "moment", "missing"),
    [
        ((0.0, 0.0, -W), (0.0, 0.0, 0.0), W),  # no floor pulls
        ((W, 0.0, 0.0), (0.0, -W, 0.0), W / np.sqrt(2)),  # as friction 1 gives half of it, both ways
        ((0.0, 0.0, W), (60.0, 0.0, 0.0), 60.0 / MOMENT_ARM_M),  # a point has no lever
    ],
)
def test_what_a_point_cannot_give(force, moment, missing):
    result = given(force, moment)
    assert result.residual_n.item() == pytest.approx(missing, rel=0.01)


def test_nothing_touches_and_nothing_is_given():
    result = given((0.0, 0.0, W), grip=torch.zeros(1, 1))
    assert result.forces_w.abs().max() == 0 and result.residual_n.item() == pytest.approx(W, rel=1e-5)


def test_cone():
    forces = torch.tensor([[0.0, 0.0, 2.0], [1.0, 0.0, 2.0], [2.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, -1.0, -3.0]])
    expected = torch.tensor([[0.0, 0.0, 2.0], [1.0, 0.0, 2.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(into_cone(forces, 1.0), expected)


@pytest.mark.parametrize("seed", range(6))
def test_it_finds_what_a_slow_exact_solver_finds(seed):
    """Against non-negative least squares over the cone's edges, 48 of them a point."""
    generator = np.random.default_rng(seed)
    middle = np.array([0.0, 0.0, -0.9])
    arms = generator.uniform(-0.15, 0.15, (12, 3))
    arms += middle - arms.mean(axis=0)
    force = np.array([*generator.normal(0, 200, 2), W])
    moment = generator.normal(0, 120, 3)
    angle = np.arange(48) * 2 * np.pi / 48
    edges = np.stack((np.cos(angle), np.sin(angle), np.ones(48)), axis=1)
    levers = (arms - middle) / MOMENT_ARM_M
    columns = np.concatenate([np.concatenate((edges, np.cross(lever, edges)), axis=1) for lever in levers])
    _, exact = nnls(columns.T, np.concatenate((force, moment / MOMENT_ARM_M)))
    moment = moment + np.cross(middle, force)  # about the pelvis
    result = given(force.tolist(), moment.tolist(), torch.from_numpy(arms[None]).float())
    assert result.residual_n.item() == pytest.approx(exact, rel=0.01, abs=0.003 * W)


def test_the_cones_jacobian_is_that_of_its_projection():
    """Inside, behind, beside on both sides of upright: against differences of the projection itself, in float64."""
    forces = torch.tensor([[0.1, 0.2, 2.0], [0.1, 0.2, -3.0], [3.0, -1.0, 0.5], [-1.0, 2.0, -0.5]]).double()
    root = _cone_root(forces, 0.7)
    exact = torch.autograd.functional.jacobian(lambda all_forces: into_cone(all_forces, 0.7).sum(dim=0), forces)
    torch.testing.assert_close(root @ root.transpose(1, 2), exact.transpose(0, 1), atol=1e-9, rtol=0)


def test_frames_are_solved_to_the_end_whatever_stands_beside_them():
    """100 frames of all kinds at once: none misses more, to 0.3 % of the weight, than by itself."""
    generator = torch.Generator().manual_seed(0)
    grip = torch.rand(100, 12, generator=generator) * (torch.rand(100, 12, generator=generator) > 0.4)
    arms = 0.2 * torch.randn(100, 12, 3, generator=generator) + torch.tensor([0.0, 0.0, -0.9])
    force = W * (torch.tensor([0.0, 0.0, 1.0]) + 0.5 * torch.randn(100, 3, generator=generator))
    moment = 0.2 * W * torch.randn(100, 3, generator=generator)
    together = ground_reaction(arms, grip, force, moment).residual_n
    alone = [
        ground_reaction(*(value[row : row + 1] for value in (arms, grip, force, moment))).residual_n
        for row in range(100)
    ]
    torch.testing.assert_close(together, torch.cat(alone), atol=0.003 * W, rtol=0)
    fewer = ground_reaction(arms, grip, force, moment, iterations=2).residual_n
    assert (together <= fewer + 0.003 * W).all() and (together < 0.9 * fewer).any()
