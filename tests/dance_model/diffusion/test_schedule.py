"""The noise schedule and DDIM's tables against EDGE's."""

import numpy as np
import pytest
import torch

from dance_model.diffusion.schedule import cosine_betas, cosine_schedule, ddim_steps, ddim_times, preconditioning


@pytest.fixture(scope="module")
def tables(reference):
    with np.load(reference / "diffusion.npz") as file:
        names = [name for name in file.files if name.startswith(("betas", "alphas", "posterior", "ddim"))]
        return {name: file[name] for name in names}


def test_cosine_schedule_equals_edge(tables):
    schedule = cosine_schedule()
    np.testing.assert_allclose(cosine_betas().numpy(), tables["betas_float64"], atol=1e-15)
    np.testing.assert_allclose(schedule.betas.numpy(), tables["betas"], rtol=1e-6)
    np.testing.assert_allclose(schedule.alphas_cumprod.numpy(), tables["alphas_cumprod"], rtol=1e-6)
    np.testing.assert_allclose(schedule.posterior_variance.numpy(), tables["posterior_variance"], rtol=1e-5)


def test_ddim_steps_equal_edge(tables):
    steps = ddim_steps(cosine_schedule())
    assert ddim_times(50) == tables["ddim_times"].tolist()
    for name, field in (("time", "time"), ("time_next", "time_next"), ("alpha", "alpha"),
                        ("alpha_next", "alpha_next"), ("sigma", "sigma"), ("c", "c")):
        ours = [getattr(step, field) for step in steps]
        np.testing.assert_allclose(ours, tables[f"ddim_{name}"], rtol=1e-5, atol=1e-9, err_msg=name)


def test_only_the_last_step_adds_no_noise():
    stochastic = [step.is_stochastic for step in ddim_steps(cosine_schedule())]
    assert stochastic == [True] * 49 + [False]
    assert not any(step.is_stochastic for step in ddim_steps(cosine_schedule(), eta=0.0))


def test_every_time_is_visited_with_1000_steps():
    assert ddim_times(1000) == list(range(999, -2, -1))


def test_add_noise_mixes_by_the_cumulative_alpha():
    schedule = cosine_schedule()
    x0, noise = torch.full((2, 3, 4), 2.0), torch.full((2, 3, 4), -1.0)
    noisy = schedule.add_noise(x0, torch.tensor([0, 999]), noise)
    alpha = schedule.alphas_cumprod[0].item()
    assert noisy[0, 0, 0].item() == pytest.approx(2 * alpha**0.5 - (1 - alpha) ** 0.5, rel=1e-6)
    assert noisy[1, 2, 3].item() == pytest.approx(-1.0, abs=1e-3)


@pytest.mark.parametrize("data_std", [0.3, 1.0])
def test_preconditioning_is_that_of_karras_in_the_scale_of_x_t(data_std):
    """c_skip and c_out of the noise s over a clean signal, by their published forms."""
    abar = cosine_schedule().alphas_cumprod.double()
    noise = ((1 - abar) / abar).sqrt()
    skip, scale = preconditioning(abar, data_std)
    c_skip = data_std**2 / (noise**2 + data_std**2)
    c_out = noise * data_std / (noise**2 + data_std**2).sqrt()
    torch.testing.assert_close(skip, c_skip / abar.sqrt())  # of x_t, which is sqrt(abar) times as large
    torch.testing.assert_close(scale, c_out)


def test_without_noise_what_is_seen_is_the_prediction():
    skip, scale = preconditioning(torch.tensor([1.0, 0.0]), 0.5)
    assert skip.tolist() == [1.0, 0.0] and scale.tolist() == [0.0, 0.5]
