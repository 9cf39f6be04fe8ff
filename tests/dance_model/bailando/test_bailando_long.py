"""Dances longer than a window, and learning through the interface alone."""

import pytest
import roma
import torch
from bailando_models import made_policy

from dance_model.bailando.bailando_policy import BailandoPolicy
from dance_model.bailando.body_features import motion_of
from dance_model.bailando.code_sampling import chosen, draw, scored
from dance_model.bailando.network import BailandoNetwork, network_config
from dance_model.bailando.training_config import tiny
from dance_model.dance_policy import DancePolicy
from skeleton2stage.errors import UserError


@pytest.fixture
def even_policy():
    """Return a policy of six codes a window."""
    torch.manual_seed(0)
    conv = tiny().network.vqvae.conv
    return BailandoPolicy(BailandoNetwork(network_config(conv, 16, 16, 2, 2, window_frames=36)))


def test_codes_to_begin_with_are_kept_and_the_rest_goes_on_from_them(even_policy):
    heard = even_policy.module.heard(torch.randn(3, 36, 35))
    given = torch.randint(16, (3, 4, 2))
    drawn = draw(even_policy.module.gpt, heard, torch.Generator().manual_seed(0), given=given)
    assert torch.equal(drawn.codes[:, :4], given)
    with torch.no_grad():
        expected = chosen(scored(even_policy.module.gpt, drawn.codes, heard), drawn.codes)
    assert torch.allclose(drawn.log_prob[:, 4:], expected[:, 4:], atol=1e-5)
    assert not drawn.log_prob[:, :4].any()


def test_each_window_goes_on_from_the_last_half_of_the_one_before(even_policy):
    music, generator = torch.randn(3, 36, 35), torch.Generator().manual_seed(0)
    gpt, heard = even_policy.module.gpt, [even_policy.module.heard(window) for window in music.split(1)]
    expected = draw(gpt, heard[0], generator).codes
    for window in heard[1:]:
        drawn = draw(gpt, window, generator, given=expected[:, -3:]).codes
        expected = torch.cat((expected, drawn[:, 3:]), dim=1)
    assert torch.equal(even_policy._long_codes(music, torch.Generator().manual_seed(0)), expected)
    dances = even_policy.long_dances([music, music[:1]], torch.Generator().manual_seed(0))
    assert [dance.poses.shape for dance in dances] == [(1, 72, 24, 3), (1, 36, 24, 3)]
    assert [dance.translation.shape for dance in dances] == [(1, 72, 3), (1, 36, 3)]
    rotmat, place = motion_of(even_policy.module.vqvae.decode(expected))
    assert torch.equal(dances[0].poses, roma.rotmat_to_rotvec(rotmat)) and torch.equal(dances[0].translation, place)


def test_windows_of_an_odd_number_of_codes_cannot_overlap_by_half(policy):
    with pytest.raises(UserError, match="windows of 5 codes cannot overlap by half"):
        policy.long_dances([torch.randn(2, 30, 35)], torch.Generator())


def improvement(policy: DancePolicy, by_frame: bool) -> float:
    """Return by how much a policy gradient of a few epochs raises the pelvis, in deviations among dances."""
    music, generator = torch.zeros(64, 30, 35), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(policy.parameters(), lr=0.01)
    heights = []
    for _ in range(12):
        rollout = policy.roll_out(music, generator)
        height = policy.dances(rollout).translation[..., 2]
        heights.append(height.mean(dim=1))
        reward = height if by_frame else height.mean(dim=1, keepdim=True).expand_as(height)
        advantages = (reward - reward.mean(dim=0)) / reward.std()
        optimiser.zero_grad()
        with policy.scoring(rollout, slice(0, 64)) as score:
            for steps in ([0, 1, 2], [3, 4]):
                (-advantages * score(steps)).mean(dim=(1, 2)).sum().backward()
        optimiser.step()
    return float((heights[-1].mean() - heights[0].mean()) / heights[0].std())


@pytest.mark.parametrize("credit", ["frame", "later", "dance"])
@pytest.mark.parametrize("by_frame", [True, False])
def test_the_interface_alone_suffices_to_learn(credit, by_frame):
    # The means of 64 dances that are alike differ by 0.18 deviations.
    assert improvement(made_policy(credit=credit), by_frame) > 0.7
