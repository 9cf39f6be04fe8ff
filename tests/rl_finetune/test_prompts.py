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
