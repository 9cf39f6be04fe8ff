"""The whole of fine-tuning, small: a tiny untrained model, an untrained policy, real physics."""

import json

import pytest
import torch

from rl_finetune import finetune
from rl_finetune.dance_model.model import load as load_dance_model
from skeleton2stage.errors import UserError
from skeleton2stage.physics.policy import ImitationPolicy, PolicyConfig


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
            f"name={name}", f"epochs={epochs}", "batch_size=2", f"checkpoint={tiny_checkpoint}", f"policy={policy}",
            f"music={song}", "device=cpu", "n_steps=4", "trained_steps=2", "samples_per_prompt=1",
            "learning_rate=1e-3", "save_every=1", "trackers=[]", *overrides,
        ])
        return tmp_path / "runs" / "train" / name

    return start


def weights_of(path):
    return load_dance_model(path).denoiser.state_dict()


def test_it_moves_the_model_and_writes_what_it_promises(run, tiny_checkpoint):
    folder = run("demo", 1)
    records = json.loads((folder / "epochs.json").read_text())
    assert [record["epoch"] for record in records] == [1]
    assert {"reward/imitation", "reward/antifreezing", "reward/fgcontact", "reward/total", "loss"} <= set(records[0])
    assert (folder / "config.yaml").exists()
    before, after = weights_of(tiny_checkpoint), weights_of(folder / "weights" / "train-1.safetensors")
    assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(("given", "used"), [("null", 2.0), ("1.0", 1.0)])
def test_a_tuned_model_is_saved_with_the_guidance_it_was_tuned_for(run, monkeypatch, given, used):
    seen = []
    accumulate = finetune.accumulate_gradient
    monkeypatch.setattr(finetune, "accumulate_gradient", lambda *args: seen.append(args[-1]) or accumulate(*args))
    folder = run("guided", 1, f"guidance={given}")
    assert load_dance_model(folder / "weights" / "train-1.safetensors").guidance == used
    assert [config.guidance for config in seen] == [used]


def test_a_control_gets_the_same_advantages_in_another_order(run, monkeypatch):
    given = []

    def record(model, samples, music, advantages, *rest):
        given.append(advantages)
        return 0.0

    monkeypatch.setattr(finetune, "accumulate_gradient", record)
    for name, shuffle in (("true", "false"), ("control", "true")):
        run(name, 1, "samples_per_prompt=4", f"shuffle_advantages={shuffle}", "weight_decay=0")
    plain, shuffled = given
    assert not torch.equal(plain, shuffled)
    torch.testing.assert_close(plain.mean(1).sort().values, shuffled.mean(1).sort().values)


def test_a_run_cut_in_two_is_the_run_in_one(run):
    whole = run("whole", 3)
    run("cut", 1)
    cut = run("cut", 3)
    first, second = (weights_of(folder / "weights" / "train-3.safetensors") for folder in (whole, cut))
    assert all(torch.equal(first[name], second[name]) for name in first)
    totals = [[r["reward/total"] for r in json.loads((f / "epochs.json").read_text())] for f in (whole, cut)]
    assert totals[0] == totals[1]


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
    with pytest.raises(UserError, match="state.pt does not belong to this model or is damaged"):
        run("damaged", 2)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("checkpoint=nowhere.safetensors", "no checkpoint at"),
        ("policy=nowhere.safetensors", "no checkpoint at"),
        ("music=nowhere", "does not exist"),
        ("epochs=0", "epochs must be at least 1"),
        ("eta=0", "eta must be above 0"),
        ("min_trained_time=1000", "min_trained_time must be from 0 to 998"),
        ("learning_rate=fast", "'learning_rate' must be a number"),
        ("lerning_rate=1", "unknown key 'lerning_rate'"),
        ("preset=huge", "unknown preset 'huge': choose one of demo, paper"),
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
