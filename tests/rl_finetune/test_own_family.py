"""A dance model of one's own: brought in a file, fine-tuned, evaluated; and what is refused."""

import importlib.metadata
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dance_model import families
from dance_model.dance_policy import RolloutOptions
from dance_model.diffusion_loading import load as load_diffusion
from dance_model.diffusion_policy import EdgePolicy
from rl_finetune import eval_checkpoint, finetune, sample
from skeleton2stage.checkpoint import load_checkpoint
from skeleton2stage.errors import UserError

SOURCE = Path(__file__).with_name("toy_dance_model.py")
MARK = "\nfrom pathlib import Path\n\nPath({mark!r}).touch()\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return the file of one's own family, in the folder that commands are started from; its run leaves a mark."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my_model.py"
    shutil.copy(SOURCE, path)
    path.write_text(path.read_text() + MARK.format(mark=str(tmp_path / "was_run")))
    return path


@pytest.fixture
def checkpoint(own, tmp_path):
    """Return an untrained model's checkpoint."""
    torch.manual_seed(0)
    path = tmp_path / "toy.safetensors"
    families.family(f"{own}:ToyPolicy")().save(path)
    (tmp_path / "was_run").unlink()
    return path


@pytest.fixture
def song(clicks, tmp_path):
    return clicks(tmp_path / "songs" / "clicks.wav", 10)


def rewrite_family(checkpoint, family):
    path = checkpoint.with_suffix(".json")
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"family": family}))


def refusal(checkpoint, given=None):
    """Return the one sentence with which a checkpoint is refused."""
    with pytest.raises(UserError) as caught:
        families.load(checkpoint, given=given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_example_is_short():
    assert len(SOURCE.read_text().splitlines()) < 60


def test_it_is_fine_tuned_and_evaluated(own, checkpoint, song, tiny_policy, tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_RUNS", str(tmp_path / "runs"))
    family = "family=my_model.py:ToyPolicy"
    common = [family, f"music={song}", f"policy={tiny_policy}", "device=cpu"]
    finetune.main([
        *common, "preset=gpu", "algorithm=policy_gradient", "direct_epochs=0", "precision=float32", "compiled=false",
        "name=own", "epochs=2", "batch_size=2", f"checkpoint={checkpoint}", "samples_per_prompt=2",
        "learning_rate=1e-3", "save_every=1", "trackers=[]",
    ])
    run = tmp_path / "runs" / "train" / "own"
    records = json.loads((run / "epochs.json").read_text())
    assert [record["epoch"] for record in records] == [1, 2]
    assert {"reward/total", "loss", "kl", "step_size", "gradient_norm"} <= set(records[0])
    assert all(record["gradient_norm"] > 0 and record["step_size"] > 0 for record in records)
    before, (after, config) = load_checkpoint(checkpoint)[0], load_checkpoint(run / "weights" / "train-2.safetensors")
    assert config["family"] == "toy" and before.keys() == after.keys()
    assert all(not torch.equal(before[name], after[name]) for name in before)

    arguments = [*common, "name=own", "epoch=2", f"motion_save_root={tmp_path / 'out'}", f"ckpt_root={run.parent}",
                 "seconds=7.5"]
    assert eval_checkpoint.main(arguments) == 0
    content = json.loads((tmp_path / "out" / "own-2" / "metrics.json").read_text())
    assert (content["n_motions"], content["n_frames"]) == (1, 225)
    assert {"success_rate", "bas", "mot_mag"} <= set(content["metrics"])
    with pytest.raises(UserError, match="give family=FILE.py:CLASS"):
        eval_checkpoint.main([argument for argument in arguments if argument != family])


def test_it_dances_to_a_song_and_is_refused_what_is_a_diffusions(own, checkpoint, song, tmp_path):
    arguments = [f"checkpoint={checkpoint}", f"music={song}", f"out={tmp_path / 'out'}", "device=cpu",
                 f"family={own}:ToyPolicy"]
    assert sample.main(arguments) == 0
    assert np.isfinite(np.load(tmp_path / "out" / "clicks.pkl", allow_pickle=True)["smpl_poses"]).all()
    for keys, reason in (("fgd_guidance=metric", "has no denoising steps"), ("foot_lock=true", "predicts no contacts")):
        with pytest.raises(UserError, match=f"is for diffusion models, and family 'toy' {reason}"):
            sample.main([*arguments, keys])


def test_direct_epochs_are_refused(own, checkpoint, song, tiny_policy, tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_RUNS", str(tmp_path / "runs"))
    with pytest.raises(UserError, match="family 'toy' .* give algorithm=policy_gradient direct_epochs=0"):
        finetune.main([
            "family=my_model.py:ToyPolicy", f"checkpoint={checkpoint}", f"music={song}", f"policy={tiny_policy}",
            "preset=gpu", "precision=float32", "compiled=false", "direct_epochs=1", "device=cpu", "trackers=[]",
        ])


@pytest.mark.parametrize("given", ["my_model.py:ToyPolicy", "my_model:ToyPolicy", "my_model.ToyPolicy"])
def test_it_is_found_from_where_the_command_is_started(own, checkpoint, given, monkeypatch):
    monkeypatch.delitem(sys.modules, "my_model", raising=False)
    policy = families.load(checkpoint, given=given).with_options(RolloutOptions())
    assert (type(policy).__name__, policy.family) == ("ToyPolicy", "toy")
    expected, _ = load_checkpoint(checkpoint)
    assert all(torch.equal(value, expected[name]) for name, value in policy.module.state_dict().items())


def test_a_file_elsewhere_imports_its_neighbours(own, checkpoint, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    own.rename(tmp_path / "elsewhere" / "own_neighbour.py")
    (tmp_path / "elsewhere" / "main.py").write_text("from own_neighbour import ToyPolicy as Mine\n")
    assert families.load(checkpoint, given="elsewhere/main.py:Mine").family == "toy"


def test_an_unknown_family_is_told_how_to_be_given(checkpoint, tmp_path):
    told = refusal(checkpoint)
    assert "is of family 'toy', which is not known here (bailando, edge, popdg)" in told
    assert "give family=FILE.py:CLASS, or install the package that has it" in told
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    "named",
    ["os:system", "my_model.py:ToyPolicy", "my_model:ToyPolicy", "my_model.ToyPolicy",
     "dance_model.diffusion_policy:EdgePolicy", "", None, 7, ["edge"], {"edge": 1}],
)
def test_a_checkpoint_names_no_code(checkpoint, tmp_path, named):
    """Only people do: what a json says is looked up, and never imported."""
    rewrite_family(checkpoint, named)
    assert "which is not known here" in refusal(checkpoint)
    assert not (tmp_path / "was_run").exists()
    with pytest.raises(UserError, match="which is no diffusion model"):
        load_diffusion(checkpoint)


def test_a_family_that_is_not_the_checkpoints_is_refused(own, checkpoint, tiny_checkpoint, tmp_path):
    told = refusal(checkpoint, "bailando")
    assert "is of family 'toy', and family=bailando is 'bailando': give the right one" in told
    told = refusal(tiny_checkpoint, "my_model.py:ToyPolicy")
    assert "is of family 'edge', and family=my_model.py:ToyPolicy is 'toy'" in told


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("my_model.py:Nothing", "module 'my_model.py' has no class 'Nothing' that is a subclass of dance_model.dance_"),
        ("my_model.py:Normal", "has no class 'Normal' that is a subclass of dance_model.dance_policy.DancePolicy"),
        ("my_model.py:ARMS", "has no class 'ARMS' that is a subclass of dance_model.dance_policy.DancePolicy"),
        ("os:system", "module 'os' has no class 'system' that is a subclass of dance_model.dance_policy.DancePolicy"),
        ("nowhere.py:ToyPolicy", "no module file at"),
        ("nowhere:ToyPolicy", "cannot import module 'nowhere': ModuleNotFoundError"),
        ("ballet", "unknown family of dance models 'ballet': choose one of bailando, edge, popdg"),
        ("my_model.py", "family=my_model.py"),
        ("", "unknown family of dance models ''"),
    ],
)
def test_a_class_that_is_no_dance_model_is_refused(own, checkpoint, given, words):
    assert words in refusal(checkpoint, given)


CLASSES = {
    "Nameless": ("import toy\n\nclass Nameless(toy.ToyPolicy):\n    family = None\n", "lacks family"),
    "Partial": ("class Partial(DancePolicy):\n    family = 'toy'\n    def dances(self, rollout): ...\n",
                "lacks config, from_config, log_prob, recorded_log_prob, roll_out"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_that_is_not_finished_is_told_what_it_lacks(own, checkpoint, name):
    source, words = CLASSES[name]
    own.rename("toy.py")
    own.write_text("from dance_model.dance_policy import DancePolicy\n\n" + source)
    assert words in refusal(checkpoint, f"my_model.py:{name}")


def installed(monkeypatch, **values):
    """Have packages offer families, as importlib.metadata tells of them."""
    points = [importlib.metadata.EntryPoint(name, value, families.ENTRY_POINTS) for name, value in values.items()]
    monkeypatch.setattr(families, "entry_points", lambda group: points if group == families.ENTRY_POINTS else [])


def test_installed_packages_families_need_not_be_given(own, checkpoint, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    own.rename(tmp_path / "my_installed_model.py")
    installed(monkeypatch, toy="my_installed_model:ToyPolicy")
    policy = families.load(checkpoint)
    assert type(policy).__module__ == "my_installed_model" and policy.family == "toy"
    assert type(families.load(checkpoint, given="toy")) is type(policy)
    rewrite_family(checkpoint, "other")
    assert "(bailando, edge, popdg, toy)" in refusal(checkpoint)


def test_an_installed_package_cannot_stand_in_for_this_projects_families(own, tiny_checkpoint, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    installed(monkeypatch, edge="my_model:ToyPolicy", broken="nowhere_at_all:Policy")
    assert isinstance(families.load(tiny_checkpoint), EdgePolicy)
    assert not (tmp_path / "was_run").exists()


def test_a_broken_installed_family_is_one_sentence(checkpoint, monkeypatch):
    installed(monkeypatch, toy="nowhere_at_all:Policy")
    assert "family toy: cannot import module 'nowhere_at_all': ModuleNotFoundError" in refusal(checkpoint)
