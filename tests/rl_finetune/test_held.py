"""The controller on made-up values, and what it measures on made-up dances."""

import math

import pytest
import torch

from rl_finetune.held import INTEGRAL, LARGEST_WEIGHT, PROPORTIONAL, QUANTITIES, HeldQuantities
from rl_finetune.rewards import Dances, RewardContext
from rl_finetune.watch import Watch
from skeleton2stage.errors import UserError
from skeleton2stage.metrics.foot_skating import foot_skating
from skeleton2stage.metrics.motion_magnitude import mot_mag

CONTEXT = RewardContext(lambda: None)
BASE_PROMPTS = torch.tensor([0, 0, 1, 1])


def held(shares, base=(1.0, 3.0, 5.0, 7.0), n_prompts=2):
    quantities = HeldQuantities(shares, CONTEXT)
    quantities.set_base(BASE_PROMPTS, {name: torch.tensor(base) for name in shares}, n_prompts)
    return quantities


def spread(base=(1.0, 3.0, 5.0, 7.0)):
    values = torch.tensor(base)
    return float(values.std(correction=0) / values.mean())


def test_the_level_is_that_of_the_same_prompts():
    quantities = held({"mot_mag": 1.0})
    quantities.control(torch.tensor([1, 1]), {"mot_mag": torch.tensor([3.0, 3.0])})
    assert quantities.figures()["held/mot_mag"] == pytest.approx(0.5)  # 3 for the 6 of prompt 1
    quantities.control(torch.tensor([0, 0]), {"mot_mag": torch.tensor([2.0, 2.0])})
    assert quantities.figures()["held/mot_mag"] == pytest.approx(1.0)


def test_the_weight_grows_with_the_gap_and_with_time():
    quantities = held({"mot_mag": 1.0})
    gap = 0.1 / spread()
    weights = [quantities.control(torch.tensor([0]), {"mot_mag": torch.tensor([1.8])})["mot_mag"] for _ in range(2)]
    assert weights == pytest.approx([(PROPORTIONAL + INTEGRAL) * gap, (PROPORTIONAL + 2 * INTEGRAL) * gap], rel=1e-4)


def test_what_is_held_both_ways_is_pushed_down_as_well():
    weights = held({"mot_mag": 1.0}).control(torch.tensor([0]), {"mot_mag": torch.tensor([2.2])})
    assert weights["mot_mag"] == pytest.approx(-(PROPORTIONAL + INTEGRAL) * 0.1 / spread(), rel=1e-4)


def test_what_may_be_better_is_left_alone():
    for name, better in (("bas", 4.0), ("fgd", 0.5), ("pfc", 0.5)):
        assert held({name: 1.0}).control(torch.tensor([0]), {name: torch.tensor([better])})[name] == 0.0


def test_what_must_not_rise_is_pushed_down():
    assert held({"fgd": 1.0}).control(torch.tensor([0]), {"fgd": torch.tensor([2.5])})["fgd"] > 0


def test_the_weight_is_bounded_and_comes_back():
    quantities = held({"mot_mag": 1.0})
    for _ in range(1000):
        weight = quantities.control(torch.tensor([0]), {"mot_mag": torch.tensor([0.1])})["mot_mag"]
    assert weight == LARGEST_WEIGHT
    for _ in range(40):
        weight = quantities.control(torch.tensor([0]), {"mot_mag": torch.tensor([3.0])})["mot_mag"]
    assert weight < 0, weight


def test_dances_without_a_value_are_left_out_and_prompts_without_one_have_the_mean():
    quantities = held({"foot_skating": 1.0}, (0.2, math.nan, math.nan, math.nan))
    quantities.control(torch.tensor([0, 1]), {"foot_skating": torch.tensor([math.nan, 0.2])})
    assert quantities.figures()["held/foot_skating"] == pytest.approx(1.0)
    weights = quantities.control(torch.tensor([0]), {"foot_skating": torch.tensor([math.nan])})
    assert weights == {"foot_skating": 0.0}


def test_a_saved_controller_goes_on_alike():
    one, other = held({"mot_mag": 1.0}), HeldQuantities({"mot_mag": 1.0}, CONTEXT)
    values = {"mot_mag": torch.tensor([1.5])}
    one.control(torch.tensor([0]), values)
    assert not other.is_measured
    other.load_state_dict(one.state_dict())
    assert other.is_measured
    assert one.control(torch.tensor([0]), values) == other.control(torch.tensor([0]), values)


def test_an_unknown_quantity_is_told_the_known_ones():
    with pytest.raises(UserError, match="unknown held quantity 'beauty': choose one of bas, fgd"):
        HeldQuantities({"beauty": 1.0}, CONTEXT)


def dances(n=3, frames=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    poses = 0.3 * torch.randn(n, 1, 24, 3, generator=generator) * torch.sin(torch.arange(frames) / 4.0)[:, None, None]
    translation = torch.zeros(n, frames, 3)
    translation[..., 2] = 0.95
    poses[:, :, 0, 0] += torch.pi / 2
    music = torch.zeros(n, frames, 35)
    music[:, 5::10, 34] = 1.0
    return Dances(poses, translation, torch.zeros(n, frames, 4), music)


def test_what_is_measured_is_the_metric():
    ours = dances()
    values = HeldQuantities({name: 1.0 for name in QUANTITIES}, CONTEXT).measure(ours)
    torch.testing.assert_close(values["mot_mag"], mot_mag(ours.poses))
    torch.testing.assert_close(values["foot_skating"], foot_skating(ours.joints_w), equal_nan=True)
    assert all(value.shape == (3,) for value in values.values())


def test_credit_goes_to_each_dance_or_frame():
    quantities, ours = HeldQuantities({name: 1.0 for name in QUANTITIES}, CONTEXT), dances()
    credit = quantities.credit(ours, quantities.measure(ours))
    assert set(credit) == set(QUANTITIES)
    torch.testing.assert_close(credit["mot_mag"], mot_mag(ours.poses).log())
    assert credit["fgd"].shape == (3, 40)


def test_a_reward_that_rises_while_something_held_falls_is_said_once():
    watch, quantities = Watch(), held({"mot_mag": 0.99})
    calm = {"mot_mag": torch.full((400,), 1.0)}
    prompts = torch.zeros(400, dtype=torch.long)
    noise = 0.1 * torch.randn(400, generator=torch.Generator().manual_seed(0))
    quantities.control(prompts, {"mot_mag": torch.full((400,), 2.0)})
    assert watch.look({"imitation": 0.5 + noise}, quantities) is None
    quantities.control(prompts, calm)
    said = watch.look({"imitation": 0.8 + noise}, quantities)
    assert "imitation has risen from 0.5" in said and "mot_mag is at 0.50 of the base model's (limit 0.99)" in said
    assert watch.look({"imitation": 0.8 + noise}, quantities) is None
    other = Watch()
    other.load_state_dict(watch.state_dict())
    assert other.look({"imitation": 0.8 + noise}, quantities) is None


def test_no_warning_where_no_reward_has_risen_or_nothing_is_lost():
    quantities = held({"mot_mag": 0.99})
    prompts = torch.zeros(400, dtype=torch.long)
    noise = 0.1 * torch.randn(400, generator=torch.Generator().manual_seed(0))
    for later, level in ((0.5, 1.0), (0.8, 2.0)):
        watch = Watch()
        watch.look({"imitation": 0.5 + noise}, quantities)
        quantities.control(prompts, {"mot_mag": torch.full((400,), level)})
        assert watch.look({"imitation": later + noise}, quantities) is None
