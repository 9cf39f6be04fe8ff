"""Projection: what the simulator makes of a prediction takes its place, when, and in nothing else."""

import numpy as np
import pytest
import torch

from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.long import overlapping_windows, stitch
from dance_model.diffusion.schedule import cosine_schedule, ddim_steps
from dance_model.sampling.projection import Projection, make_projection, projected, projection
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import Motion
from skeleton2stage.motion.motion_layout import EDGE, encode
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.physics.score.make_scorer import make_scorer

HANDS = slice(EDGE.rot6d.stop - 12, EDGE.rot6d.stop)
BODY = slice(EDGE.translation.start, HANDS.start)


@pytest.fixture
def model(tiny_model):
    """The tiny model, its scaled motions from -4 to 4 in all features."""
    return DanceModel(tiny_model.denoiser, EDGE, MinMaxScaler(torch.full((151,), 0.25), torch.zeros(151)))


@pytest.fixture(scope="module")
def scorer(tiny_policy):
    return make_scorer(tiny_policy)


def waving(n=60):
    """Standing, an arm waved and both hands bent."""
    poses = np.zeros((n, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    poses[:, 16, 2] = 0.6 * np.sin(np.arange(n) / 8.0)
    poses[:, 22:, 1] = 0.4
    return Motion(poses, np.tile(np.array([0.3, -0.2, 1.1]), (n, 1)))


def toppling(n=60):
    """Leaning further and further forward about the feet, until the head is on the floor."""
    lean = np.linspace(0.0, np.pi / 2, n)
    poses = np.zeros((n, 24, 3))
    poses[:, 0, 0] = np.pi / 2 + lean
    return Motion(poses, np.stack((np.zeros(n), -np.sin(lean), np.cos(lean)), axis=1))


def windows_of(model, motion, frames=40):
    """Scaled windows of a motion, contacts at random."""
    vectors = encode(torch.from_numpy(motion.poses), torch.from_numpy(motion.translation), EDGE)
    windows = overlapping_windows(model.scaler.normalise(vectors), frames)
    windows[..., EDGE.contacts] = torch.rand(windows[..., EDGE.contacts].shape) / 4
    return windows


def test_a_dance_of_two_windows_is_replaced_by_its_one_performance(model, scorer):
    x0 = windows_of(model, waving())
    after, stood = projected(x0, model, scorer, [2])
    _, (performed,) = scorer.perform([stitch(model.scaler.unnormalise(x0), EDGE)])
    assert stood.tolist() == [True] and len(performed) == 60
    made = stitch(model.scaler.unnormalise(after), EDGE)
    np.testing.assert_allclose(made.translation, performed.translation, atol=1e-5)
    np.testing.assert_allclose(made.poses[:, :22], performed.poses[:, :22], atol=1e-4)
    assert np.abs(made.joints() - waving().joints()).max() > 0.02
    torch.testing.assert_close(after[0, 20:, BODY], after[1, :20, BODY])


def test_contacts_and_hands_stay_as_predicted(model, scorer):
    x0 = windows_of(model, waving(40))
    after, _ = projected(x0, model, scorer, [1])
    assert torch.equal(after[..., EDGE.contacts], x0[..., EDGE.contacts])
    assert torch.equal(after[..., HANDS], x0[..., HANDS])
    assert not torch.equal(after[..., BODY], x0[..., BODY])


def test_a_dance_that_falls_keeps_its_prediction_and_its_neighbour_does_not(model, scorer, capsys):
    """Of dances of one and two windows the second falls; alone, the first is performed as it is beside it."""
    x0 = torch.cat((windows_of(model, waving(40)), windows_of(model, toppling())))
    steps = ddim_steps(cosine_schedule(), 3)
    after = projection(Projection(1, scorer), model, steps, [1, 2])(x0, steps[-1])
    assert torch.equal(after[1:], x0[1:])
    torch.testing.assert_close(after[:1], projected(x0[:1], model, scorer, [1])[0])
    assert not torch.equal(after[:1], x0[:1])
    assert "projection at time 332: 1 of 2 dances fell" in capsys.readouterr().err


def test_only_the_last_steps_are_projected(model, scorer):
    steps, x0 = ddim_steps(cosine_schedule(), 5), windows_of(model, waving(10), 10)
    for last_steps in (1, 4, 5):
        refine = projection(Projection(last_steps, scorer), model, steps, [1])
        changed = [not torch.equal(refine(x0, step), x0) for step in steps]
        assert changed == [False] * (5 - last_steps) + [True] * last_steps


def test_what_is_out_of_the_models_range_is_cut_off_there(tiny_model, scorer):
    """Of a range that is the prediction's own: performed, the pelvis sways and sinks out of it."""
    motion = waving(20)
    vectors = encode(torch.from_numpy(motion.poses), torch.from_numpy(motion.translation), EDGE)
    model = DanceModel(tiny_model.denoiser, EDGE, MinMaxScaler.fit(vectors))
    after, stood = projected(windows_of(model, motion, 20), model, scorer, [1])
    (performed,) = scorer.perform([motion])[1]
    assert stood.all() and performed.translation[:, 2].min() < motion.translation[0, 2] - 1e-3
    assert after[..., BODY].min() == -1.0 and after[..., BODY].max() <= 1.0


def test_no_projection_needs_nobody_and_some_needs_a_policy(scorer):
    assert make_projection(0, 50, None, "policy=none") is None
    assert make_projection(50, 50, scorer, "") == Projection(50, scorer)
    with pytest.raises(UserError, match="project=1 needs an imitation policy to perform the dances: policy=none"):
        make_projection(1, 50, None, "policy=none")
    for wrong in (-1, 51):
        with pytest.raises(UserError, match=rf"project={wrong} is not .* 0 \(none\) to 50"):
            make_projection(wrong, 50, scorer, "")
