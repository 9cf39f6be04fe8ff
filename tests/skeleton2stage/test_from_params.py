"""Sections of params.yaml become arguments that mean the same."""

import json
import subprocess
import sys

import pytest
import yaml

from rl_finetune.finetune_config import FinetuneConfig
from skeleton2stage import from_params
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.from_params import as_arguments, main, read_params, section
from skeleton2stage.music.tracks import TracksConfig


def test_settings_of_every_kind_arrive_as_they_are_written():
    content = yaml.safe_load("""
        name: 2024_a b
        learning_rate: 1e-6
        epochs: 3
        compiled: true
        family: null
        reward_weights: {imitation: 0.5, my_rewards.Own: 2}
        direct: {lower: 3.0}
        hold: {}
        adam_betas: [0.8, 0.9]
        trackers: []
    """)
    config = to_dataclass(load_config("finetune", as_arguments(content)), FinetuneConfig)
    assert (config.name, config.learning_rate, config.epochs, config.compiled) == ("2024_a b", 1e-6, 3, True)
    assert config.family is None and config.hold == {} and config.trackers == ()
    assert config.reward_weights == {"imitation": 0.5, "my_rewards.Own": 2.0}
    assert config.direct.lower == 3.0 and config.adam_betas == (0.8, 0.9)


@pytest.mark.parametrize("names", [["a", "b"], ["a, b", "it's", '"c"', " d ", "[e]"], ["null", "60_12"]])
def test_lists_of_text_come_back_whole(names):
    arguments = as_arguments({"only": names, "out": "x", "source": "tracks.json"})
    content = load_config("tracks", arguments)
    assert list(to_dataclass(content, TracksConfig).only) == names


def test_lists_of_tables_are_written_as_yaml():
    stages = [{"name": "all", "clips": "*", "iterations": 2, "learning_rate": 0.1, "final_learning_rate": 0.1}]
    (argument,) = as_arguments({"stages": stages})
    assert yaml.safe_load(argument.removeprefix("stages=")) == stages and "\n" not in argument


def test_the_command_gets_the_sections_after_its_own_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("a: {x: 1}\nb: {y: {z: 2}}\nc: 3\n")
    ran = []
    monkeypatch.setattr(from_params.os, "execvp", lambda file, words: ran.append((file, words)))
    main(["a,b", "python", "-m", "m", "o=1"])
    assert ran == [("python", ["python", "-m", "m", "o=1", "x=1", "y.z=2"])]


def test_it_runs_for_real(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("a: {x: [1, two words]}\n")
    script = "import json, os, sys; print(json.dumps(sys.argv[1:]))"
    monkeypatch.setattr(from_params.os, "execvp", lambda file, words: subprocess.run(words, check=True))
    main(["a", sys.executable, "-c", script])
    assert json.loads(capfd.readouterr().out) == ["x=[1,two words]"]


@pytest.mark.parametrize(("text", "names", "said"), [
    ("a: {x: 1}", "b", "unknown section of params.yaml 'b': choose one of a"),
    ("a: 3", "a", "'a' of params.yaml must have keys below it, not 3"),
    ("- 1", "a", "has no sections"),
    ("a: [", "a", "params.yaml"),
])
def test_what_is_wrong_is_one_sentence(tmp_path, monkeypatch, text, names, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match=said):
        main([names, "true"])


def test_a_missing_file_a_missing_command_and_a_missing_program_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="params.yaml does not exist"):
        read_params(tmp_path / "params.yaml")
    with pytest.raises(UserError, match="no command follows the section 'a'"):
        main(["a"])
    (tmp_path / "params.yaml").write_text("a: {}\n")
    assert section({"a": {}}, "a") == []
    with pytest.raises(UserError, match="no program 'no_such_program'"):
        main(["a", "no_such_program"])


def test_help_is_given(capsys):
    assert main(["--help"]) == 0
    assert "SECTION" in capsys.readouterr().out
