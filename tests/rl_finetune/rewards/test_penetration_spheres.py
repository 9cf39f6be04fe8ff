import math

import pytest
import torch

from rl_finetune.rewards.reward import Dances, RewardContext, make_reward
from skeleton2stage.body.body_model import load_body
from skeleton2stage.body.spheres import fill_body, sphere_penetration
from skeleton2stage.motion.skeleton import joint_index


def no_scorer():
    raise AssertionError("spheres need no simulator")


def dances() -> Dances:
    """Return two dances of two frames: one with arms out, one that puts its hands into each other in frame 1."""
    poses = torch.zeros(2, 2, 24, 3)
    poses[1, 1, joint_index("left_shoulder"), 1] = -1.95
    poses[1, 1, joint_index("right_shoulder"), 1] = 1.95
    return Dances(poses, torch.zeros(2, 2, 3), torch.zeros(2, 2, 4), torch.zeros(2, 2, 35))


def test_a_frame_loses_by_the_logarithm_of_its_depth():
    value = make_reward("penetration_spheres", RewardContext(no_scorer, load_body))(dances())
    depth = float(sphere_penetration(fill_body(load_body()), dances().poses)[1, 1])
    assert depth > 0.05
    assert value[0].tolist() == [0.0, 0.0] and float(value[1, 0]) == 0.0
    assert float(value[1, 1]) == pytest.approx(-math.log(1 + depth / 0.05), rel=1e-5)
