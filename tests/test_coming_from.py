"""What docs/coming_from_skeleton2stage.md says is true of this project, as far as a machine can tell."""

import dataclasses
import re
import shlex

import pytest

from rl_finetune.rewards.reward_file import read_reward_file
from skeleton2stage import paths
from skeleton2stage.commands import PROGRAMS, SETTINGS, settings_of
from skeleton2stage.config import defaults, load_config
from skeleton2stage.presets import presets

PAGE = paths.REPOSITORY / "docs" / "coming_from_skeleton2stage.md"
TEXT = PAGE.read_text(encoding="utf-8")
# The configuration of each module, and of each script, that the page names.
CONFIGURATIONS = {place.split(":")[0].removesuffix(".__main__"): name for name, place in SETTINGS.items()}
CONFIGURATIONS |= {"skeleton2stage.motion.convert": "convert", "run.sh": "finetune", "eval.sh": "eval_checkpoint",
                   "train.sh": "pretrain"}
# The original's file, as it was published.
THEIR_REWARDS = {"imitation": (True, 0.51), "antifreezing": (True, 0.49), "fgcontact": (True, 0.01), "pfc": (False, 0)}


def ours():
    """The commands of this project that the page prints."""
    return [code for code in re.findall(r"`([^`]+)`", TEXT) if code.startswith(("bash code/", "python -m "))]


def test_the_page_has_its_commands():
    assert len(ours()) >= 8


@pytest.mark.parametrize("command", ours())
def test_commands_exist_and_take_these_keys(command):
    words = shlex.split(command)
    if words[0] == "bash":
        assert (paths.REPOSITORY / words[1]).is_file()
        target = words[1].split("/")[-1]
    else:
        target = words[2]
        assert target in {module for module, _ in PROGRAMS.values()} | {"skeleton2stage.render"}
    given = [word for word in words if "=" in word]
    load_config(CONFIGURATIONS[target], [*required(CONFIGURATIONS[target], given), *given])


def required(name, given):
    """Return values for keys that a configuration asks for and a command line lacks."""
    cls = settings_of(name)
    keys = [field.name for field in dataclasses.fields(cls) if field.name not in defaults(cls)]
    return [f"{key}=1" for key in keys if not any(word.startswith(f"{key}=") for word in given)]


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT):
        assert link.startswith("https://") or (PAGE.parent / link).exists(), link


def test_their_reward_file_is_read_as_it_is(tmp_path):
    lines = [f"  {name}:\n    enabled: {str(on).lower()}\n    weight: {weight}\n"
             for name, (on, weight) in THEIR_REWARDS.items()]
    path = tmp_path / "reward.yaml"
    path.write_text("# reward.yaml\nrewards:\n" + "\n".join(lines), encoding="utf-8")
    read = {line.name: (line.enabled, line.weight) for line in read_reward_file(path).settings}
    assert read == THEIR_REWARDS


@pytest.mark.parametrize(("name", "preset", "expected"), [
    ("finetune", "paper", {"weight_decay": 0.01, "precision": "float32", "save_every": 50}),
    ("finetune", "demo", {"weight_decay": 0.0, "precision": "float32"}),
    ("eval_checkpoint", "paper", {"samples_per_song": 4, "foot_lock": True, "seconds": 20, "body": "smpl"}),
    ("eval_checkpoint", "plain", {"samples_per_song": 1, "foot_lock": False, "seconds": 20, "body": "open"}),
    ("pretrain", "paper",
     {"worlds": 8192, "minibatches": 512, "value_weight": 5, "max_grad_norm": 50, "mirror": False}),
    ("pretrain", "demo", {"worlds": 256, "minibatches": 4, "value_weight": 1, "mirror": True}),
])
def test_the_table_of_defaults_is_what_the_presets_have(name, preset, expected):
    assert preset in presets(name)
    content = load_config(name, [*required(name, []), f"preset={preset}"])
    assert {key: content[key] for key in expected} == expected
