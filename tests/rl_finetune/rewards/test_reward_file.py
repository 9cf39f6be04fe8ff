"""Reward files: what they may say, and one sentence for what they may not."""

import pytest

from rl_finetune.finetune_config import FinetuneConfig
from rl_finetune.rewards.reward import known_rewards
from rl_finetune.rewards.reward_file import RewardFile, RewardSetting, read_reward_file, reweighted
from skeleton2stage import paths
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError

ORIGINAL = """
rewards:
  imitation:
    enabled: true
    weight: 0.51
  antifreezing:
    enabled: true
    weight: 0.49
  fgcontact:
    enabled: true
    weight: 0.01
  pfc:
    enabled: false
    weight: 0.0
"""
ORIGINALS_SETTINGS = [
    RewardSetting("imitation", True, 0.51),
    RewardSetting("antifreezing", True, 0.49),
    RewardSetting("fgcontact", True, 0.01),
    RewardSetting("pfc", False, 0.0),
]
ONE = "rewards: {beat: 1.0}\n"


@pytest.fixture()
def read(tmp_path):
    """Return a function that writes a reward file and reads it."""

    def write_and_read(text):
        path = tmp_path / "reward.yaml"
        path.write_text(text)
        return read_reward_file(path)

    return write_and_read


def test_a_list_with_what_is_held(read):
    file = read("rewards:\n - {name: beat, enabled: true, weight: 2}\n - {name: pfc, enabled: false, weight: -1e-3}\n"
                "hold: {mot_mag: 1, bas: 0.95}\n")
    settings = [RewardSetting("beat", True, 2.0), RewardSetting("pfc", False, -0.001)]
    assert file == RewardFile(settings, {"mot_mag": 1.0, "bas": 0.95}, ())


def test_the_original_projects_file_is_read_as_it_is(read):
    assert read(ORIGINAL).settings == ORIGINALS_SETTINGS
    top_level = "\n".join(line[2:] for line in ORIGINAL.splitlines()[2:])
    assert top_level.startswith("imitation:\n") and read(top_level).settings == ORIGINALS_SETTINGS


@pytest.mark.parametrize("text", ["rewards: {beat: 0.5, pfc: 1e-1}\n", "beat: 0.5\npfc: 0.1\n"])
def test_a_mapping_of_weights(read, text):
    assert read(text).settings == [RewardSetting("beat", True, 0.5), RewardSetting("pfc", True, 0.1)]
    assert read(text + "hold: {fgd: 2}\n").hold == {"fgd": 2.0}


@pytest.mark.parametrize("name", sorted(p.name for p in (paths.REPOSITORY / "code/rl_finetune").glob("reward*.yaml")))
def test_shipped_files_are_in_order(name):
    assert read_reward_file(paths.REPOSITORY / "code" / "rl_finetune" / name).settings


def test_an_unknown_reward_is_told_the_known_ones(read):
    for text in ("rewards:\n - {name: imitaton, enabled: true, weight: 1}\n", "imitaton: 1\n"):
        with pytest.raises(UserError) as error:
            read(text)
        assert "reward.yaml: unknown reward 'imitaton'" in str(error.value)
        assert all(name in str(error.value) for name in known_rewards())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rewards:\n - {name: imitation, enabled: true, weight: much}\n",
         "imitation.weight.* must be a number, not 'much'"),
        ("rewards:\n - {name: imitation, enabled: true, weight: .nan}\n", "imitation.weight must be a finite"),
        ("rewards: {imitation: .inf}\n", "imitation.weight must be a finite number, not inf"),
        ("rewards:\n - {name: imitation, enabled: maybe, weight: 1}\n", "enabled.* must be true or false"),
        ("rewards:\n - {name: imitation, enabled: false, weight: 1}\n", "enables no reward"),
        ("rewards: []\n", "enables no reward"),
        ("rewards: {}\n", "enables no reward"),
        ("hold: {bas: 1}\n", "enables no reward"),
        ("rewards:\n - {name: imitation, weight: 1}\n", "missing key.*imitation.enabled"),
        ("rewards:\n - {enabled: true, weight: 1}\n", "missing key.*name"),
        ("rewards:\n - {name: imitation, enabled: true, wieght: 1}\n", "unknown key.*imitation.wieght"),
        ("rewards:\n - {name: beat, enabled: true, weight: 1}\n - {name: beat, enabled: true, weight: 2}\n",
         "lists 'beat' twice: keep one"),
        ("beat: 1\nbeat: 2\n", "'beat' stands twice from line 1 on: keep one"),
        ("rewards:\n  beat: 1\n  pfc: 1\n  beat: 2\n", "'beat' stands twice from line 2 on: keep one"),
        ("rewards: 3\n", "must hold a list .*, not 3"),
        ("rewards: [beat]\n", "must hold a list"),
        ("beat: [1, 2]\n", r"'beat' must be a weight or \{enabled, weight\}"),
        ("rewards: {beat: }\n", r"'beat' must be a weight or \{enabled, weight\}"),
        ("", "must hold 'rewards'"),
        ("- beat\n", "must hold 'rewards'"),
        ("rewards: [\n", "not valid YAML"),
        (ONE + "helt: {bas: 1}\n", "unknown key 'helt': choose one of hold, module, rewards"),
        (ONE + "hold: [bas]\n", "'hold' must map metrics to shares"),
        (ONE + "hold: {bas: 0}\n", "share at which 'bas' is held must be a number above 0, not 0"),
        (ONE + "hold: {bas: .nan}\n", "'bas' is held must be a number above 0"),
        (ONE + "hold: {bas: .inf}\n", "'bas' is held must be a number above 0"),
        (ONE + "hold: {bas: true}\n", "'bas' is held must be a number above 0"),
        (ONE + "hold: {bas: much}\n", "'bas' is held must be a number above 0, not 'much'"),
        (ONE + "module: 3\n", "'module' must be a file"),
    ],
)
def test_bad_files_get_one_sentence(read, text, complaint):
    with pytest.raises(UserError, match=complaint) as error:
        read(text)
    assert "reward.yaml" in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no reward file at .*none.yaml"):
        read_reward_file(tmp_path / "none.yaml")


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "reward.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="reward.yaml is not valid YAML"):
        read_reward_file(tmp_path / "reward.yaml")


def test_weights_can_be_laid_over_the_files():
    settings = [RewardSetting("imitation", True, 0.5), RewardSetting("fgcontact", False, 0.1)]
    assert reweighted(settings, {"imitation": 0.9}) == [RewardSetting("imitation", True, 0.9), settings[1]]
    assert reweighted(settings, {}) == settings


@pytest.mark.parametrize(("weights", "complaint"), [
    ({"imitatoin": 1.0}, "unknown reward in reward_weights 'imitatoin': choose one of fgcontact, imitation"),
    ({"fgcontact": 1.0}, "'fgcontact', which the reward file disables: set enabled: true"),
    ({"imitation": float("nan")}, "weight of 'imitation' in reward_weights must be a finite number, not nan"),
    ({"imitation": float("inf")}, "weight of 'imitation' in reward_weights must be a finite number, not inf"),
])
def test_weights_that_cannot_be_laid_over(weights, complaint):
    settings = [RewardSetting("imitation", True, 0.5), RewardSetting("fgcontact", False, 0.1)]
    with pytest.raises(UserError, match=complaint):
        reweighted(settings, weights)


@pytest.mark.parametrize(("arguments", "weights"), [
    (["preset=paper"], {"imitation": 0.51, "antifreezing": 0.49, "fgcontact": 0.01}),
    (["preset=paper", "reward_weights={fgcontact: 0.5}"], {"imitation": 0.51, "antifreezing": 0.49, "fgcontact": 0.5}),
])
def test_what_a_run_is_rewarded_for(arguments, weights):
    config = to_dataclass(load_config("finetune", arguments), FinetuneConfig)
    settings = reweighted(read_reward_file(config.rewards).settings, config.reward_weights or {})
    assert {setting.name: setting.weight for setting in settings if setting.enabled} == weights
