"""The verdict's sums, from steps made by hand."""

import pytest
import torch

from skeleton2stage.physics.imitation.imitation_task import StepOutcome
from skeleton2stage.physics.score.dance_scorer import FALL_HEAD_HEIGHT_M, _Tally

WEIGHT_N = 70.0 * 9.81
YES = torch.tensor([True, True])


def step(
    reward: tuple[float, float] = (0.8, 0.8), error_m: float = 0.02, head_m: tuple[float, float] = (1.5, 1.5),
    diverged: tuple[bool, bool] = (False, False), force_n: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> StepOutcome:
    wrench = torch.tensor([*force_n, 900.0, 900.0, 900.0]).expand(2, 6)  # moments are not the residual force
    return StepOutcome(
        torch.tensor(reward), torch.full((2,), error_m), torch.tensor(head_m), torch.tensor(diverged),
        torch.zeros(2, dtype=torch.bool), wrench,
    )


@pytest.fixture()
def tally() -> _Tally:
    return _Tally(2, torch.device("cpu"))


def test_figures_are_means_over_frames(tally):
    tally.add(step((0.9, 0.5), error_m=0.01, force_n=(0.0, 30.0, 40.0)), YES)
    tally.add(step((0.7, 0.1), error_m=0.03), YES)
    scores = tally.scores(2)
    assert scores.imitation.tolist() == pytest.approx([0.8, 0.3])
    assert scores.success.tolist() == [True, True]
    assert scores.body_error_mm.tolist() == pytest.approx([20.0, 20.0])
    assert scores.residual_force_share.tolist() == pytest.approx([25.0 / WEIGHT_N] * 2)
    torch.testing.assert_close(scores.frame_rewards, torch.tensor([[0.9, 0.9, 0.7], [0.5, 0.5, 0.1]]))


def test_a_fall_latches_and_what_comes_after_counts_nothing_but_frames(tally):
    """The first world's head goes under 0.3 m at the second of four steps, and comes up again."""
    assert FALL_HEAD_HEIGHT_M == 0.3
    for head in (1.5, 0.29, 1.5, 1.5):
        tally.add(step(head_m=(head, 0.31), error_m=0.1 if head < 1 else 0.02), YES)
    scores = tally.scores(2)
    assert scores.success.tolist() == [False, True]
    assert scores.imitation.tolist() == pytest.approx([0.8 / 4, 0.8])
    assert scores.body_error_mm.tolist() == pytest.approx([20.0, (3 * 20.0 + 100.0) / 4])
    assert scores.frame_rewards[0].tolist() == pytest.approx([0.8, 0.8, 0.0, 0.0, 0.0])


def test_a_divergence_takes_everything_even_what_was_earned_before(tally):
    tally.add(step(), YES)
    tally.add(step((float("nan"), 0.6), diverged=(True, False)), YES)
    scores = tally.scores(2)
    assert scores.imitation.tolist() == pytest.approx([0.0, 0.7]) and scores.success.tolist() == [False, True]
    assert scores.frame_rewards[0].tolist() == [0.0, 0.0, 0.0] and scores.frame_rewards.isfinite().all()
    assert scores.body_error_mm.isfinite().all()


def test_a_dance_that_has_ended_is_not_looked_at(tally):
    """The first world's dance is one step long; it lies down and diverges afterwards, which is nobody's business."""
    tally.add(step(), YES)
    after = torch.tensor([False, True])
    tally.add(step((0.1, 0.4), head_m=(0.1, 1.5), diverged=(True, False), error_m=5.0), after)
    scores = tally.scores(2)
    assert scores.success.tolist() == [True, True]
    assert scores.imitation.tolist() == pytest.approx([0.8, 0.6])
    assert scores.body_error_mm[0].item() == pytest.approx(20.0)
    assert scores.frame_rewards[0].tolist() == pytest.approx([0.8, 0.8, 0.0])


def test_down_from_the_start_the_first_frame_is_looked_at(tally):
    for _ in range(3):
        tally.add(step(head_m=(0.1, 1.5), error_m=0.5, force_n=(70.0 * 9.81, 0.0, 0.0)), YES)
    scores = tally.scores(2)
    assert scores.imitation[0] == 0 and not scores.success[0]
    assert scores.body_error_mm[0].item() == pytest.approx(500.0)
    assert scores.residual_force_share[0].item() == pytest.approx(1.0)


def test_self_contact_is_a_mean_over_the_looks_that_counted(tally):
    """Looked at after the first and the third step; the first world has fallen by then."""
    tally.add(step(), YES)
    tally.add_self_contact(torch.tensor([0.004, 0.002]))
    tally.add(step(head_m=(0.1, 1.5)), YES)
    tally.add(step(), YES)
    tally.add_self_contact(torch.tensor([0.5, 0.006]))
    assert tally.scores(2).self_contact_mm.tolist() == pytest.approx([4.0, 4.0])


def test_spare_worlds_are_cut_off(tally):
    tally.add(step((0.9, 0.5)), YES)
    scores = tally.scores(1)
    assert all(len(value) == 1 for value in vars(scores).values())
    assert scores.imitation.tolist() == pytest.approx([0.9])
