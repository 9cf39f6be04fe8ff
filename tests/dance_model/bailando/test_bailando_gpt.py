"""The GPT: what a code may know, and drawing with a memory."""

import pytest
import torch

from dance_model.bailando.gpt import CrossConditionalGpt, GptConfig
from dance_model.bailando.local_music import LocalMusic, LocalMusicConfig
from skeleton2stage.errors import UserError


@pytest.fixture
def gpt():
    torch.manual_seed(1)
    network = CrossConditionalGpt(GptConfig(
        n_codes=11, block=6, width=12, n_heads=3, n_base=1, n_head_layers=2, music_width=5
    )).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network


def context(n=6):
    return torch.randint(11, (2, n, 2)), torch.randn(2, n, 5)


def changed_moments(gpt, codes, music, codes_2, music_2):
    with torch.no_grad():
        before, after = gpt(codes, music), gpt(codes_2, music_2)
    return [((a - b).abs() > 1e-6).any(dim=-1)[0].tolist() for a, b in zip(before, after, strict=True)]


@pytest.mark.parametrize("half", [0, 1])
def test_both_halves_hear_of_either_ones_past_and_not_of_its_future(gpt, half):
    codes, music = context()
    other = codes.clone()
    other[:, 3, half] = (codes[:, 3, half] + 1) % 11
    assert changed_moments(gpt, codes, music, other, music) == [[False] * 3 + [True] * 3] * 2


def test_both_halves_hear_music_up_to_now(gpt):
    codes, music = context()
    other = music.clone()
    other[:, 2] += 1.0
    assert changed_moments(gpt, codes, music, codes, other) == [[False] * 2 + [True] * 4] * 2


def test_with_a_memory_moment_by_moment_is_the_same_as_all_at_once(gpt):
    codes, music = context()
    memory = gpt.memory()
    with torch.no_grad():
        whole = gpt(codes, music)
        parts = [gpt(codes[:, i : i + 1], music[:, i : i + 1], memory, i) for i in range(6)]
    for half in range(2):
        assert torch.allclose(torch.cat([part[half] for part in parts], dim=1), whole[half], atol=1e-5)


def test_start_stands_before_the_first_code(gpt):
    codes, _ = context(3)
    assert torch.equal(gpt.started(codes)[:, 1:], codes[:, :-1])
    assert (gpt.started(codes)[:, 0] == 11).all()


def test_local_music_hears_its_neighbourhood_alone():
    torch.manual_seed(0)
    config = LocalMusicConfig(features=3, around=1, frames_per_code=2, block=8, width=8, n_heads=2, n_layers=1)
    local, music = LocalMusic(config).eval(), torch.randn(1, 20, 3)
    other = music.clone()
    other[:, 2 + 2 * 4] += 1.0  # a frame of the fifth code, of the eight within the margins of one code
    with torch.no_grad():
        changed = ((local(music) - local(other)).abs() > 1e-7).any(dim=-1)[0]
    # Two frames around: as far as the code before, and the frames of the code after.
    assert changed.tolist() == [False, False, False, True, True, True, False, False]
    with pytest.raises(UserError, match="music needs 2 frames before and after"):
        local(music[:, :19])


def test_wrong_input_is_told_in_a_sentence(gpt):
    codes, music = context()
    with pytest.raises(UserError, match="sees 6 codes at most, not 7"):
        gpt(torch.cat((codes, codes[:, :1]), dim=1), torch.randn(2, 7, 5))
    with pytest.raises(UserError, match=r"need music \[2, 6, 5\], not \[2, 6, 4\]"):
        gpt(codes, music[..., :4])
    with pytest.raises(UserError, match="width must be a multiple of n_heads"):
        GptConfig(width=10, n_heads=3)
    gptless = CrossConditionalGpt(GptConfig(
        n_codes=11, block=6, width=12, n_heads=3, n_base=1, n_head_layers=1, music_width=5, start=False
    ))
    with pytest.raises(UserError, match="no token to start from"):
        gptless.started(codes)
