import json

import pytest
import torch

from skeleton2stage.checkpoint import save_checkpoint
from skeleton2stage.errors import UserError
from skeleton2stage.physics.imitation.imitation_policy import NORMALISATION_EPSILON, ImitationPolicy, PolicyConfig


@pytest.fixture()
def policy():
    torch.manual_seed(0)
    policy = ImitationPolicy(PolicyConfig(hidden=(8, 4)))
    policy.observation_mean.uniform_(-1, 1)
    policy.observation_std.uniform_(0.5, 2)
    return policy.eval()


def test_observations_are_normalised(policy):
    scaled = (torch.ones(1, 733) - policy.observation_mean) / (policy.observation_std + NORMALISATION_EPSILON)
    torch.testing.assert_close(policy(torch.ones(1, 733)), policy.network(scaled))


def test_it_goes_through_a_file(policy, tmp_path):
    policy.save(tmp_path / "p.safetensors", {"success": 1.0})
    again = ImitationPolicy.load(tmp_path / "p.safetensors")
    observations = torch.randn(5, 733)
    torch.testing.assert_close(again(observations), policy(observations), atol=5e-3, rtol=5e-3)
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_one_that_sees_frames_to_come_says_which(tmp_path):
    config = PolicyConfig.seeing((3, 7), (8,), 0.5)
    ImitationPolicy(config).save(tmp_path / "p.safetensors")
    again = ImitationPolicy.load(tmp_path / "p.safetensors")
    assert again.config == config and again.config.future_frames == (3, 7)
    assert again(torch.zeros(1, 733 + 2 * 74)).shape == (1, 75)
    text = (tmp_path / "p.json").read_text()
    (tmp_path / "p.json").write_text(text.replace("881", "733"))
    told = r"p.safetensors: .*future_frames=\[3, 7\] has observations of 881 numbers, not 733"
    with pytest.raises(UserError, match=told):
        ImitationPolicy.load(tmp_path / "p.safetensors")


def test_checkpoints_from_before_there_was_a_choice_see_the_next_frame(policy, tmp_path):
    policy.save(tmp_path / "p.safetensors")
    config = json.loads((tmp_path / "p.json").read_text())
    del config["policy"]["future_frames"]
    (tmp_path / "p.json").write_text(json.dumps(config))
    assert ImitationPolicy.load(tmp_path / "p.safetensors").config == policy.config


@pytest.mark.parametrize(
    "frames, told", [((7, 3), "rise"), ((3, 3), "rise"), ((0, 3), "from 1 to 300"), ((301,), "from 1 to 300")]
)
def test_frames_to_come_rise_and_are_not_too_far(frames, told):
    with pytest.raises(UserError, match=f"future_frames must .*{told}"):
        PolicyConfig.seeing(frames, (8,))


def test_other_checkpoints_are_refused(policy, tmp_path):
    save_checkpoint(tmp_path / "other.safetensors", {"x": torch.zeros(1)}, {"kind": "dance_model"})
    with pytest.raises(UserError, match="is not an imitation policy but: dance_model"):
        ImitationPolicy.load(tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="no checkpoint at"):
        ImitationPolicy.load(tmp_path / "none.safetensors")
    policy.save(tmp_path / "p.safetensors")
    text = (tmp_path / "p.json").read_text().replace("8", "16", 1)
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(UserError, match="does not fit its own configuration"):
        ImitationPolicy.load(tmp_path / "p.safetensors")


def test_a_cut_off_file_is_refused(policy, tmp_path):
    policy.save(tmp_path / "p.safetensors")
    content = (tmp_path / "p.safetensors").read_bytes()
    (tmp_path / "p.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match="damaged"):
        ImitationPolicy.load(tmp_path / "p.safetensors")
