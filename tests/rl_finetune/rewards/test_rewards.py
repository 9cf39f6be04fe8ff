import pytest
import torch

from rl_finetune.finetune_config import FinetuneConfig
from rl_finetune.rewards import Dances, Reward, RewardContext, known_rewards, register
from rl_finetune.rewards.base import make_reward
from rl_finetune.rewards.weighted import RewardSetting, WeightedRewards, read_reward_settings, reweighted
from skeleton2stage import paths
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.physics.scoring import DanceScores


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


def write(tmp_path, text):
    path = tmp_path / "reward.yaml"
    path.write_text(text)
    return path


def test_the_shipped_file_has_the_papers_weights():
    settings = read_reward_settings(paths.REPOSITORY / "code" / "rl_finetune" / "reward.yaml")
    weights = {s.name: s.weight for s in settings if s.enabled}
    assert weights == {"imitation": 0.51, "antifreezing": 0.49, "fgcontact": 0.01}


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


def test_an_unknown_reward_is_told_the_known_ones(tmp_path):
    path = write(tmp_path, "rewards:\n - {name: imitaton, enabled: true, weight: 1}\n")
    with pytest.raises(UserError) as error:
        read_reward_settings(path)
    assert "imitaton" in str(error.value)
    assert all(name in str(error.value) for name in known_rewards())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rewards:\n - {name: imitation, enabled: true, weight: much}\n", "weight.* must be a number, not 'much'"),
        ("rewards:\n - {name: imitation, enabled: maybe, weight: 1}\n", "enabled.* must be true or false"),
        ("rewards:\n - {name: imitation, enabled: false, weight: 1}\n", "enables no reward"),
        ("rewards:\n - {name: imitation, weight: 1}\n", "missing key.*enabled"),
        ("rewards:\n - {name: imitation, enabled: true, wieght: 1}\n", "unknown key.*wieght"),
        ("rewards: 3\n", "must hold a list"),
        ("rewards: [\n", "not valid YAML"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, text, complaint):
    with pytest.raises(UserError, match=complaint):
        read_reward_settings(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no reward file"):
        read_reward_settings(tmp_path / "none.yaml")


def test_weights_can_be_laid_over_the_files():
    settings = [RewardSetting("imitation", True, 0.5), RewardSetting("fgcontact", False, 0.1)]
    assert reweighted(settings, {"imitation": 0.9}) == [RewardSetting("imitation", True, 0.9), settings[1]]
    with pytest.raises(UserError, match="unknown reward in reward_weights 'imitatoin'"):
        reweighted(settings, {"imitatoin": 1.0})


@pytest.mark.parametrize(("arguments", "weights"), [
    ([], {"imitation": 0.85, "antifreezing": 0.15, "fgcontact": 0.01}),
    (["preset=paper"], {"imitation": 0.51, "antifreezing": 0.49, "fgcontact": 0.01}),
    (["reward_weights={fgcontact: 0.5}"], {"imitation": 0.85, "antifreezing": 0.15, "fgcontact": 0.5}),
])
def test_what_a_run_is_rewarded_for(arguments, weights):
    config = to_dataclass(load_config("finetune", arguments), FinetuneConfig)
    settings = reweighted(read_reward_settings(paths.locate(config.rewards)), config.reward_weights or {})
    assert {setting.name: setting.weight for setting in settings if setting.enabled} == weights
