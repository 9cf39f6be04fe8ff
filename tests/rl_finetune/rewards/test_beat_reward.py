from dataclasses import replace

import pytest
import torch

from rl_finetune.rewards.reward import RewardContext, make_reward
from skeleton2stage.errors import UserError
from skeleton2stage.metrics.kinetic_beats import batched_bas, beat_scores


def beat_reward(dances):
    return make_reward("beat", RewardContext(scorer=None))(dances)


def test_beats_are_those_of_the_music(lively):
    assert lively.beats.shape == (3, 40) and lively.beats.dtype == torch.bool
    assert torch.nonzero(lively.beats[1])[:, 0].tolist() == [5, 16, 27, 38]


def test_a_frame_is_worth_what_its_nearest_beat_is(lively):
    reward = beat_reward(lively)
    scores = beat_scores(lively.joints_w).float()
    assert reward.shape == (3, 40) and reward.dtype == torch.float32
    for frame, beat in ((0, 5), (10, 5), (11, 16), (20, 16), (22, 27), (39, 38)):
        torch.testing.assert_close(reward[:, frame], scores[:, beat])
    on_beats = reward[:, 5::11].mean(dim=1).double()
    torch.testing.assert_close(on_beats, batched_bas(lively.beats, lively.joints_w), atol=1e-6, rtol=1e-6)
    assert on_beats.min() > 0


def test_silence_gives_no_signal(lively):
    music = lively.music.clone()
    music[1] = 0.0
    reward = beat_reward(replace(lively, music=music))
    assert not reward[1].any() and reward[0].any()


def test_features_without_beats_are_refused_in_one_sentence(lively):
    jukebox = replace(lively, music=torch.zeros(3, 40, 4800))
    with pytest.raises(UserError, match="4800 wide do not tell beats: leave out rewards.*'beat'"):
        beat_reward(jukebox)
