"""The models that ship are of the families and sizes that the documents say, and dance."""

import pytest
import torch

from dance_model import families
from skeleton2stage import paths
from skeleton2stage.music.kinds import WIDTHS

SHIPPED = {
    "dance_model": ("edge", 12), "dance_model_tuned": ("edge", 12), "popdg": ("popdg", 6), "bailando": ("bailando", 6),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_dances(name):
    family, megabytes = SHIPPED[name]
    path = paths.demo_checkpoints() / f"{name}.safetensors"
    assert path.stat().st_size < megabytes * 1e6
    policy = families.load(path)
    assert policy.family == family
    music = torch.zeros(1, policy.window_frames, WIDTHS[policy.music])
    dances = policy.dances(policy.roll_out(music, torch.Generator().manual_seed(0), record=False))
    assert dances.poses.shape == (1, 150, 24, 3)
    head = dances.motions()[0].joints()[:, 15, 2]
    assert 1.0 < head.mean() < 1.8
