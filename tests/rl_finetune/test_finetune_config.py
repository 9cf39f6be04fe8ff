"""What settings of fine-tuning exclude each other, and which epochs go by geometry alone."""

import pytest

from rl_finetune.finetune_config import FinetuneConfig
from skeleton2stage.config import to_dataclass
from skeleton2stage.errors import UserError


def config(**settings: object) -> FinetuneConfig:
    needed = {"name": "a", "music": "songs", "epochs": 4, "batch_size": 2}
    return to_dataclass(needed | settings, FinetuneConfig)


@pytest.mark.parametrize(("settings", "sentence"), [
    ({"inner_epochs": 2}, "inner_epochs=2 uses dances again: give clip_range, such as 0.001, too"),
    ({"algorithm": "paper", "direct_epochs": 1}, "direct_epochs come before algorithm=policy_gradient"),
    ({"algorithm": "policy_gradient", "samples_per_prompt": 1}, "samples_per_prompt must be at least 2, not 1"),
    ({"clip_range": -0.1}, "clip_range"), ({"adam_betas": [0.9, 1.0]}, "adam_betas"),
    ({"adam_betas": [0.9]}, "adam_betas"), ({"lora_rank": -1}, "lora_rank"), ({"max_grad_norm": 0}, "max_grad_norm"),
])
def test_what_does_not_go_together_is_told(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        config(**settings)


@pytest.mark.parametrize("settings", [
    {"inner_epochs": 2, "clip_range": 1e-3}, {"algorithm": "paper", "direct_epochs": 0, "samples_per_prompt": 1},
    {"algorithm": "policy_gradient", "samples_per_prompt": 2}, {"adam_betas": [0.0, 0.999]},
    {"algorithm": "direct", "samples_per_prompt": 1},
])
def test_what_goes_together_is_taken(settings):
    assert config(**settings)


def test_direct_epochs_come_first():
    assert [config(algorithm="policy_gradient", direct_epochs=2).is_direct(epoch) for epoch in range(4)] == [
        True, True, False, False
    ]
    assert all(config(algorithm="direct").is_direct(epoch) for epoch in range(4))
    assert not config(algorithm="policy_gradient", direct_epochs=0).is_direct(0)


@pytest.mark.parametrize(("simulator", "use_graph", "beside"), [
    ("mujoco", True, True), ("mujoco_warp", True, True), ("mujoco_warp", False, False), ("mujoco", False, True),
])
def test_warp_runs_beside_other_work_with_recorded_steps_alone(simulator, use_graph, beside):
    assert config(simulator=simulator, simulator_options={"use_graph": use_graph}).performs_beside == beside


def test_dances_of_a_process_are_its_prompts_times_samples():
    assert config(batch_size=3, samples_per_prompt=5).dances_per_process == 15
