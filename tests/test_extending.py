"""What docs/extending.md prints runs as printed."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest

from dance_model import families
from rl_finetune import evaluate
from rl_finetune.finetune_config import FinetuneConfig
from skeleton2stage import paths
from skeleton2stage.command_help import help_text
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.motion.formats.write_motion import write_motion
from skeleton2stage.motion.motion import Motion
from skeleton2stage.physics.score.__main__ import main as score


@pytest.fixture(scope="module")
def document():
    return (paths.REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", document, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture()
def folder(document, tmp_path, monkeypatch):
    """Return a folder, which one is in, with the files that the page prints and a second of standing."""
    for block in blocks(document, "python"):
        (tmp_path / re.match(r"# (\w+\.py)\n", block)[1]).write_text(block)
    poses = np.zeros((60, 24, 3))
    poses[:, 0, 0] = np.pi / 2
    walk = np.stack((np.linspace(0, 0.5, 60), np.zeros(60), np.full(60, 0.95)), axis=1)
    write_motion(tmp_path / "DIR" / "stand.pkl", Motion(poses, walk))
    rows = np.concatenate((poses.reshape(60, 72), walk), axis=1)
    (tmp_path / "CSV").mkdir()
    np.savetxt(tmp_path / "CSV" / "stand.csv", rows, delimiter=",")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(document, word):
    """Return the arguments of the printed command that has a word in it."""
    (line,) = [line for block in blocks(document, "bash") for line in block.splitlines() if word in line]
    return [argument for argument in shlex.split(line) if "=" in argument]


def test_the_printed_model_is_the_one_that_is_tested(document):
    (printed,) = [block for block in blocks(document, "python") if block.startswith("# my_model.py")]
    toy = paths.REPOSITORY / "tests" / "rl_finetune" / "toy_dance_model.py"
    assert printed.removeprefix("# my_model.py\n") == toy.read_text(encoding="utf-8")


def test_the_printed_model_is_saved_and_found(document, folder):
    (line,) = re.findall("^python -c .*", "\n".join(blocks(document, "bash")), flags=re.MULTILINE)
    code = shlex.split(line)[2]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        exec(code, {})  # the page's own line
    assert families.load(folder / "toy.safetensors", given="my_model.py:ToyPolicy").family == "toy"
    with pytest.raises(UserError, match="give family="):
        families.load(folder / "toy.safetensors")


@pytest.mark.parametrize(("word", "name"), [("run.sh", "finetune"), ("eval.sh", "eval_checkpoint")])
def test_printed_scripts_take_settings_that_there_are(document, word, name):
    given = command(document, word)
    needed = {"eval_checkpoint": ["name=a", "epoch=2", "motion_save_root=a", "ckpt_root=b", "music=c"]}.get(name, [])
    composed = load_config(name, [*needed, *given])
    assert composed["family"] == "my_model.py:ToyPolicy"


def test_a_metric_of_ones_own(document, folder):
    assert evaluate.main([*command(document, "my_metric.py"), "policy=none", "pen_rate=false", "reference=none"]) == 0
    found = json.loads((folder / "metrics.json").read_text())
    assert found["metrics"]["travelled"] == pytest.approx(0.5 / 59 * 30, rel=1e-3)
    assert "travelled →" in (folder / "metrics.md").read_text()


def test_a_format_and_a_simulator_of_ones_own(document, folder, tiny_policy):
    arguments = [a.replace("DIR", "CSV") for a in command(document, "my_format.py")]
    assert score([*arguments, f"policy={tiny_policy}"]) == 0
    found = json.loads((folder / "score.json").read_text())
    assert list(found["per_motion"]) == ["stand.csv"]
    on_ice = [*command(document, "my_simulator.py"), f"policy={tiny_policy}"]
    assert score(on_ice) == 0
    ice = json.loads((folder / "score.json").read_text())["per_motion"]["stand.pkl"]["imitation"]
    assert score([*(a for a in on_ice if not a.startswith("simulator")), "out=floor.json"]) == 0
    assert ice != json.loads((folder / "floor.json").read_text())["per_motion"]["stand.pkl"]["imitation"]


@pytest.mark.parametrize(("arguments", "reason"), [
    (["metrics=[none.py:f]"], "no module file"),
    (["metrics=[my_metric.py:f]"], "has no function 'f'"),
    (["metrics=[broken.py:pfc]"], "there is a metric pfc already"),
    (["metrics=[broken.py:divides]"], "metric divides fails: ZeroDivisionError"),
    (["format=my_format.py:none"], "has no function 'none'"),
    (["format=broken.py:text"], "gives a str where a Motion was expected"),
    (["simulator=broken.py:pfc"], "has no class 'pfc' that is a subclass"),
    (["format=amas"], "unknown motion format 'amas'"),
])
def test_what_is_wrong_with_it_is_told(arguments, reason, folder, capsys):
    (folder / "broken.py").write_text(
        "def pfc(motion):\n    return 1.0\n\n\ndef divides(motion):\n    return 1 / 0\n\n\n"
        "def text(path):\n    return 'x'\n"
    )
    common = ["motions=DIR", "out=m.json", "pen_rate=false", "reference=none"]
    if "simulator" not in arguments[0]:
        common.append("policy=none")
    try:
        evaluate.main([*common, *arguments])
        said = ""
    except UserError as error:
        said = str(error)
    assert reason in said + capsys.readouterr().err


def test_printed_settings_are_read_and_explained(document, folder):
    command = [sys.executable, "my_settings.py", "music=it's.ogg", "seconds=null", "layout=overlaid"]
    environment = os.environ | {"PYTHONPATH": str(paths.REPOSITORY / "code")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\nWhat the command is for: the first line of its help.\n" in done.stdout
    assert re.search(r"^seconds=20.0 +longest dance, s; null: the whole song \[above 0\]$", done.stdout, re.MULTILINE)
    assert "MyConfig(music=\"it's.ogg\", seconds=None, layout='overlaid', save_every=1, seed=0)" in done.stdout


def test_the_printed_preset_is_one(document, tmp_path, monkeypatch):
    shutil.copytree(paths.configs(), tmp_path / "configs")
    monkeypatch.setattr(paths, "configs", lambda: tmp_path / "configs")
    (printed,) = [block for block in blocks(document, "yaml") if "motion_gain" in block]
    (tmp_path / "configs" / "finetune" / "calm.yaml").write_text(printed)
    config = to_dataclass(load_config("finetune", ["preset=calm"]), FinetuneConfig)
    assert (config.hold, config.direct.motion_gain, config.samples_per_prompt) == ({"mot_mag": 1.0}, 0.8, 16)
    said = help_text("run.sh", "finetune", ["preset=calm"])
    assert re.search(r"^preset=calm +One GPU, and movement", said, re.MULTILINE)
