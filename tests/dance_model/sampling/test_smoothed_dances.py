"""Flips of the heading are smoothed in dances to be seen, and left in those that a model is judged by."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from dance_model.batch import DanceBatch
from dance_model.diffusion_policy import DiffusionPolicy
from rl_finetune import sample
from rl_finetune.eval_checkpoint import EvalCheckpointConfig
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.heading_flips import FASTEST_RADPS
from skeleton2stage.motion.motion import Motion


def flipping(n_frames=150):
    """A body that stands, and looks back from frame 75 on."""
    poses = torch.zeros(1, n_frames, 24, 3)
    poses[..., 0, 0] = math.pi / 2
    back = Rotation.from_euler("z", 2.5) * Rotation.from_euler("x", math.pi / 2)
    poses[:, 75:, 0] = torch.from_numpy(back.as_rotvec()).float()
    translation = torch.tensor([0.0, 0.0, 0.95]).expand(1, n_frames, 3)
    return DanceBatch(poses, translation, torch.zeros(1, n_frames, 4))


def fastest_radps(motion):
    pelvis = Rotation.from_rotvec(motion.poses[:, 0])
    return float((pelvis[:-1].inv() * pelvis[1:]).magnitude().max() * motion.fps)


@pytest.fixture
def danced(tmp_path, tiny_checkpoint, clicks, monkeypatch):
    """Return a call of `sample` with a model that flips, and of what it writes."""
    song = clicks(tmp_path / "song.wav", 5.0)
    monkeypatch.setattr(DiffusionPolicy, "long_dances", lambda self, pieces, *_: [flipping() for _ in pieces])

    def run(*keys):
        assert sample.main([f"checkpoint={tiny_checkpoint}", f"music={song}", f"out={tmp_path / 'out'}", *keys]) == 0
        return read_motion(tmp_path / "out" / "song.pkl")

    return run


def test_what_is_sampled_turns_and_flips_where_that_is_asked_for(danced):
    assert fastest_radps(danced()) < FASTEST_RADPS
    flipped = danced("smooth_flips=false")
    assert fastest_radps(flipped) == pytest.approx(2.5 * 30, rel=1e-3)
    np.testing.assert_allclose(flipped.poses, flipping().poses[0].numpy(), atol=1e-6)


def test_what_is_given_of_a_dance_keeps_its_flips(danced, tmp_path):
    given = Motion(*(part[0].numpy() for part in flipping()[:2]))
    write_motion(tmp_path / "given.pkl", given)
    assert fastest_radps(danced(f"keep={tmp_path / 'given.pkl'}")) == pytest.approx(2.5 * 30, rel=1e-3)


def test_checkpoints_are_judged_by_what_the_model_itself_does():
    required = ["name=a", "epoch=1", "motion_save_root=out", "ckpt_root=runs", "music=songs"]
    for keys, expected in (([], False), (["protocol=paper"], False), (["smooth_flips=true"], True)):
        config = to_dataclass(load_config("eval_checkpoint", [*required, *keys]), EvalCheckpointConfig)
        assert config.smooth_flips is expected
