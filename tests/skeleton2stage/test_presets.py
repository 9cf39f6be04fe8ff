"""Presets: files that set a few keys over the defaults, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skeleton2stage import paths
from skeleton2stage.commands import DEFAULT_PRESETS, SETTINGS, settings_of
from skeleton2stage.config import composed, load_config, to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.presets import chosen_preset, presets, purpose, read_preset

ALL = [(name, preset) for name in SETTINGS for preset in presets(name)]
REQUIRED = {"eval_checkpoint": ["name=n", "epoch=1", "motion_save_root=m", "ckpt_root=c", "music=s"]}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a function that writes a preset of finetune beside copies of the shipped ones."""
    shutil.copytree(paths.configs(), tmp_path / "configs")
    monkeypatch.setattr(paths, "configs", lambda: tmp_path / "configs")
    return lambda text: (tmp_path / "configs" / "finetune" / "own.yaml").write_text(text, encoding="utf-8")


def test_configs_hold_presets_alone():
    """Every file is a preset of a command that reads it, and no file declares settings."""
    files = {path.relative_to(paths.configs()).with_suffix("").parts for path in paths.configs().rglob("*.*")}
    assert files == set(ALL)
    assert set(DEFAULT_PRESETS) == {name for name, _ in ALL}
    assert all(DEFAULT_PRESETS[name] in presets(name) for name in DEFAULT_PRESETS)


@pytest.mark.parametrize(("name", "preset"), ALL)
def test_a_preset_sets_some_of_the_settings_to_what_they_may_be(name, preset):
    content = load_config(name, [*REQUIRED.get(name, []), f"preset={preset}"])
    assert set(read_preset(name, preset)) < set(settings_of(name).__dataclass_fields__)
    to_dataclass(content, settings_of(name))


@pytest.mark.parametrize(("name", "preset"), ALL)
def test_a_preset_says_what_it_is_for(name, preset):
    assert len(purpose(name, preset).split()) >= 5 and purpose(name, preset)[-1] in ".md"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_presets_values_win_over_the_defaults_and_no_other_changes(name):
    for preset in presets(name):
        laid, before = composed(name, preset), composed(name, None)
        changed = {key for key in laid if key not in before or laid[key] != before[key]}
        assert changed <= set(read_preset(name, preset))


def test_one_preset_lies_over_another():
    feet, first = read_preset("train_edge", "h100_feet"), read_preset("train_edge", "h100")
    assert (feet["losses"]["foot"], feet["losses"]["snr_clip"]) == (1000.0, first["losses"]["snr_clip"])
    assert feet["denoiser"] == first["denoiser"]


def test_the_last_preset_counts_and_without_one_the_commands_own():
    assert chosen_preset("finetune", [("preset", "gpu"), ("preset", "paper")]) == "paper"
    assert chosen_preset("eval_checkpoint", [("protocol", "paper")]) == "paper"
    assert chosen_preset("finetune", [("seed", "1")]) == "demo"
    assert chosen_preset("sample", [("preset", "gpu")]) is None


@pytest.mark.parametrize(("text", "said"), [
    ("learning_rat: 1", "configs/finetune/own.yaml: unknown key 'learning_rat': choose one of .*learning_rate"),
    ("direct: {lowr: 1}", "configs/finetune/own.yaml: unknown key 'direct.lowr': choose one of .*lower"),
    ("defaults: [gpux, _self_]", "own.yaml cannot be read as a preset: .*gpux"),
    ("seed: {a: 1}", "'seed' must be a whole number"),
    ("epochs: 0", "epochs must be at least 1, not 0"),
    ("name: 60_12", "'name' must be text, not 6012: in a file, put it in quotes"),
])
def test_a_preset_of_ones_own_that_is_wrong_is_one_sentence(own, text, said):
    own(f"# My own.\n{text}\n")
    with pytest.raises(UserError, match=said) as caught:
        to_dataclass(load_config("finetune", ["preset=own"]), settings_of("finetune"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["epochs: [", "- a\n- b\n", "a: b: c", "\t- x: {"])
def test_a_damaged_file_is_one_sentence_that_names_it(own, text):
    own(text)
    with pytest.raises(UserError, match="own.yaml cannot be read as a preset: ") as caught:
        load_config("finetune", ["preset=own"])
    assert "\n" not in str(caught.value)


def test_a_preset_of_ones_own_is_found_and_its_paths_are_the_projects(own):
    own("# Rewards as published.\nrewards: code/rl_finetune/reward_paper.yaml\nhold: {mot_mag: 1.0}\n")
    content = load_config("finetune", ["preset=own"])
    assert Path(content["rewards"]) == paths.REPOSITORY / "code" / "rl_finetune" / "reward_paper.yaml"
    assert content["hold"] == {"mot_mag": 1.0} and purpose("finetune", "own") == "Rewards as published."


def test_commands_without_presets_import_no_hydra():
    """It takes 0.2 s of a core, which every command would pay."""
    code = ("import sys; from skeleton2stage.config import load_config; load_config('tracks', ['out=x']); "
            "print('hydra' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
