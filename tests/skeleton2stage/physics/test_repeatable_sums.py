import pytest
import torch

from skeleton2stage.physics.repeatable_sums import summed_by_index, summed_by_part

PARTS = (7, 7, 3, 7, 20, 3)


@pytest.mark.parametrize("trailing", [(), (3,)])
def test_every_part_has_the_sum_of_its_points(trailing):
    values = torch.arange(2 * 6 * (3 if trailing else 1), dtype=torch.float32).view(2, 6, *trailing)
    sums = summed_by_part(values, PARTS)
    assert sums.shape == (2, 24, *trailing)
    torch.testing.assert_close(sums[:, 7], values[:, 0] + values[:, 1] + values[:, 3])
    torch.testing.assert_close(sums[:, 3], values[:, 2] + values[:, 5])
    torch.testing.assert_close(sums[:, 20], values[:, 4])
    others = [part for part in range(24) if part not in PARTS]
    assert sums[:, others].eq(0).all()


def test_no_points_add_up_to_nothing():
    assert summed_by_part(torch.zeros(5, 0, 3), []).eq(0).all()


def test_values_are_summed_to_their_places():
    values = torch.tensor([0.125, 2.0, -0.5, 3.5, float("nan"), float("inf")])
    sums = summed_by_index(values, torch.tensor([2, 0, 2, 2, 0, 1]), 4, 1e-3)
    torch.testing.assert_close(sums, torch.tensor([2.0, 0.0, 3.125, 0.0]))
    assert sums.dtype == values.dtype


def test_the_order_of_values_does_not_matter():
    values, index = torch.rand(10_000), torch.randint(0, 3, (10_000,))
    order = torch.randperm(10_000)
    there, back = summed_by_index(values, index, 3, 1e-8), summed_by_index(values[order], index[order], 3, 1e-8)
    assert torch.equal(there, back)
    expected = torch.zeros(3, dtype=torch.float64).index_add(0, index, values.double())
    torch.testing.assert_close(there.double(), expected)


@pytest.mark.gpu
def test_on_a_gpu_sums_are_the_same_to_the_last_bit():
    values = torch.randn(20_000, 32, 3, device="cuda")
    parts = [point % 4 for point in range(32)]
    first = summed_by_part(values, parts)
    assert all(torch.equal(summed_by_part(values, parts), first) for _ in range(20))
