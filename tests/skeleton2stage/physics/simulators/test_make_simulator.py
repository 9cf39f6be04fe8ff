import numpy as np
import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from skeleton2stage.physics.score.make_scorer import make_scorer
from skeleton2stage.physics.simulators.make_simulator import make_simulator, simulator_names


def test_humanoid_of_the_open_body_has_its_joints(humanoid):
    from skeleton2stage.motion.skeleton import rest_joints

    np.testing.assert_allclose(humanoid.rest_joints, rest_joints(), atol=1e-3)
    assert humanoid.model.body_subtreemass[0] == pytest.approx(70.0)


def test_simulator_by_name(humanoid):
    simulator = make_simulator("mujoco", humanoid, 2)
    assert simulator.n_worlds == 2
    assert simulator.read().pos_w.shape == (2, 24, 3)


def test_unknown_names_list_the_known_ones(humanoid):
    for name in simulator_names():
        with pytest.raises(UserError, match=f"unknown simulator 'bullet': choose one of .*{name}"):
            make_simulator("bullet", humanoid, 1)
    with pytest.raises(UserError, match="choose open, smpl"):
        load_humanoid("teapot")


def test_scorer_plays_a_dance_with_the_policy_of_a_file(tmp_path, standing):
    ImitationPolicy(PolicyConfig((8,))).save(tmp_path / "policy.safetensors")
    scores = make_scorer(tmp_path / "policy.safetensors", max_worlds=1).score([standing.slice(0, 10)] * 2)
    assert scores.success.tolist() == [True, True]
    assert scores.imitation[0] == pytest.approx(float(scores.imitation[1]), rel=1e-5)


def test_scorer_without_its_policy_or_simulator_says_so(tmp_path):
    with pytest.raises(UserError, match="no checkpoint"):
        make_scorer(tmp_path / "policy.safetensors")
    with pytest.raises(UserError, match="unknown simulator"):
        make_scorer(tmp_path / "policy.safetensors", simulator="bullet")
