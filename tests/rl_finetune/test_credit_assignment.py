"""Credit relative to the group, from rewards made by hand for dances of known liveliness."""

import pytest
import torch

from rl_finetune.credit_assignment import BY_DANCE, BY_FRAME, GroupCrediting
from rl_finetune.group_advantages import CLIP, group_relative
from rl_finetune.held import HeldQuantities
from rl_finetune.rewards import Dances, RewardContext
from skeleton2stage.metrics.motion_magnitude import mot_mag

PROMPTS, T = torch.tensor([0, 1, 0, 1]), 12
CONTEXT = RewardContext(lambda: None)


def dances(amplitudes: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)) -> Dances:
    """Dances of one arm that swings as wide as said: the wider, the livelier."""
    poses = torch.zeros(len(amplitudes), T, 24, 3)
    poses[..., 16, 2] = torch.tensor(amplitudes)[:, None] * torch.sin(torch.arange(T) / 2.0)
    return Dances(poses, torch.zeros(len(amplitudes), T, 3), None, torch.zeros(len(amplitudes), T, 0))


def alone(value: torch.Tensor) -> torch.Tensor:
    return value


def crediting(unit: str = BY_FRAME, neutral: bool = False, weights: dict[str, float] | None = None,
              held: dict[str, float] | None = None) -> GroupCrediting:
    holding = HeldQuantities(held or {}, CONTEXT)
    if held:
        holding.set_base(PROMPTS, {name: torch.tensor([1.0, 1.0, 3.0, 3.0]) for name in held}, 2)
    return GroupCrediting({"own": 1.0} if weights is None else weights, holding, unit, neutral)


def centred(values: torch.Tensor) -> torch.Tensor:
    """What is left of values beside the other dance to the same music, in root mean squares of the batch."""
    relative = group_relative(values, PROMPTS)
    return relative / relative.square().mean().sqrt()


def by_frame() -> torch.Tensor:
    return torch.randn(4, T, generator=torch.Generator().manual_seed(0))


def test_frames_are_compared_with_the_same_frames_of_the_others():
    advantages, _ = crediting(BY_FRAME)(PROMPTS, dances(), {"own": by_frame()}, alone)
    torch.testing.assert_close(advantages, centred(by_frame()))


def test_dances_are_compared_as_wholes_where_they_get_the_credit():
    advantages, _ = crediting(BY_DANCE)(PROMPTS, dances(), {"own": by_frame()}, alone)
    expected = centred(by_frame().mean(dim=1))
    torch.testing.assert_close(advantages, expected[:, None].expand(4, T))


@pytest.mark.parametrize("unit", [BY_FRAME, BY_DANCE])
def test_what_is_owed_to_liveliness_is_taken_out_where_that_is_asked_for(unit):
    """A reward that is the movement itself, and a little of its own: all that is left is its own."""
    ours = dances()
    energy = group_relative(mot_mag(ours.poses).log(), PROMPTS)
    own = torch.tensor([1.0, -1.0, -1.0, 1.0])
    own = own - (own * energy).sum() / energy.square().sum() * energy
    rewards = {"own": (5.0 * energy + 0.1 * own)[:, None].expand(4, T)}
    advantages, figures = crediting(unit, neutral=True)(PROMPTS, ours, rewards, alone)
    left = own / own.square().mean().sqrt()
    torch.testing.assert_close(advantages, left[:, None].expand(4, T), atol=1e-3, rtol=0)
    plain, _ = crediting(unit, neutral=False)(PROMPTS, ours, rewards, alone)
    torch.testing.assert_close(plain[:, 0].sign(), energy.sign())
    assert figures["energy_correlation/own"] > 0.99


def test_movement_that_is_held_is_not_made_neutral():
    """Dances at a third of the base's movement: the livelier get the credit, though all else is neutral."""
    ours = dances()
    advantages, figures = crediting(neutral=True, weights={}, held={"mot_mag": 1.0})(PROMPTS, ours, {}, alone)
    energy = group_relative(mot_mag(ours.poses).log(), PROMPTS)
    assert figures["held/mot_mag"] < 0.5 and figures["held/mot_mag_weight"] > 0
    torch.testing.assert_close(advantages[:, 3].sign(), energy.sign())
    weighted = figures["held/mot_mag_weight"] * energy / energy.square().mean().sqrt()
    torch.testing.assert_close(advantages, weighted.clamp(-CLIP, CLIP)[:, None].expand(4, T), atol=1e-4, rtol=1e-4)


def test_figures_are_of_rewards_and_of_what_is_held():
    rewards = {"own": by_frame(), "still": torch.ones(4)}
    _, figures = crediting(weights={"own": 1.0, "still": 1.0}, held={"mot_mag": 0.9})(PROMPTS, dances(), rewards, alone)
    assert set(figures) == {
        "held/mot_mag", "held/mot_mag_limit", "held/mot_mag_weight", "energy_correlation/own", "without_spread/own",
        "energy_correlation/still", "without_spread/still",
    }
    assert figures["without_spread/still"] == 1.0 and figures["without_spread/own"] == 0.0
    assert figures["energy_correlation/still"] == 0.0 and abs(figures["energy_correlation/own"]) <= 1.0


def test_rewards_count_by_their_weights_whatever_their_units():
    small, large = by_frame(), 1000.0 * by_frame().flip(0)
    advantages, _ = crediting(weights={"small": 0.5, "large": 2.0})(
        PROMPTS, dances(), {"small": small, "large": large}, alone
    )
    torch.testing.assert_close(advantages, (0.5 * centred(small) + 2.0 * centred(large)).clamp(-CLIP, CLIP))


def test_a_statue_among_dances_is_no_trouble():
    """No movement has no logarithm: it counts as next to none."""
    advantages, figures = crediting(neutral=True)(PROMPTS, dances((0.0, 0.4, 0.6, 0.8)), {"own": by_frame()}, alone)
    assert advantages.isfinite().all() and advantages.abs().max() > 0.5
    assert figures["energy_correlation/own"] != 0.0


def test_two_processes_see_what_one_would():
    """Each has half of the dances; what is gathered is everybody's, in the order of the processes."""
    ours, rewards = dances(), by_frame()
    expected, figures = crediting(neutral=True)(PROMPTS, ours, {"own": rewards}, alone)
    whole = {"prompts": PROMPTS, "energy": mot_mag(ours.poses), "own": rewards}

    def gather(part: torch.Tensor) -> torch.Tensor:
        return next(value for value in whole.values() if value.dtype == part.dtype and value[2:].shape == part.shape
                    and torch.allclose(value[2:], part))

    half = Dances(ours.poses[2:], ours.translation[2:], None, ours.music[2:])
    found, own_figures = crediting(neutral=True)(PROMPTS[2:], half, {"own": rewards[2:]}, gather)
    torch.testing.assert_close(found, expected)
    assert own_figures == pytest.approx(figures)


def test_what_is_remembered_goes_on_alike():
    """A hundredth below the limit the weight grows from epoch to epoch, and goes on growing after a restart."""
    base = {"mot_mag": 1.01 * mot_mag(dances().poses)}
    one, other, fresh = (crediting(held={"mot_mag": 1.0}) for _ in range(3))
    for each in (one, fresh):
        each.held.set_base(PROMPTS, base, 2)

    def weight(of: GroupCrediting) -> float:
        return of(PROMPTS, dances(), {"own": by_frame()}, alone)[1]["held/mot_mag_weight"]

    first = weight(one)
    other.load_state_dict(one.state_dict())
    second = weight(one)
    assert 0 < first < second < 3.0
    assert (weight(other), weight(fresh)) == (pytest.approx(second), pytest.approx(first))
