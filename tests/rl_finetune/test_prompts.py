import pytest
import torch

from rl_finetune.prompts import PromptSet, draw_prompts


def test_every_prompt_comes_up_equally_often():
    drawn = torch.cat([draw_prompts(10, 4, epoch, seed=3) for epoch in range(5)])
    assert sorted(drawn.tolist()) == sorted(list(range(10)) * 2)


def test_an_epoch_may_be_larger_than_the_set():
    assert sorted(draw_prompts(3, 6, 0, seed=0).tolist()) == [0, 0, 1, 1, 2, 2]


def test_draws_depend_on_seed_and_epoch_alone():
    assert torch.equal(draw_prompts(32, 16, 4, seed=1), draw_prompts(32, 16, 4, seed=1))
    assert not torch.equal(draw_prompts(32, 16, 4, seed=1), draw_prompts(32, 16, 4, seed=2))
    assert not torch.equal(draw_prompts(32, 16, 4, seed=1), draw_prompts(32, 16, 6, seed=1))


def test_spreading_takes_from_the_whole_set():
    prompts = PromptSet(torch.arange(10.0).view(10, 1, 1), tuple(f"song@{i}s" for i in range(10)))
    assert prompts.spread(3).names == ("song@0s", "song@4s", "song@9s")
    assert prompts.spread(3).features.flatten().tolist() == [0.0, 4.0, 9.0]
    assert len(prompts.spread(0)) == len(prompts.spread(99)) == 10


@pytest.mark.parametrize(("n_prompts", "n_drawn"), [(1, 5), (7, 3), (10, 10), (4, 9)])
def test_decks_are_dealt_out_whatever_an_epochs_size(n_prompts, n_drawn):
    """As many epochs as there are prompts deal as many decks as an epoch draws: each prompt once in every deck."""
    dealt = torch.cat([draw_prompts(n_prompts, n_drawn, epoch, seed=7) for epoch in range(n_prompts)])
    decks = dealt.view(n_drawn, n_prompts).sort(dim=1).values
    assert torch.equal(decks, torch.arange(n_prompts).expand(n_drawn, n_prompts))


def test_neighbouring_seeds_and_decks_are_shuffled_otherwise():
    """The second deck of a seed is not the first of the next one."""
    decks = {tuple(draw_prompts(40, 40, deck, seed).tolist()) for deck in range(5) for seed in range(5)}
    assert len(decks) == 25


@pytest.mark.parametrize("n", [1, 2, 9])
def test_spread_prompts_keep_names_and_features_together(n):
    prompts = PromptSet(torch.arange(10.0).view(10, 1, 1), tuple(str(i) for i in range(10)))
    spread = prompts.spread(n)
    assert len(spread) == len(set(spread.names)) == n
    assert spread.names == tuple(f"{value:g}" for value in spread.features.flatten().tolist())
