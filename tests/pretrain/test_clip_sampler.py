"""Starts of episodes lean to where the policy fails."""

import pytest
import torch

from pretrain.clip_sampler import HardClipSampler, SamplingConfig
from pretrain.curriculum import WrenchConfig, next_scale
from skeleton2stage.errors import UserError
from skeleton2stage.physics.imitation.reference_motions import ReferenceFrames, ReferenceMotions


def references(*lengths: int) -> ReferenceMotions:
    length = torch.tensor(lengths)
    nothing = torch.zeros(int(length.sum()), 0)
    return ReferenceMotions(ReferenceFrames(*[nothing] * 6), length.cumsum(0) - length, length)


def test_without_failures_starts_are_uniform_over_frames_with_a_successor():
    sampler = HardClipSampler(references(11, 31), SamplingConfig(bin_frames=20), seed=0)
    torch.testing.assert_close(sampler.probabilities(), torch.tensor([0.25, 0.5, 0.25]))
    clips, frames = sampler.draw(4000)
    counts = torch.bincount(clips * 100 + frames, minlength=200)
    assert set(counts.nonzero().flatten().tolist()) == {*range(10), *range(100, 130)}
    assert counts[counts > 0].min() > 50  # 100 expected of each


def test_failures_draw_episodes_to_their_stretch_and_the_one_before():
    sampler = HardClipSampler(references(31, 31), SamplingConfig(bin_frames=10, hard_share=0.5), seed=0)
    frames = torch.arange(62)
    sampler.record(frames, (frames >= 20) & (frames < 30))
    rates = sampler.failure_rates()
    # Every stretch was visited ten times, a clip's last one eleven; the third failed always but once.
    torch.testing.assert_close(rates, torch.tensor([0, 5 / 11, 10 / 11, 0, 0, 0]))
    torch.testing.assert_close(
        sampler.probabilities(), 0.5 / 6 + 0.5 * torch.tensor([0, 1 / 3, 2 / 3, 0, 0, 0])
    )
    sampler.forget()
    torch.testing.assert_close(sampler.failure_rates(), rates)  # rates stay, new counts weigh more


def test_failures_do_not_reach_across_clips():
    sampler = HardClipSampler(references(11, 11), SamplingConfig(bin_frames=10), seed=0)
    sampler.record(torch.tensor([12]), torch.tensor([True]))
    assert sampler.failure_rates().tolist() == [0.0, 1.0]


def test_a_saved_state_is_restored_and_one_of_other_clips_refused():
    sampler, other = (HardClipSampler(references(31, 31), SamplingConfig(), seed) for seed in (0, 1))
    sampler.record(torch.tensor([3, 4]), torch.tensor([True, False]))
    other.load_state_dict(sampler.state_dict())
    torch.testing.assert_close(other.probabilities(), sampler.probabilities())
    with pytest.raises(ValueError, match="stretches"):
        HardClipSampler(references(31), SamplingConfig(), 0).load_state_dict(sampler.state_dict())


@pytest.mark.parametrize(
    ("failures", "error_mm", "expected"), [(0.001, 50, 1.8), (0.003, 50, 2.0), (0.001, 150, 2.0)]
)
def test_the_wrench_falls_only_while_tracking_is_good(failures, error_mm, expected):
    config = WrenchConfig(initial=4.0, final=1.0, factor=0.9, max_failures=0.002, max_error_mm=100.0)
    assert next_scale(2.0, failures, error_mm, config) == pytest.approx(expected)
    assert next_scale(1.05, 0.0, 0.0, config) == 1.0


def test_a_wrench_that_is_to_go_goes_for_good():
    config = WrenchConfig(initial=1.0, final=0.0, factor=0.9, max_failures=0.01, max_error_mm=60.0)
    scales = [0.03]
    while scales[-1] > 0 and len(scales) < 10:
        scales.append(next_scale(scales[-1], 0.0, 0.0, config))
    assert scales == pytest.approx([0.03, 0.027, 0.0243, 0.02187, 0.0])


def test_a_wrench_that_would_grow_is_refused():
    with pytest.raises(UserError, match="wrench.final"):
        WrenchConfig(1.0, 2.0, 0.9, 0.1, 100.0)
    with pytest.raises(UserError, match="factor must be above 0 and at most 1"):
        WrenchConfig(1.0, 1.0, 1.1, 0.1, 100.0)
