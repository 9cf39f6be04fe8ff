import pytest
import torch

from skeleton2stage.physics.part_sums import summed_by_part

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


@pytest.mark.gpu
def test_on_a_gpu_sums_are_the_same_to_the_last_bit():
    values = torch.randn(20_000, 32, 3, device="cuda")
    parts = [point % 4 for point in range(32)]
    first = summed_by_part(values, parts)
    assert all(torch.equal(summed_by_part(values, parts), first) for _ in range(20))
