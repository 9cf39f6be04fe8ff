"""Imitation training, small but whole: real clips' files, real physics, rsl_rl's PPO."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch

from logged_curves import points
from pretrain import train_imitation
from pretrain.clip_sampler import HardClipSampler, SamplingConfig
from pretrain.data import ClipSet, load_clips
from pretrain.environment import ClosenessConfig, EpisodeEnvironment, EpisodeRules
from pretrain.learner import current_policy
from pretrain.pretrain_config import PretrainConfig
from pretrain.processes import Processes
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy
from skeleton2stage.physics.imitation.imitation_task import ACTION_WIDTH, ImitationTask
from skeleton2stage.physics.imitation.reference_motions import reference_motions
from skeleton2stage.physics.simulators.make_simulator import make_simulator
from swaying_arm import swaying_arm


def test_it_trains_two_stages_and_exports_a_policy(run):
    folder = run("demo", 1)
    report = json.loads((folder / "report.json").read_text())
    assert set(report) == {"training", "training_without_wrench", "held_out", "held_out_without_wrench", "made_by"}
    assert report["training"]["windows"] == 2 and report["held_out"]["windows"] == 1
    assert report["training_without_wrench"]["residual_force_share"] == 0
    policy = ImitationPolicy.load(folder / "imitation_policy.safetensors")
    assert policy(torch.zeros(1, 733)).shape == (1, ACTION_WIDTH)
    assert torch.load(folder / "state.pt", weights_only=True)["iteration"] == 2


@pytest.fixture()
def cut(run, monkeypatch):
    """A function that starts a run and kills it after some iterations, whether or not they are saved."""

    def start(name: str, iterations: int, after: int, *overrides: str):
        log = train_imitation.Trainer._log

        def die(trainer, *args):
            log(trainer, *args)
            if trainer.iteration == after:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(train_imitation.Trainer, "_log", die)
            with pytest.raises(KeyboardInterrupt):
                run(name, iterations, *overrides)

    return start


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    def flat(value, name=""):
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            return {key: found for part, inner in items for key, found in flat(inner, f"{name}/{part}").items()}
        return {name: value}

    return {name: value for name, value in flat(torch.load(folder / "state.pt", weights_only=True)).items()
            if not name.startswith("/settings")}


SHORT = ("episode_frames=7", "horizon=5", "stray_m=0.05")  # episodes that are cut across by the end of an iteration


def test_a_run_killed_anywhere_goes_on_to_the_same_bits(run, cut):
    """Whether the kill comes in mid-episode, between stages, or before what was learned is saved."""
    whole = run("whole", 3, *SHORT, "save_every=2")
    ours = tensors(whole)
    assert len(ours) > 40
    for after in (2, 3, 5):
        cut(f"cut{after}", 3, after, *SHORT, "save_every=2")
        again = run(f"cut{after}", 3, *SHORT, "save_every=3")  # how often it is saved changes nothing
        theirs = tensors(again)
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert torch.equal(value, theirs[name]) if isinstance(value, torch.Tensor) else value == theirs[name], name
        written = [(folder / "imitation_policy.safetensors").read_bytes() for folder in (whole, again)]
        assert written[0] == written[1]


def test_a_damaged_state_is_refused(run):
    folder = run("cut", 1)
    (folder / "state.pt").write_bytes((folder / "state.pt").read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged"):
        run("cut", 1)


def test_a_finished_run_says_so_and_is_left_alone(run, capsys):
    folder = run("done", 1)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()
    run("done", 1, "save_every=7")
    assert "pretrain/done is finished: 2 of 2 iterations are done" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    (folder / "imitation_policy.json").unlink()  # as where it was killed before its scores were written
    run("done", 1)
    assert (folder / "imitation_policy.safetensors").read_bytes() == before[folder / "imitation_policy.safetensors"]


def test_the_wrench_is_lowered_while_tracking_is_good_and_kept_in_the_checkpoint(run):
    folder = run("wrench", 2, "wrench={initial: 4.0, final: 3.0, factor: 0.9, max_failures: 1, max_error_mm: 1e6}")
    state = torch.load(folder / "state.pt", weights_only=True)
    assert state["wrench_scale"] == pytest.approx(3.0)  # 4 * 0.9^4 would be less
    assert ImitationPolicy.load(folder / "imitation_policy.safetensors").config.wrench_scale == pytest.approx(3.0)
    kept = run("kept", 1, "wrench={initial: 4.0, final: 3.0, factor: 0.9, max_failures: 1, max_error_mm: 0}")
    assert torch.load(kept / "state.pt", weights_only=True)["wrench_scale"] == 4.0


def test_two_processes_learn_one_policy(tmp_path, folder):
    environment = os.environ | {"S2S_RUNS": str(tmp_path), "OMP_NUM_THREADS": "1", "NUM_PROCESSES": "2"}
    script = Path(train_imitation.__file__).with_name("train.sh")
    subprocess.run(
        ["bash", script, folder, "name=two", "held_out=[held]", "device=cpu", "worlds=2", "horizon=2",
         "hidden=[8]", "minibatches=1", "epochs=1",
         "stages=[{name: broad, clips: '*', iterations: 2, learning_rate: 1e-3, final_learning_rate: 1e-3}]"],
        env=environment, check=True, capture_output=True, timeout=120,
    )
    state = torch.load(tmp_path / "pretrain" / "two" / "state.pt", weights_only=True)
    assert state["iteration"] == 2
    (events,) = (tmp_path / "pretrain" / "two" / "curves").iterdir()  # the first process' alone
    assert [step for step, _ in points(tmp_path / "pretrain" / "two")["train/reward"]] == [1, 2]
    # Both processes' experience is in the normalisation: 2 processes x 2 worlds x 2 steps x 2 iterations.
    assert state["ppo"]["actor_state_dict"]["obs_normalizer.count"] == 16


def test_the_exported_policy_is_the_learners(folder, tmp_path, monkeypatch):
    from pretrain.learner import make_ppo

    config = to_dataclass(load_config("pretrain", ["worlds=4", "hidden=[8]"]), PretrainConfig)
    torch.manual_seed(0)
    ppo = make_ppo(config, torch.device("cpu"), Processes())
    observations = 3.0 + 2.0 * torch.randn(64, 733)
    ppo.actor.update_normalization(train_imitation._as_dict(observations))
    ours, theirs = current_policy(ppo, config, 1.0)(observations), ppo.actor(train_imitation._as_dict(observations))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def sampler(task: ImitationTask) -> HardClipSampler:
    return HardClipSampler(task.references, SamplingConfig(), seed=0)


def test_episodes_end_and_begin_anew():
    humanoid = load_humanoid("open")
    task = ImitationTask(make_simulator("mujoco", humanoid, 3), reference_motions([swaying_arm(20, 0.0)], humanoid))
    rules = EpisodeRules(max_frames=5, fall_height_m=0.2, stray_m=0.5)
    environment = EpisodeEnvironment(task, rules, sampler(task))
    task.reset(torch.arange(3), torch.zeros(3, dtype=torch.long), torch.tensor([0, 0, 17]))
    steps = [environment.step(torch.zeros(3, ACTION_WIDTH)) for _ in range(5)]
    done = torch.stack([step.done for step in steps])
    assert done[1, 2] and done[4, :2].all()  # world 2 ran out of clip, the others out of time
    assert torch.stack([step.timed_out for step in steps])[done].all()


def test_straying_is_a_failure():
    humanoid = load_humanoid("open")
    task = ImitationTask(make_simulator("mujoco", humanoid, 1), reference_motions([swaying_arm(20, 0.0)], humanoid))
    environment = EpisodeEnvironment(task, EpisodeRules(300, 0.2, 1e-6), sampler(task))
    step = environment.step(torch.zeros(1, ACTION_WIDTH))
    assert step.done.all() and not step.timed_out.any()


def test_held_out_clips_are_kept_apart_and_checked(folder):
    clips = load_clips(folder, ("held",))
    assert sorted(clips.training.motions) == ["one", "two"] and list(clips.held_out.motions) == ["held"]
    with pytest.raises(UserError, match="6012"):
        load_clips(folder, ("6012",))
    with pytest.raises(UserError, match="no clip matches 'x\\*'"):
        clips.training.matching("x*")
    assert list(clips.training.matching("!o*").motions) == ["two"]
    with pytest.raises(UserError, match="no clip matches '!\\*'"):
        clips.training.matching("!*")
    with pytest.raises(UserError, match="no prepared motions at"):
        load_clips(folder / "none", ())


def test_a_stage_without_clips_is_told_before_the_first_begins(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("S2S_RUNS", str(tmp_path))
    monkeypatch.setattr(train_imitation, "Trainer", None)  # nothing is set up
    with pytest.raises(UserError, match="no clip matches 'g"):
        train_imitation.main([f"data={folder}", "held_out=[held]", "device=cpu", "preset=paper", "simulator=mujoco"])


def test_the_papers_arithmetic_is_told():
    config = to_dataclass(load_config("pretrain", ["preset=paper"]), PretrainConfig)
    assert train_imitation.describe_batch(config, 1) == (
        "8192 worlds x 32 steps = 262144 samples a process and iteration, 262144 over 1 process; 6 passes of 512 "
        "mini-batches of 512; iterations: 20000 of broad, then 10000 of dance; 7.9e+09 steps in all"
    )


def test_mirrored_clips_and_windows():
    clips = ClipSet({"a": swaying_arm(310, 0.0)})
    assert sorted(clips.with_mirrored().motions) == ["a", "a_mirrored"]
    assert sorted(clips.windows()) == ["a@0", "a@150"]


def test_closeness_is_added_to_the_training_reward():
    humanoid = load_humanoid()
    references = reference_motions([swaying_arm(20, 0.0)], humanoid)
    rewards = []
    for closeness in (ClosenessConfig(), ClosenessConfig(weight=0.5, scale_m=0.1)):
        task = ImitationTask(make_simulator("mujoco", humanoid, 1), references)
        environment = EpisodeEnvironment(task, EpisodeRules(300, 0.2, 0.5), sampler(task), closeness)
        task.reset(torch.tensor([0]), torch.tensor([0]), torch.tensor([0]))
        step = environment.step(torch.zeros(1, ACTION_WIDTH))
        rewards.append(step.reward)
    expected = 0.5 * torch.exp(-step.outcome.body_error_m / 0.1)
    torch.testing.assert_close(rewards[1] - rewards[0], expected, atol=1e-5, rtol=1e-4)
    with pytest.raises(UserError, match="scale_m"):
        ClosenessConfig(scale_m=0.0)
