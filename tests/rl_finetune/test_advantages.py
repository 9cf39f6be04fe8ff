import pytest
import torch

from rl_finetune.advantages import AdvantageNormaliser, PromptHistory
from rl_finetune.credit_assignment import PromptCrediting
from rl_finetune.rewards import Dances


def test_a_young_prompt_is_measured_against_the_batch():
    rewards = torch.tensor([1.0, 2.0, 3.0, 6.0])
    normalised = PromptHistory().normalise(torch.tensor([0, 0, 1, 1]), rewards)
    expected = (rewards - 3.0) / (14.0 / 4) ** 0.5
    torch.testing.assert_close(normalised, expected, atol=1e-4, rtol=0)


def test_an_old_prompt_is_measured_against_itself():
    history = PromptHistory()
    easy, hard = torch.zeros(16, dtype=torch.long), torch.ones(16, dtype=torch.long)
    alternating = torch.tensor([0.0, 1.0]).repeat(8)
    both = torch.cat((alternating + 100.0, alternating))
    normalised = history.normalise(torch.cat((easy, hard)), both)
    # Though one prompt earns a hundred more, each has mean 0 and deviation 1 by its own record.
    torch.testing.assert_close(normalised[:16], normalised[16:], atol=1e-3, rtol=0)
    torch.testing.assert_close(normalised[:2], torch.tensor([-1.0, 1.0]), atol=1e-3, rtol=0)


def test_only_the_last_dances_are_remembered():
    history = PromptHistory()
    prompts = torch.zeros(32, dtype=torch.long)
    history.normalise(prompts, torch.full((32,), 1000.0))
    normalised = history.normalise(prompts, torch.tensor([-1.0, 1.0]).repeat(16))
    torch.testing.assert_close(normalised[:2], torch.tensor([-1.0, 1.0]), atol=1e-4, rtol=0)


def test_rewards_per_frame_keep_their_frames():
    rewards = torch.arange(12.0).view(4, 3)
    normalised = PromptHistory().normalise(torch.zeros(4, dtype=torch.long), rewards)
    assert normalised.shape == (4, 3)
    assert normalised.mean().item() == pytest.approx(0.0, abs=1e-5)
    assert (normalised.diff(dim=1) > 0).all()


def test_advantages_are_weighted_summed_and_clipped():
    rewards = {"a": torch.tensor([0.0, 2.0]), "b": torch.tensor([[1.0, 1.0, 1.0], [3.0, 3.0, 3.0]])}
    advantages = AdvantageNormaliser({"a": 0.5, "b": 2.0})(torch.tensor([0, 1]), rewards, 3)
    torch.testing.assert_close(advantages, torch.tensor([[-2.5] * 3, [2.5] * 3]), atol=1e-4, rtol=0)
    clipped = AdvantageNormaliser({"a": 100.0})(torch.tensor([0, 1]), {"a": rewards["a"]}, 3)
    torch.testing.assert_close(clipped, torch.tensor([[-5.0] * 3, [5.0] * 3]))


def test_the_record_survives_a_restart():
    weights, prompts = {"a": 1.0}, torch.tensor([0] * 16 + [1] * 16)
    generator = torch.Generator().manual_seed(0)
    first, second = ({"a": torch.randn(32, generator=generator)} for _ in range(2))
    through = AdvantageNormaliser(weights)
    through(prompts, first, 2)
    restarted = AdvantageNormaliser(weights)
    restarted.load_state_dict(through.state_dict())
    assert torch.equal(restarted(prompts, second, 2), through(prompts, second, 2))


@pytest.mark.parametrize(("recorded", "by_itself"), [(14, False), (15, True)])
def test_sixteen_dances_are_a_record_of_ones_own(recorded, by_itself):
    """Those before and the one now; another prompt's dances are worth far more, which shows whose record counts."""
    history = PromptHistory()
    history.normalise(torch.zeros(recorded, dtype=torch.long), torch.arange(float(recorded)))
    now = history.normalise(torch.tensor([0, 1]), torch.tensor([float(recorded), 1000.0]))
    own = torch.arange(recorded + 1.0)
    expected = (own[-1] - own.mean()) / own.std(correction=0) if by_itself else torch.tensor(-1.0)
    assert now[0].item() == pytest.approx(expected.item(), rel=1e-3)


def test_prompts_do_not_see_each_other_and_their_order_does_not_matter():
    generator = torch.Generator().manual_seed(0)
    prompts, rewards = torch.arange(4).repeat(16), torch.randn(64, generator=generator)
    together = PromptHistory().normalise(prompts, rewards)
    order = torch.randperm(64, generator=generator)
    shuffled = PromptHistory().normalise(prompts[order], rewards[order])
    torch.testing.assert_close(shuffled, together[order])
    for prompt in range(4):
        alone = PromptHistory().normalise(prompts[prompts == prompt], rewards[prompts == prompt])
        torch.testing.assert_close(alone, together[prompts == prompt])


def test_a_rewards_unit_and_zero_do_not_matter():
    prompts, rewards = torch.zeros(20, dtype=torch.long), torch.randn(20, generator=torch.Generator().manual_seed(1))
    expected = PromptHistory().normalise(prompts, rewards)
    torch.testing.assert_close(PromptHistory().normalise(prompts, 50.0 * rewards - 7.0), expected, atol=1e-4, rtol=0)


def test_published_credit_is_of_every_frame_and_everybodys_dances():
    """Two processes with a dance each: both get the advantages of both, as many frames as dances have."""
    rewards = {"a": torch.tensor([0.0]), "b": torch.tensor([[1.0, 2.0, 3.0, 4.0]])}
    dances = Dances(torch.zeros(1, 4, 24, 3), torch.zeros(1, 4, 3), None, torch.zeros(1, 4, 0))

    def gather(value: torch.Tensor) -> torch.Tensor:
        return torch.cat((value, value + 2))

    advantages, figures = PromptCrediting({"a": 1.0, "b": 0.0})(torch.tensor([0]), dances, rewards, gather)
    assert figures == {}
    torch.testing.assert_close(advantages, torch.tensor([[-1.0] * 4, [1.0] * 4]), atol=1e-4, rtol=0)
