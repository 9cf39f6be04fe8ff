import pytest
import torch

from rl_finetune.rewards import Dances, Reward, RewardContext
from rl_finetune.rewards import side_by_side as module
from rl_finetune.rewards.reward_file import RewardSetting
from rl_finetune.rewards.side_by_side import SideBySide, one_by_one
from rl_finetune.rewards.weighted import WeightedRewards
from skeleton2stage.body.body_model import load_body
from skeleton2stage.physics.score.make_scorer import make_scorer
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions


class Height(Reward):
    def __call__(self, dances):
        return dances.translation[..., 2]


class Steps(Reward):
    needs_simulator = True

    def __call__(self, dances):
        return dances.translation.norm(dim=-1)


def rewards() -> dict[str, Reward]:
    context = RewardContext(lambda: None)
    return {"steps": Steps(context), "height": Height(context), "more_steps": Steps(context)}


@pytest.fixture()
def beside(monkeypatch):
    """Record what would go beside what, and do it one after the other, as there need be no GPU."""
    seen = []

    def record(first, second, device):
        values = first(), second()
        seen.append([set(value) for value in values])
        return values[1] | values[0]

    monkeypatch.setattr(module, "_beside", record)
    return seen


def test_the_first_batch_of_a_size_goes_one_by_one(lively, beside):
    work_out = SideBySide()
    work_out(rewards(), lively)
    assert beside == []
    work_out(rewards(), lively)
    assert beside == [[{"steps", "more_steps"}, {"height"}]]
    fewer = Dances(lively.poses[:2], lively.translation[:2], None, lively.music[:2])
    work_out(rewards(), fewer)
    assert len(beside) == 1
    work_out(rewards(), fewer)
    assert len(beside) == 2


def test_values_and_their_order_are_those_of_one_by_one(lively, beside):
    work_out, expected = SideBySide(), one_by_one(rewards(), lively)
    for _ in range(2):
        values = work_out(rewards(), lively)
        assert list(values) == list(expected) == ["steps", "height", "more_steps"]
        for name, value in values.items():
            torch.testing.assert_close(value, expected[name], rtol=0, atol=0)
    assert beside


@pytest.mark.parametrize("left_out", [{"height"}, {"steps", "more_steps"}])
def test_rewards_of_one_kind_have_nothing_beside_them(left_out, lively, beside):
    some = {name: reward for name, reward in rewards().items() if name not in left_out}
    work_out = SideBySide()
    for _ in range(2):
        assert list(work_out(some, lively)) == list(some)
    assert beside == []


def test_geometric_batches_before_do_not_count_as_a_simulators_first(lively, beside):
    work_out = SideBySide()
    work_out({"height": rewards()["height"]}, lively)
    work_out(rewards(), lively)
    assert beside == []


def on_gpu(dances: Dances) -> Dances:
    return Dances(dances.poses.cuda(), dances.translation.cuda(), None, dances.music.cuda())


@pytest.mark.gpu
def test_on_a_gpu_values_are_the_same_beside_each_other(lively):
    options = SimulatorOptions(deterministic=True)
    scorer = make_scorer(simulator="mujoco_warp", options=options)
    context = RewardContext(lambda: scorer, load_body, "cuda")
    settings = [RewardSetting(name, True, 1.0) for name in ("penetration", "imitation_frames", "skating", "imitation")]
    alone = WeightedRewards(settings, context)(on_gpu(lively))
    work_out = WeightedRewards(settings, context, side_by_side=True)
    for _ in range(4):
        values = work_out(on_gpu(lively))
        for name, value in values.items():
            torch.testing.assert_close(value, alone[name], rtol=0, atol=0, msg=name)


@pytest.mark.gpu
@pytest.mark.parametrize("broken", [Steps, Height])
def test_on_a_gpu_what_a_reward_raises_is_raised(broken, lively, monkeypatch):
    work_out, dances = SideBySide(), on_gpu(lively)
    work_out(rewards(), dances)

    def fails(self, dances):
        raise ValueError("no such dance")

    monkeypatch.setattr(broken, "__call__", fails)
    with pytest.raises(ValueError, match="no such dance"):
        work_out(rewards(), dances)
