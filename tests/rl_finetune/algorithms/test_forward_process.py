import pytest
import torch

from dance_model.dance_policy import Rollout, RolloutOptions
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.predictor import predict_x0
from dance_model.diffusion.schedule import cosine_schedule
from dance_model.diffusion_policy import DiffusionPolicy, as_policy
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from rl_finetune.algorithms.direct import Targets
from rl_finetune.algorithms.forward_process import ForwardConfig, ForwardProcess, Lessons, contrast, optimality
from skeleton2stage.motion.motion_layout import EDGE
from skeleton2stage.motion.scaler import MinMaxScaler

FRAMES, N = 12, 6
TINY = DenoiserConfig(
    window_frames=FRAMES, latent_width=16, feedforward_width=16, n_layers=1, n_heads=2, dropout=0.0
)


@pytest.fixture()
def policy() -> DiffusionPolicy:
    torch.manual_seed(0)
    scaler = MinMaxScaler(torch.ones(151), torch.zeros(151), 1.0)
    return as_policy(DanceModel(DanceDecoder(TINY).eval(), EDGE, scaler), RolloutOptions(n_steps=4))


@pytest.fixture()
def rollout(policy) -> Rollout:
    music = torch.randn(N, FRAMES, 35, generator=torch.Generator().manual_seed(1))
    return policy.roll_out(music, torch.Generator().manual_seed(2))


def advantages(seed: int = 3) -> torch.Tensor:
    return 2.0 * torch.randn(N, FRAMES, generator=torch.Generator().manual_seed(seed))


def gradients(policy, rollout, given, config, seed=0) -> list[dict[str, torch.Tensor]]:
    found = []
    policy.module.zero_grad()
    for _ in ForwardProcess(config).gradients(policy, rollout, given, torch.Generator().manual_seed(seed)):
        found.append({n: p.grad.clone() for n, p in policy.module.named_parameters() if p.grad is not None})
        policy.module.zero_grad()
    return found


def lessons(old, x0, good) -> Lessons:
    return Lessons(Targets(old, torch.zeros(len(old)), old, x0), old, good)


def test_the_first_gradient_is_that_of_the_advantage_weighted_error(policy, rollout):
    """At D = D_old: 2 (A / 5) beta (D - x_0) dD, over the mean absolute error, dance by dance."""
    config, given = ForwardConfig(beta=0.5, times_per_dance=2, dances_per_pass=5), advantages()
    found = gradients(policy, rollout, given, config)[0]
    made = ForwardProcess(config).lessons(policy.model, rollout, given, torch.Generator().manual_seed(0))
    total = 0.0
    for i in range(2 * N):
        noised = made.noised.select(slice(i, i + 1))
        dance = next(n for n in range(N) if torch.equal(rollout.trace.x0[n], noised.x0[0]))
        encoding = policy.model.denoiser.encode_guided(noised.music)
        error = predict_x0(policy.model.denoiser, noised.x_t, noised.times, encoding, 2.0) - noised.x0
        weight = (given[dance] / 5.0).clamp(-1, 1)[:, None] * 0.5 / error.detach().abs().mean()
        total = total + (weight * error.square()).mean() / (2 * N)
    total.backward()
    for name, parameter in policy.module.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(found[name], parameter.grad, atol=1e-6, rtol=1e-3, msg=name)


def test_without_merit_nothing_is_learnt(policy, rollout):
    found = gradients(policy, rollout, torch.zeros(N, FRAMES), ForwardConfig())[0]
    largest = max(float(gradient.abs().max()) for gradient in found.values())
    taught = gradients(policy, rollout, advantages(), ForwardConfig())[0]
    assert largest < 1e-3 * max(float(gradient.abs().max()) for gradient in taught.values())


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_the_least_loss_is_at_the_old_prediction_moved_by_merit(beta):
    """Errors being all of one size, D = D_old + (2 r - 1) (x_0 - D_old) / beta."""
    old, x0 = torch.zeros(1, 3, 4), torch.ones(1, 3, 4)
    good = torch.tensor([[1.0, 0.5, 0.0]])
    now = torch.zeros_like(old, requires_grad=True)
    optimiser = torch.optim.SGD([now], lr=0.05)
    for _ in range(2000):
        optimiser.zero_grad()
        # The weights w+- change on the way; those of the beginning, 1 each, belong to the formula.
        step = beta * now
        loss = good * (step - x0).square().mean(-1) + (1 - good) * (-step - x0).square().mean(-1)
        if not float(now.detach().abs().max()):
            torch.testing.assert_close(contrast(now, lessons(old, x0, good), beta), loss)
        loss.sum().backward()
        optimiser.step()
    expected = (2 * good - 1)[..., None] / beta
    torch.testing.assert_close(now.detach(), expected.expand_as(now), atol=1e-3, rtol=0)


def test_optimality_is_half_without_merit_and_bounded():
    values = optimality(torch.tensor([[0.0, 2.5, -2.5, 5.0, -9.0]]))
    torch.testing.assert_close(values, torch.tensor([[0.5, 0.75, 0.25, 1.0, 0.0]]))


def test_dances_are_noised_at_their_times(policy, rollout):
    config = ForwardConfig(times_per_dance=3, min_time=100, max_time=900, dances_per_pass=4)
    made = ForwardProcess(config).lessons(policy.model, rollout, advantages(), torch.Generator().manual_seed(0))
    assert len(made.old) == 3 * N and made.noised.times.min() >= 100 and made.noised.times.max() <= 900
    alpha = cosine_schedule().alphas_cumprod[made.noised.times].view(-1, 1, 1)
    noise = (made.noised.x_t - alpha.sqrt() * made.noised.x0) / (1 - alpha).sqrt()
    assert abs(float(noise.mean())) < 0.02 and float(noise.std()) == pytest.approx(1.0, abs=0.02)
    for i in range(3 * N):
        dance = next(n for n in range(N) if torch.equal(rollout.trace.x0[n], made.noised.x0[i]))
        assert torch.equal(made.noised.music[i], rollout.music[dance])
        assert torch.equal(made.optimality[i], optimality(advantages())[dance])


@pytest.mark.parametrize("shared", [3, 4])
def test_dances_of_a_group_have_times_and_noise_in_common(policy, rollout, shared):
    config = ForwardConfig(times_per_dance=2, shared=shared)
    made = ForwardProcess(config).lessons(policy.model, rollout, advantages(), torch.Generator().manual_seed(0))
    assert len(made.old) == 2 * N
    alpha = cosine_schedule().alphas_cumprod[made.noised.times].view(-1, 1, 1)
    noise = (made.noised.x_t - alpha.sqrt() * made.noised.x0) / (1 - alpha).sqrt()
    groups = {}
    for i in range(2 * N):
        dance = next(n for n in range(N) if torch.equal(rollout.trace.x0[n], made.noised.x0[i]))
        groups.setdefault((dance // shared, int(made.noised.times[i])), []).append(noise[i])
    assert len(groups) == 4
    for members in groups.values():
        for other in members[1:]:
            torch.testing.assert_close(other, members[0], atol=1e-4, rtol=0)


def test_how_the_work_is_cut_does_not_matter(policy, rollout):
    one, many = (
        gradients(policy, rollout, advantages(), ForwardConfig(optimiser_steps=2, dances_per_pass=size))
        for size in (2, 24)
    )
    assert len(one) == len(many) == 2
    for small, large in zip(one, many, strict=True):
        for name, value in small.items():
            torch.testing.assert_close(value, large[name], atol=1e-6, rtol=1e-3)
