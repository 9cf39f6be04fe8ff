"""What docs/rewards.md prints runs as printed."""

import ast
import json
import re
import runpy

import pytest
import torch

from rl_finetune import finetune
from rl_finetune.rewards.reward import known_rewards
from rl_finetune.rewards.reward_file import read_reward_file
from skeleton2stage import paths
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.physics.imitation.imitation_policy import ImitationPolicy, PolicyConfig
from swaying_motion import swaying


@pytest.fixture(scope="module")
def document():
    return (paths.REPOSITORY / "docs" / "rewards.md").read_text(encoding="utf-8")


def code_blocks(document):
    return re.findall(r"^```(\w+)\n(.*?)^```$", document, flags=re.MULTILINE | re.DOTALL)


def write_files(document, folder):
    """Write the code blocks whose first line is a comment with a file's name."""
    for _, block in code_blocks(document):
        name = re.match(r"# (\w+\.\w+)\n", block)
        if name:
            (folder / name[1]).write_text(block)


def test_every_reward_has_its_line(document):
    table = re.findall(r"^\| `(\w+)` \|", document, flags=re.MULTILINE)
    ours = [name for name in known_rewards() if not name.startswith("test_") and "." not in name]
    assert sorted(table) == sorted(set(ours) - {"low_arms"})


def test_printed_reward_files_are_read(document, tmp_path):
    write_files(document, tmp_path)
    printed = [block for language, block in code_blocks(document) if language == "yaml"]
    assert len(printed) == 2
    for block in printed:
        (tmp_path / "printed.yaml").write_text(block)
        assert read_reward_file(tmp_path / "printed.yaml").hold["mot_mag"] == 1.0


def test_the_example_says_what_it_thinks_of_dances_that_are_there(document, tmp_path, monkeypatch, capsys):
    write_files(document, tmp_path)
    motion = swaying(40)
    write_motion(tmp_path / "dances" / "sway.pkl", motion)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    runpy.run_path("look.py")
    name, values = capsys.readouterr().out.split(" ", 1)
    heights = motion.joints()[..., 2]
    by_hand = (heights[:, 16:18] - heights[:, 20:22]).mean()
    assert name == "sway.pkl" and ast.literal_eval(values)["low_arms"] == pytest.approx(by_hand, abs=1e-3)
    assert ast.literal_eval(values)["penetration"] <= 0.0


def test_the_example_fine_tunes(document, tmp_path, monkeypatch, tiny_checkpoint, clicks):
    write_files(document, tmp_path)
    torch.manual_seed(0)
    ImitationPolicy(PolicyConfig(hidden=(8,))).save(tmp_path / "policy.safetensors")
    song = clicks(tmp_path / "clicks.wav", 6)
    monkeypatch.setenv("S2S_RUNS", str(tmp_path / "runs"))
    (command,) = [block for language, block in code_blocks(document) if language == "bash"]
    name, _, _, _, rewards = re.match(r"bash code/rl_finetune/run.sh (\S+) (\S+) (\S+) (\S+) (\S+)\n", command).groups()
    monkeypatch.chdir(tmp_path)
    finetune.main([
        f"name={name}", "epochs=1", "batch_size=1", rewards, f"checkpoint={tiny_checkpoint}",
        "policy=policy.safetensors", f"music={song}", "device=cpu", "n_steps=4", "trained_steps=2",
        "samples_per_prompt=2", "direct_epochs=0", "trackers=[]",
    ])
    (record,) = json.loads((tmp_path / "runs" / "train" / name / "epochs.json").read_text())
    assert {"reward/imitation", "reward/low_arms"} <= set(record)
    assert -1.0 < record["reward/low_arms"] < 1.0
