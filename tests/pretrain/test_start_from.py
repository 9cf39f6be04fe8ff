"""Training that begins with a policy: what it keeps of it, and what it may see besides."""

import pytest
import torch

from skeleton2stage.errors import UserError
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy

pytestmark = pytest.mark.filterwarnings("error:std")


def test_a_run_can_go_on_from_a_policy(run):
    first = run("first", 1)
    policy = ImitationPolicy.load(first / "imitation_policy.safetensors")
    again = run(
        "again", 1, f"start_from={first / 'imitation_policy.safetensors'}", "critic_iterations=2",
        "wrench={initial: 4.0, final: 0.5, factor: 1.0}",
    )
    kept = ImitationPolicy.load(again / "imitation_policy.safetensors")
    # Both iterations taught the critic alone: the network is the same, and so is the wrench it is used to.
    for ours, theirs in zip(policy.network.parameters(), kept.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert kept.config.wrench_scale == policy.config.wrench_scale
    torch.testing.assert_close(kept.observation_mean, policy.observation_mean, atol=1e-3, rtol=1e-3)
    moved = run("moved", 1, f"start_from={first / 'imitation_policy.safetensors'}", "critic_iterations=1")
    learnt = ImitationPolicy.load(moved / "imitation_policy.safetensors")
    assert not torch.equal(learnt.network[0].weight, policy.network[0].weight)


def test_a_policy_can_learn_to_see_further(run):
    """It begins by doing what it did, whatever the new numbers are; what is new is normalised as the clips have it."""
    first = run("near", 1) / "imitation_policy.safetensors"
    near = ImitationPolicy.load(first)
    ahead = ("future_frames=[3, 15]", "worlds=32", "minibatches=1")
    kept = ImitationPolicy.load(
        run("far", 1, f"start_from={first}", "critic_iterations=2", *ahead) / "imitation_policy.safetensors"
    )
    assert kept.config.future_frames == (3, 15)
    seen = torch.cat((near.observation_mean + 0.1 * torch.randn(4, 733), torch.randn(4, 148)), dim=1)
    kept.observation_mean[:733], kept.observation_std[:733] = near.observation_mean, near.observation_std
    torch.testing.assert_close(kept(seen), near(seen[:, :733]), atol=1e-5, rtol=1e-4)
    # The head, joint 15, is above the pelvis in all frames to come, and hardly moves in these clips.
    head_height = 733 + 15 * 3 + 2
    assert 0.3 < kept.observation_mean[head_height] < 0.7 and kept.observation_std[head_height] < 0.05
    moved = run("moved", 1, f"start_from={first}", "critic_iterations=1", *ahead) / "imitation_policy.safetensors"
    assert ImitationPolicy.load(moved).network[0].weight[:, 733:].abs().max() > 0
    for number, others in enumerate(("[]", "[3]", "[3, 16]")):
        with pytest.raises(UserError, match=r"give future_frames=\[3, 15\]"):
            run(f"other_{number}", 1, f"start_from={moved}", f"future_frames={others}")


def test_a_policy_that_sees_further_goes_on_as_it_was(run):
    ahead = ("future_frames=[3, 15]", "critic_iterations=9")
    first = run("first", 1, ahead[0]) / "imitation_policy.safetensors"
    again = ImitationPolicy.load(run("again", 1, f"start_from={first}", *ahead) / "imitation_policy.safetensors")
    before = ImitationPolicy.load(first)
    for ours, theirs in zip(before.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    torch.testing.assert_close(again.observation_mean, before.observation_mean, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(again.observation_std, before.observation_std, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("frames", ["[7, 3]", "[3, 3]", "[0]", "[301]"])
def test_frames_to_come_are_checked_before_training(run, frames):
    with pytest.raises(UserError, match="future_frames must"):
        run("wrong", 1, f"future_frames={frames}")


@pytest.mark.parametrize("learned", [False, True])
def test_the_deviation_is_learned_only_where_asked_for(run, learned):
    first = run("begun", 1)
    again = run(
        "again", 2, f"start_from={first / 'imitation_policy.safetensors'}", "critic_iterations=1", "log_std=-2.0",
        f"learn_std={learned}",
    )
    actor = torch.load(again / "state.pt", weights_only=True)["ppo"]["actor_state_dict"]
    deviation = actor["distribution.std_param"]
    assert deviation.eq(deviation.new_tensor(-2.0).exp()).all() == (not learned)


def test_a_policy_of_other_sizes_is_refused(run):
    first = run("small", 1)
    with pytest.raises(UserError, match=r"give hidden=\[8\]"):
        run("large", 1, f"start_from={first / 'imitation_policy.safetensors'}", "hidden=[16]")
