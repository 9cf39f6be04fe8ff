"""FGD guidance: what it does to heights, when, and to nothing else."""

import pytest
import torch

from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.schedule import cosine_schedule, ddim_steps
from dance_model.sampling.fgd_guidance import (
    fgd_guidance,
    floor_heights,
    grounded,
    height_gain,
    steady_contact,
)
from dance_model.training.dance_losses import vector_joints
from dance_model.training.joint_positions import kinematic_tree
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import EDGE
from skeleton2stage.motion.scaler import MinMaxScaler

HEIGHT = EDGE.translation.start + 2


@pytest.fixture
def model(tiny_model):
    """The tiny model with 1.9 m of height to scaled 2, as AIST++ has, and contacts from 0 to 1."""
    scale, minimum = tiny_model.scaler.scale.clone(), tiny_model.scaler.minimum.clone()
    scale[HEIGHT], minimum[HEIGHT] = 2 / 1.9, -1.0
    scale[EDGE.contacts], minimum[EDGE.contacts] = 2.0, -1.0
    return DanceModel(tiny_model.denoiser, EDGE, MinMaxScaler(scale, minimum))


def lowest_of_windows(x0, model):
    joints = vector_joints(model.scaler.unnormalise(x0), EDGE, kinematic_tree(x0.device))
    return joints[..., 2].amin(dim=-1)


def lowest(x0, model):
    return lowest_of_windows(x0, model)[0]


def dance(touching):
    """Rest pose but for the height: 20 frames level, 20 sunk by 10 cm, 20 lifted by 10 cm."""
    x0 = torch.zeros(1, 60, 151)
    x0[..., EDGE.contacts] = 1.0 if touching else -1.0
    metre = 2 / 1.9
    x0[:, 20:40, HEIGHT] -= 0.1 * metre
    x0[:, 40:, HEIGHT] += 0.1 * metre
    return x0


def test_sunk_frames_rise_and_lifted_ones_stay_unless_a_foot_touches(model):
    free, touching = (lowest(grounded(dance(touch), model, 0.45, [1]), model) for touch in (False, True))
    assert max(free[:20].std(), free[20:40].std(), free[40:].std()) < 1e-4
    level, sunk, lifted = (part.mean().item() for part in free.split(20))
    assert level == pytest.approx(sunk, abs=0.002)  # both pulled up to the mean, which rises with them
    assert lifted - level == pytest.approx(0.03, abs=0.01)
    settled = touching[12:]  # the smoothed contact takes some frames to come on
    assert (settled - settled.mean()).abs().max() < 0.01


def test_nothing_but_the_height_changes(model):
    before = dance(True)
    after = grounded(before, model, 0.45, [1])
    changed = (after != before).any(dim=1)[0].nonzero().flatten().tolist()
    assert changed == [HEIGHT]


def test_windows_of_a_dance_at_different_heights_end_on_one_floor_and_other_dances_keep_theirs(model):
    """Touching throughout: a dance whose second window is lifted by 20 cm, and one of a single window 30 cm down."""
    metre = 2 / 1.9
    x0 = torch.cat([dance(True)] * 3)
    x0[1, :, HEIGHT] += 0.2 * metre
    x0[2, :, HEIGHT] -= 0.3 * metre
    before, after = (lowest_of_windows(windows, model)[:, 12:] for windows in (x0, grounded(x0, model, 0.45, [2, 1])))
    assert (before[1] - before[0]).mean() == pytest.approx(0.2, abs=1e-3)
    assert (after[:2] - after[:2].mean()).abs().max() < 0.01  # the first frames' contact is not on yet
    assert after[:2].mean() == pytest.approx(before[:2].mean().item(), abs=0.05)
    alone = grounded(x0[2:], model, 0.45, [1])
    torch.testing.assert_close(after[2:], lowest_of_windows(alone, model)[:, 12:])
    assert (after[2].mean() - after[0].mean()).abs() > 0.2


def test_the_floor_is_the_mean_over_the_dances_joined_frames():
    """Windows of 4 frames: 0 0 [blended] 9 9, the middle going from 3 to 6 over its two frames; then another dance."""
    height = torch.tensor([[0.0, 0.0, 3.0, 3.0], [6.0, 6.0, 9.0, 9.0], [1.0, 2.0, 3.0, 4.0]])
    assert floor_heights(height, [2, 1]).flatten().tolist() == [27 / 6, 27 / 6, 2.5]


def test_the_published_gain_goes_with_the_square_of_the_range(model, tiny_model):
    """0.494 (range / 2)^2 of the error at t = 19, as its step of 2000 posterior variances on scaled heights gives."""
    assert height_gain(model, "published", 19) == pytest.approx(0.494 * (1.9 / 2) ** 2, rel=0.01)
    assert height_gain(tiny_model, "published", 19) == pytest.approx(0.494 * 0.1**2, rel=0.01)
    assert height_gain(tiny_model, "metric", 19) == 0.45


def test_the_gain_is_that_of_the_losses_gradient(model):
    """One published step by autograd on the scaled height of a sunk frame."""
    height = torch.tensor(-0.1 * 2 / 1.9, requires_grad=True)
    loss = (height * 1.9 / 2).square()
    (gradient,) = torch.autograd.grad(loss, height)
    step = 2000.0 * cosine_schedule().posterior_variance[19] * gradient
    assert (step * 1.9 / 2 / -0.1).item() == pytest.approx(height_gain(model, "published", 19), rel=1e-5)


def test_only_the_last_step_is_guided(model):
    steps, refine = ddim_steps(cosine_schedule(), 50, 1.0), fgd_guidance(model, "metric", [1])
    x0 = dance(False)
    assert all(torch.equal(refine(x0, step), x0) for step in steps[:-1])
    assert not torch.equal(refine(x0, steps[-1]), x0)
    with pytest.raises(UserError, match="metric, none, published"):
        fgd_guidance(model, "strong", [1])


def test_contact_is_steady():
    """On above 0.8 and off under 0.7 of the running average, not before two frames in either state."""
    level = torch.cat((torch.zeros(3), torch.ones(20), torch.zeros(5)))[None]
    found = steady_contact(level)[0]
    average, averages = 0.0, []
    for value in level[0].tolist():
        average = 0.85 * average + 0.15 * value
        averages.append(average)
    first = next(i for i, value in enumerate(averages) if value > 0.8)
    last = next(i for i in range(first, 28) if averages[i] < 0.7)
    assert found.tolist() == [first <= i < last for i in range(28)]
    blip = steady_contact(torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]]))[0]
    assert blip.tolist() == [False] * 6  # begins above 0.8, but the first two frames may not turn it on
