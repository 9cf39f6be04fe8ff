"""The whole of fine-tuning, small: a tiny untrained model, an untrained policy, real physics."""

import json

import pytest
import torch

from dance_model.diffusion_loading import load as load_dance_model
from rl_finetune import finetune
from rl_finetune.algorithms import policy_gradient
from skeleton2stage import paths
from skeleton2stage.errors import UserError
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from skeleton2stage.physics.score.dance_scorer import DanceScorer


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("policy") / "imitation_policy.safetensors"
    ImitationPolicy(PolicyConfig(hidden=(8,))).save(path)
    return path


@pytest.fixture(scope="module")
def song(clicks, tmp_path_factory):
    return clicks(tmp_path_factory.mktemp("songs") / "clicks.wav", 12)


@pytest.fixture()
def run(monkeypatch, tmp_path, tiny_checkpoint, policy, song):
    """A function that fine-tunes a little: run(name, epochs, *overrides) -> the run's folder."""
    monkeypatch.setenv("S2S_RUNS", str(tmp_path / "runs"))

    def start(name: str, epochs: int, *overrides: str):
        finetune.main([
            "preset=gpu", "precision=float32", f"name={name}", f"epochs={epochs}", "batch_size=2",
            f"checkpoint={tiny_checkpoint}", f"policy={policy}",
            f"music={song}", "device=cpu", "n_steps=4", "trained_steps=2", "samples_per_prompt=2",
            "min_trained_time=0", "direct_epochs=0", "learning_rate=1e-3", "direct_learning_rate=1e-3",
            "save_every=1", "trackers=[]", *overrides,
        ])
        return tmp_path / "runs" / "train" / name

    return start


def weights_of(path):
    return load_dance_model(path).denoiser.state_dict()


def test_it_moves_the_model_and_writes_what_it_promises(run, tiny_checkpoint):
    folder = run("demo", 1)
    records = json.loads((folder / "epochs.json").read_text())
    assert [record["epoch"] for record in records] == [1]
    assert {"reward/imitation", "reward/penetration", "reward/skating", "reward/total", "loss"} <= set(records[0])
    assert {"held/mot_mag", "held/bas_limit", "held/fgd_weight", "energy_correlation/imitation", "step_size", "kl",
            "without_spread/skating", "gradient_norm", "seconds/update", "cpu_seconds"} <= set(records[0])
    assert (folder / "config.yaml").exists()
    before, after = weights_of(tiny_checkpoint), weights_of(folder / "weights" / "train-1.safetensors")
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_by_low_rank_matrices_alone_move_and_a_resumed_run_is_the_same(run, tiny_checkpoint):
    whole, folder = run("whole", 2, "lora_rank=1"), run("parts", 1, "lora_rank=1")
    run("parts", 2, "lora_rank=1")
    before, after = weights_of(tiny_checkpoint), weights_of(folder / "weights" / "train-2.safetensors")
    moved = {name for name in before if not torch.equal(before[name].float(), after[name].float())}
    assert moved and all(before[name].ndim == 2 for name in moved)
    other = weights_of(whole / "weights" / "train-2.safetensors")
    assert all(torch.equal(after[name], other[name]) for name in after)


@pytest.mark.parametrize(("given", "used"), [("null", 2.0), ("1.0", 1.0)])
def test_a_tuned_model_is_saved_with_the_guidance_it_was_tuned_for(run, monkeypatch, given, used):
    seen = []
    accumulate = policy_gradient.accumulate_gradient

    def record(*args):
        seen.append(args[0].sampling.guidance)
        return accumulate(*args)

    monkeypatch.setattr(policy_gradient, "accumulate_gradient", record)
    folder = run("guided", 1, f"guidance={given}")
    assert load_dance_model(folder / "weights" / "train-1.safetensors").guidance == used
    assert seen == [used]


def test_a_control_gets_the_same_advantages_in_another_order(run, monkeypatch):
    given = []

    def record(policy, rollout, advantages, *rest):
        given.append(advantages)
        return 0.0

    monkeypatch.setattr(policy_gradient, "accumulate_gradient", record)
    for name, shuffle in (("true", "false"), ("control", "true")):
        run(name, 1, "samples_per_prompt=4", f"shuffle_advantages={shuffle}", "weight_decay=0")
    plain, shuffled = given
    assert not torch.equal(plain, shuffled)
    torch.testing.assert_close(plain.mean(1).sort().values, shuffled.mean(1).sort().values)


PAPER_REWARDS = f"rewards={paths.REPOSITORY / 'code/rl_finetune/reward_paper.yaml'}"
ALGORITHMS = {
    "policy_gradient": (),
    "direct": ("algorithm=direct", "direct.dances_per_pass=4"),
    "direct first": ("direct_epochs=1", "direct.dances_per_pass=4"),
    "paper": ("algorithm=paper", PAPER_REWARDS, "trained_steps=0"),
    "inner epochs": ("inner_epochs=2", "clip_range=0.01"),
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_run_cut_in_two_is_the_run_in_one(run, algorithm):
    overrides = ALGORITHMS[algorithm]
    whole = run("whole", 3, *overrides)
    run("cut", 1, *overrides)
    cut = run("cut", 3, *overrides)
    first, second = (weights_of(folder / "weights" / "train-3.safetensors") for folder in (whole, cut))
    assert all(torch.equal(first[name], second[name]) for name in first)
    totals = [[r["reward/total"] for r in json.loads((f / "epochs.json").read_text())] for f in (whole, cut)]
    assert totals[0] == totals[1]


def test_a_run_goes_on_after_a_prompt_has_a_record(run, song):
    """Sixteen dances of a prompt on record, before the kill and after it, and two more."""
    paper = ("algorithm=paper", PAPER_REWARDS, "max_prompts=1", "batch_size=1",
             "samples_per_prompt=9")
    whole = run("whole", 3, *paper)
    for epochs in (1, 2, 3):
        cut = run("cut", epochs, *paper)
    first, second = (weights_of(folder / "weights" / "train-3.safetensors") for folder in (whole, cut))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_geometry_alone_needs_no_policy(run, tmp_path):
    rewards = tmp_path / "geometry.yaml"
    rewards.write_text("rewards: [{name: penetration, enabled: true, weight: 1.0}]")
    folder = run("direct", 1, "algorithm=direct", f"rewards={rewards}", "policy=nowhere.safetensors")
    assert json.loads((folder / "epochs.json").read_text())[0]["displacement"] > 0


def test_epochs_by_geometry_have_nothing_performed(run, monkeypatch):
    performed = []
    score = DanceScorer.score
    monkeypatch.setattr(DanceScorer, "score", lambda self, motions: performed.append(1) or score(self, motions))
    records = json.loads((run("first", 2, "direct_epochs=1") / "epochs.json").read_text())
    assert len(performed) == 1
    assert "displacement" in records[0] and "reward/imitation" not in records[0]
    assert "displacement" not in records[1] and records[1]["reward/imitation"] > 0


def test_a_kill_between_weights_and_state_is_made_good(run):
    """The state is written last; without its newest version the epoch is done again, to the same end."""
    folder = run("killed", 1)
    state = (folder / "state.pt").read_bytes()
    run("killed", 2)
    expected = weights_of(folder / "weights" / "train-2.safetensors")
    (folder / "state.pt").write_bytes(state)
    run("killed", 2)
    again = weights_of(folder / "weights" / "train-2.safetensors")
    assert all(torch.equal(expected[name], again[name]) for name in expected)
    assert [r["epoch"] for r in json.loads((folder / "epochs.json").read_text())] == [1, 2]


def test_a_damaged_state_is_refused(run):
    folder = run("damaged", 1)
    (folder / "state.pt").write_bytes((folder / "state.pt").read_bytes()[:1000])
    with pytest.raises(UserError, match="state.pt does not belong to this run or is damaged"):
        run("damaged", 2)


def test_a_run_goes_on_with_its_own_settings_or_not_at_all(run, capsys):
    folder = run("kept", 1)
    written = (folder / "config.yaml").read_text()
    with pytest.raises(UserError, match="was begun with learning_rate=0.001, not 0.002; this changes the result"):
        run("kept", 2, "learning_rate=2e-3")
    assert (folder / "config.yaml").read_text() == written
    run("kept", 1, "learning_rate=1e-3", "save_every=5")
    assert "train/kept is finished: 1 of 1 epochs are done" in capsys.readouterr().out
    assert (folder / "config.yaml").read_text() == written


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("checkpoint=nowhere.safetensors", "no checkpoint at"),
        ("policy=nowhere.safetensors", "no checkpoint at"),
        ("music=nowhere", "does not exist"),
        ("epochs=0", "epochs must be at least 1"),
        ("eta=0", "eta must be above 0"),
        ("min_trained_time=1000", "min_trained_time must be from 0 to 998"),
        ("min_trained_time=-1", "min_trained_time must be from 0 to 998"),
        ("n_steps=1", "n_steps must be at least 2"),
        ("learning_rate=nan", "learning_rate must be above 0, not nan"),
        ("max_grad_norm=-1", "max_grad_norm must be above 0"),
        ("ema_decay=7", "ema_decay must be from 0 to under 1"),
        ("seed=-1", "seed must be from 0 to 4294967295"),
        ("algorithm=magic", "unknown algorithm 'magic': choose one of direct, paper, policy_gradient"),
        ("credit=person", "unknown credit 'person': choose one of dance, frame"),
        ("precision=fp8", "unknown precision 'fp8'"),
        ("adam_betas=[0.9]", "adam_betas must be 2 values"),
        ("inner_epochs=2", "give clip_range"),
        ("samples_per_prompt=1", "compares dances to the same music"),
        ("algorithm=paper", "algorithm=paper holds nothing"),
        ("hold={beauty: 1}", "unknown held quantity 'beauty'"),
        ("trackers=[paper]", "unknown tracker 'paper'"),
        ("learning_rate=fast", "'learning_rate' must be a number"),
        ("lerning_rate=1", "unknown key 'lerning_rate'"),
        ("preset=huge", "unknown preset 'huge': choose one of bailando, demo, gpu, paper"),
        ("simulator=unreal", "unknown simulator 'unreal'"),
        ("body=smpl", "SMPL"),
    ],
)
def test_bad_settings_get_one_sentence(run, monkeypatch, tmp_path, override, complaint):
    monkeypatch.setenv("SMPL_MODELS", str(tmp_path))
    with pytest.raises(UserError, match=complaint):
        run("bad", 1, override)
    assert not (tmp_path / "runs" / "train" / "bad" / "weights").exists()


def test_a_song_that_is_too_short_is_named(run, clicks, tmp_path):
    short = clicks(tmp_path / "short.wav", 3)
    with pytest.raises(UserError, match="short.wav"):
        run("short", 1, f"music={short}")
