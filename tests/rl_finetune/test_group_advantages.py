import numpy as np
import pytest
import torch

from rl_finetune.group_advantages import (
    CLIP,
    combined,
    correlation,
    energy_neutral,
    frame_mean,
    group_relative,
    normalised,
    share_without_spread,
)

GROUPS = torch.tensor([3, 7, 3, 7])


def test_each_frame_is_compared_with_the_same_frame_of_its_group():
    values = torch.tensor([[1.0, 10.0], [0.0, 0.0], [3.0, 20.0], [4.0, -2.0]])
    expected = torch.tensor([[-1.0, -5.0], [-2.0, 1.0], [1.0, 5.0], [2.0, -1.0]])
    torch.testing.assert_close(group_relative(values, GROUPS), expected)


def test_one_value_a_dance_is_compared_with_the_groups():
    torch.testing.assert_close(
        group_relative(torch.tensor([1.0, 5.0, 3.0, 7.0]), GROUPS), torch.tensor([-1.0, -1.0, 1.0, 1.0])
    )


def test_what_is_owed_to_energy_is_taken_out():
    energy = torch.tensor([-1.0, 1.0, -0.5, 0.5])
    own = torch.tensor([1.0, 1.0, -1.0, -1.0])  # has no covariance with energy
    torch.testing.assert_close(energy_neutral(own - 3.0 * energy, energy), own)
    by_frame = (own - 3.0 * energy)[:, None] + torch.tensor([[2.0, -2.0]])  # frames that differ within each dance
    left = energy_neutral(by_frame, energy)
    assert float((frame_mean(left) * energy).sum()) == pytest.approx(0.0, abs=1e-6)
    torch.testing.assert_close(left, own[:, None] + torch.tensor([[2.0, -2.0]]))


def test_without_any_energy_nothing_is_taken_out():
    own = torch.tensor([1.0, -1.0])
    torch.testing.assert_close(energy_neutral(own, torch.zeros(2)), own)


def test_normalised_has_unit_root_mean_square_and_no_spread_gives_nothing():
    torch.testing.assert_close(normalised(torch.tensor([3.0, -4.0, 0.0, 0.0])).square().mean(), torch.tensor(1.0))
    assert not normalised(torch.full((4,), 1e-12)).any()


def test_the_sum_is_weighted_and_clipped():
    parts = {"dance": torch.tensor([1.0, -100.0]), "frame": torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])}
    total = combined(parts, {"dance": 2.0, "frame": 0.5}, 3)
    torch.testing.assert_close(total, torch.tensor([[2.5, 3.0, 3.5], [-CLIP] * 3]))


def test_dances_alone_are_spread_over_their_frames():
    assert combined({"dance": torch.tensor([1.0, 2.0])}, {"dance": 1.0}, 4).shape == (2, 4)


def test_correlation_of_centred_numbers():
    first = torch.tensor([1.0, -1.0, 2.0, -2.0])
    assert correlation(first, -2.0 * first) == pytest.approx(-1.0)
    assert correlation(first, torch.zeros(4)) == 0.0


def test_groups_whose_dances_are_alike_are_counted():
    assert share_without_spread(torch.tensor([1.0, 5.0, 1.0, 7.0]), GROUPS) == 0.5
    assert share_without_spread(torch.tensor([1.0, 5.0, 2.0, 7.0]), GROUPS) == 0.0


def test_neither_order_nor_names_of_groups_matter():
    generator = torch.Generator().manual_seed(0)
    values, groups = torch.randn(12, 5, generator=generator), torch.arange(12) % 3
    expected = group_relative(values, groups)
    order = torch.randperm(12, generator=generator)
    torch.testing.assert_close(group_relative(values[order], groups[order]), expected[order])
    torch.testing.assert_close(group_relative(values, 100 - 7 * groups), expected)
    torch.testing.assert_close(group_relative(values + groups[:, None], groups), expected)
    torch.testing.assert_close(group_relative(values, groups).view(4, 3, 5).mean(dim=0), torch.zeros(3, 5), atol=1e-6,
                               rtol=0)


def test_a_group_of_one_teaches_nothing():
    assert not group_relative(torch.tensor([5.0, 1.0]), torch.tensor([0, 1])).any()
    assert share_without_spread(torch.tensor([5.0, 1.0]), torch.tensor([0, 1])) == 1.0


def test_correlation_is_numpys_of_centred_numbers():
    drawn = torch.randn(2, 30, generator=torch.Generator().manual_seed(0))
    drawn = drawn - drawn.mean(dim=1, keepdim=True)
    assert correlation(*drawn) == pytest.approx(np.corrcoef(drawn.numpy())[0, 1], rel=1e-5)


def test_what_is_left_without_energy_is_numpys_residual():
    generator = torch.Generator().manual_seed(0)
    energy, part = (group_relative(torch.randn(12, generator=generator), torch.arange(12) % 3) for _ in range(2))
    slope = np.linalg.lstsq(energy.numpy()[:, None], part.numpy(), rcond=None)[0][0]
    np.testing.assert_allclose(energy_neutral(part, energy), part - slope * energy, atol=1e-6)
