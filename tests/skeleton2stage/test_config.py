"""From command lines to dataclasses: every command alike."""

import dataclasses
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from skeleton2stage import paths
from skeleton2stage.commands import DEFAULT_PRESETS, SETTINGS, settings_of
from skeleton2stage.config import load_config, read_options, save_config, to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.presets import read_preset

REQUIRED = {
    "convert": ("source=s", "out=o"),
    "eval_checkpoint": ("name=n", "epoch=1", "motion_save_root=m", "ckpt_root=c", "music=s"),
    "evaluate": ("motions=m", "out=o.json"),
    "export": ("motions=m", "out=o"),
    "export_checkpoint": ("checkpoint=c", "out=o.pt"),
    "features": ("music=m", "out=o"),
    "render": ("motions=m", "out=o"),
    "view": ("motions=m",),
    "sample": ("music=m", "out=o"),
    "score": ("motions=m", "out=o"),
    "tracks": ("out=o",),
}


def composed(name: str, *arguments: str) -> object:
    """Return the dataclass of a command."""
    return to_dataclass(load_config(name, [*REQUIRED.get(name, ()), *arguments]), settings_of(name))


@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_typed_leaves_the_defaults(name):
    """But for what the preset sets that is taken where none is given."""
    cls, content = settings_of(name), load_config(name, list(REQUIRED.get(name, ())))
    assert set(content) == set(cls.__dataclass_fields__)
    laid = read_preset(name, DEFAULT_PRESETS[name]) if name in DEFAULT_PRESETS else {}
    given = {argument.split("=")[0] for argument in REQUIRED.get(name, ())}
    for field in dataclasses.fields(cls):
        value = getattr(composed(name), field.name)
        if field.name not in given and field.name not in laid:
            default = paths.of_project(field.default) if isinstance(field.default, Path) else field.default
            assert value == default, field.name


@pytest.mark.parametrize("name", SETTINGS)
def test_typed_paths_mean_the_folder_one_is_in_and_files_paths_the_repository(name, tmp_path, monkeypatch):
    """Whether or not the repository, or the folder, happens to have something of that name."""
    monkeypatch.chdir(tmp_path)
    hints = {field.name: field.type for field in dataclasses.fields(settings_of(name))}
    given = {argument.split("=")[0] for argument in REQUIRED.get(name, ())}
    for key in (key for key, hint in hints.items() if hint in (Path, Path | None)):
        typed = "README.md" if (name, key) != ("export_checkpoint", "out") else "README.pt"
        assert getattr(composed(name, f"{key}={typed}"), key).absolute() == tmp_path / typed, key
        default = getattr(composed(name), key)
        assert key in given or default is None or default.is_relative_to(paths.REPOSITORY), key


def test_a_name_of_digits_is_text_in_every_place():
    arguments = ["name=2024_11_26", "held_out=[60_12,61_05]", "data=1e5"]
    config = composed("train_edge", *arguments)
    assert (config.name, config.held_out, config.data) == ("2024_11_26", ("60_12", "61_05"), Path("1e5"))
    config = composed("pretrain", *arguments)
    assert (config.name, config.held_out, config.data) == ("2024_11_26", ("60_12", "61_05"), Path("1e5"))


def test_a_typed_value_is_not_taken_for_a_missing_one():
    assert load_config("sample", ["music=???", "out=${music}"])["music"] == "???"
    with pytest.raises(UserError, match=r"give music=… and out=… \(see --help\)"):
        load_config("sample", [])


def test_parts_of_nested_settings():
    config = composed("finetune", "direct.lower=3", "direct={times_per_dance: 2}", "hold.mot_mag=0.9")
    assert (config.direct.lower, config.direct.times_per_dance, config.hold) == (3.0, 2, {"mot_mag": 0.9})
    config = composed("score", "simulator_options.buffers.contacts_per_world=7")
    assert config.simulator_options.buffers.contacts_per_world == 7
    config = composed("finetune", "hold.mot_mag=0.9", "hold={}")
    assert config.hold == {}
    config = composed("finetune", "reward_weights.my_rewards.Own=0.3")
    assert config.reward_weights == {"my_rewards.Own": 0.3}


def test_a_preset_lies_under_what_is_typed_wherever_it_stands():
    config = composed("finetune", "learning_rate=1", "preset=paper")
    assert (config.algorithm, config.learning_rate) == ("paper", 1.0)
    assert config.rewards == paths.REPOSITORY / "code" / "rl_finetune" / "reward_paper.yaml"


@pytest.mark.parametrize(("name", "argument", "said"), [
    ("finetune", "learning_rat=1", "unknown key 'learning_rat': choose one of adam_betas, "),
    ("finetune", "+learning_rate=1", "unknown key '\\+learning_rate'"),
    ("finetune", "~seed=1", "unknown key '~seed'"),
    ("finetune", "direct.lowr=1", "unknown key 'direct.lowr': choose one of .*lower"),
    ("finetune", "seed.x=1", "unknown key 'seed.x': 'seed' has no parts"),
    ("finetune", "hydra.run.dir=x", "unknown key 'hydra'"),
    ("finetune", "preset=fast", "unknown preset 'fast': choose one of bailando, demo, gpu, paper"),
    ("sample", "preset=fast", "unknown key 'preset'"),
    ("sample", "seed", "'seed' is not of the form key=value"),
])
def test_wrong_keys_are_one_sentence(name, argument, said):
    with pytest.raises(UserError, match=said) as caught:
        composed(name, argument)
    assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class Options:
    """Settings of a command without presets."""

    name: str = "a"
    rate: float = 1.0


def test_options_without_presets():
    assert read_options(["name=1e5", "rate=1e-1"], Options) == Options("1e5", 0.1)
    with pytest.raises(UserError, match="unknown key 'nam': choose one of name, rate"):
        read_options(["nam=x"], Options)
    with pytest.raises(UserError, match="'rate' must be a number, not 'x'"):
        read_options(["rate=x"], Options)


def test_files_say_text_as_text():
    with pytest.raises(UserError, match="'name' must be text, not 20241126: in a file, put it in quotes"):
        to_dataclass(yaml.safe_load("name: 2024_11_26"), Options)
    with pytest.raises(UserError, match="rate must be a finite number, not nan"):
        to_dataclass({"rate": math.nan}, Options)


def test_a_saved_configuration_makes_the_same_one_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = composed("finetune", "name=60_12", "music=canción #1.ogg", "checkpoint=it's.safetensors", "hold={a: 1}")
    save_config(tmp_path / "config.yaml", config)
    monkeypatch.chdir("/")
    again = to_dataclass(yaml.safe_load((tmp_path / "config.yaml").read_text(encoding="utf-8")), type(config))
    assert again == dataclasses.replace(
        config, music=tmp_path / "canción #1.ogg", checkpoint=tmp_path / "it's.safetensors"
    )


def test_a_program_reads_its_own_settings_once_and_says_what_is_wrong(tmp_path):
    """As users start it: in a folder of theirs, with a file that is there and one that is not."""
    name = "it's #1 (2024_11_26).json"
    command = [sys.executable, "-m", "skeleton2stage.music.tracks", "bpm=[100]", "seconds=5", f"out={name}"]
    environment = os.environ | {"PYTHONPATH": str(paths.REPOSITORY / "code")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).is_file()
    done = subprocess.run([*command, "seed=x"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "error: 'seed' must be a whole number, not 'x'\n")
