"""Seeds of single draws."""

from itertools import product

from rl_finetune.seeds import draw_seed

SEEDS_SO_FAR = [2968811710, 1060801321, 3340134864]


def test_no_two_draws_share_a_seed():
    """Of several runs, epochs before and in training, and processes."""
    drawn = [draw_seed(*key) for key in product(range(4), range(-3, 8), range(4))]
    assert len(set(drawn)) == len(drawn) and all(0 <= seed < 2**32 for seed in drawn)


def test_a_run_goes_on_with_the_seeds_that_it_began_with():
    """Whatever version goes on: these are what every run so far has drawn with."""
    assert [draw_seed(0, 0, 0), draw_seed(7, 3, 1), draw_seed(0, -1, 0)] == SEEDS_SO_FAR
