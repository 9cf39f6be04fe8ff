import numpy as np
import pytest
import torch

from rl_finetune.rewards import Dances, Reward, RewardContext, known_rewards, make_reward, register
from rl_finetune.rewards.reward_file import RewardSetting
from rl_finetune.rewards.weighted import WeightedRewards
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.score.dance_scorer import DanceScores
from swaying_motion import swaying


class EveryDanceFalls:
    """Stands in for the scorer, to see what the reward takes from it."""

    def score(self, motions):
        n, frames = len(motions), torch.zeros(len(motions), len(motions[0]))
        frames[:, -1] = 1.0
        return DanceScores(torch.arange(n) / 10.0, torch.zeros(n, dtype=torch.bool), *torch.zeros(3, n), frames)


CONTEXT = RewardContext(EveryDanceFalls)


def still_dances(n: int = 2, frames: int = 20) -> Dances:
    poses = torch.zeros(n, frames, 24, 3)
    poses[:, :, 0, 0] = torch.pi / 2
    translation = torch.zeros(n, frames, 3)
    translation[..., 2] = 1.0
    return Dances(poses, translation, torch.zeros(n, frames, 4), torch.zeros(n, frames, 35))


def test_imitation_is_the_scorers_verdict():
    assert make_reward("imitation", CONTEXT)(still_dances(3)).tolist() == pytest.approx([0.0, 0.1, 0.2])


def test_a_frame_gets_credit_for_the_half_second_from_it_on():
    credit = make_reward("imitation_frames", CONTEXT)(still_dances(2))
    assert credit.shape == (2, 20)
    # Only the last frame is worth 1; what would lie after it counts as it does.
    torch.testing.assert_close(credit[1], torch.tensor([max(0, t - 4) / 15 for t in range(20)]))


def test_a_statue_has_no_energy_and_one_floor():
    values = WeightedRewards(
        [RewardSetting("antifreezing", True, 1.0), RewardSetting("fgcontact", True, 1.0)], CONTEXT
    )(still_dances())
    torch.testing.assert_close(values["antifreezing"], torch.zeros(2))
    torch.testing.assert_close(values["fgcontact"], torch.full((2, 20), 2.0))


def test_moving_is_worth_more_than_standing():
    moving = still_dances()
    moving.poses[0, :, 16, 2] = torch.sin(torch.arange(20) / 3.0)
    energy = make_reward("antifreezing", CONTEXT)(moving)
    assert energy[0] > energy[1] == 0


def test_the_total_is_the_weighted_sum_of_means():
    rewards = WeightedRewards(
        [RewardSetting("imitation", True, 0.5), RewardSetting("fgcontact", True, 2.0),
         RewardSetting("antifreezing", False, 9.0)],
        CONTEXT,
    )
    values = {"imitation": torch.tensor([1.0, 0.0]), "fgcontact": torch.tensor([[1.0, 2.0], [2.0, 2.0]])}
    torch.testing.assert_close(rewards.total(values), torch.tensor([3.5, 4.0]))


def test_a_reward_of_ones_own_is_known_at_once():
    @register("test_constant")
    class Constant(Reward):
        def __call__(self, dances):
            return torch.ones(len(dances))

    rewards = WeightedRewards([RewardSetting("test_constant", True, 1.0)], CONTEXT)
    assert rewards(still_dances())["test_constant"].tolist() == [1.0, 1.0]


def test_a_reward_that_breaks_its_contract_is_named():
    @register("test_broken")
    class Broken(Reward):
        def __call__(self, dances):
            return torch.full((len(dances),), float("nan"))

    with pytest.raises(ValueError, match="test_broken gave NaN"):
        WeightedRewards([RewardSetting("test_broken", True, 1.0)], CONTEXT)(still_dances())


def test_motions_of_ones_own_are_dances_to_no_music():
    first, second = swaying(20), swaying(20, seed=1)
    dances = Dances.of([first, second])
    np.testing.assert_array_equal(dances.poses.numpy(), np.stack([first.poses, second.poses]))
    np.testing.assert_allclose(dances.joints_w[1].numpy(), second.joints(), atol=1e-6)
    assert dances.contacts is None and dances.music.shape == (2, 20, 0)
    with pytest.raises(UserError, match="do not tell beats"):
        _ = dances.beats


@pytest.mark.parametrize("motions", [
    [], [swaying(20), swaying(21)], [Motion(swaying(9).poses, swaying(9).translation, fps=60)],
])
def test_motions_that_are_no_batch_are_refused(motions):
    with pytest.raises(UserError, match="as many frames each, 30 a second"):
        Dances.of(motions)


def test_who_needs_the_simulator_says_so():
    """Epochs that go by geometry alone leave these out."""
    context = RewardContext(EveryDanceFalls)
    own = [name for name in known_rewards() if not name.startswith("test_")]
    assert {name for name in own if make_reward(name, context).needs_simulator} == {"imitation", "imitation_frames"}
    rewards = WeightedRewards([RewardSetting("imitation", True, 1.0), RewardSetting("pfc", True, 1.0)], context)
    assert set(rewards(still_dances(), geometric_only=True)) == {"pfc"}
    assert set(rewards(still_dances())) == {"imitation", "pfc"}


@pytest.mark.parametrize("shape", [(3,), (2, 19), (2, 20, 1), ()])
def test_a_reward_of_another_shape_is_named(shape):
    name = f"test_shape_{len(shape)}_{sum(shape)}"
    register(name)(type("Odd", (Reward,), {"__call__": lambda self, dances: torch.zeros(shape)}))
    with pytest.raises(ValueError, match=rf"reward {name} gave shape .*, not \[N\] or \[N, T\]"):
        WeightedRewards([RewardSetting(name, True, 1.0)], CONTEXT)(still_dances())


def test_the_order_of_a_batch_does_not_matter():
    """Every reward that looks at dances alone, of three that differ."""
    generator = torch.Generator().manual_seed(0)
    dances = still_dances(3)
    time = torch.arange(20) / 5.0
    poses = dances.poses + 0.3 * torch.randn(3, 1, 24, 3, generator=generator) * torch.sin(time)[:, None, None]
    batch = Dances(poses, dances.translation, None, dances.music)
    flipped = Dances(poses.flip(0), dances.translation, None, dances.music)
    for name in ("antifreezing", "fgcontact", "pfc", "skating", "penetration_spheres", "jerk", "torque"):
        reward = make_reward(name, CONTEXT)
        torch.testing.assert_close(reward(flipped), reward(batch).flip(0), atol=2e-3, rtol=2e-3, msg=name)
