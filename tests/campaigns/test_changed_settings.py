"""Every setting changed when a run goes on, one at a time: used, or refused by its name."""

import dataclasses
import shutil
import typing
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from trainings import Work, finished, killed_once_saved

from dance_model.bailando.train_bailando import TrainBailandoConfig
from dance_model.bailando.training_config import BailandoTraining, tiny
from skeleton2stage import paths
from skeleton2stage.commands import settings_of
from skeleton2stage.errors import UserError
from skeleton2stage.settings import Limits, limits_of, may_change

TRAININGS = ("finetune", "train_edge", "bailando", "pretrain")
SAMPLED = (
    ("train_edge", "losses.foot", "refused"), ("train_edge", "log_every", "used"), ("bailando", "seed", "refused"),
)
# Other values where one more, half as much, or another choice makes no sense; {others} is a folder of other files.
# None: other ways of computing the same (compiling takes minutes), and what says which run it is.
OTHER = {
    "name": None, "out": None, "precision": "bf16", "compiled": None, "cuda_graph": None, "preset": None,
    "trackers": "[tensorboard]", "held_out": "[first]", "reward_weights": "{penetration: 0.5}",
    "hold": "{mot_mag: 0.9}", "guidance": "1.5", "hidden": "[8,8]", "adam_betas": "[0.8,0.99]", "direct_epochs": "2",
    "steps": "20", "vqvae_steps": "14", "gpt_steps": "10", "device": "auto", "family": "popdg", "layout": "popdg",
    "simulator": "mujoco_warp", "checkpoint": "{others}/model.safetensors", "policy": "{others}/policy.safetensors",
    "start_from": "{others}/model.safetensors", "body": "{others}/body.npz", "music": "{others}/song.wav",
    "data": "{others}/data", "rewards": "{others}/reward.yaml",
    "train_list": "{others}/list.txt", "test_list": "{others}/list.txt", "ignore_list": "{others}/list.txt",
    "stages": "[{name: dance, clips: '*', iterations: 4}]",
}
NEVER_TRIED = {"simulator_options", "displacement"}


@pytest.fixture(scope="module")
def begin(campaign) -> Callable[[str], Work]:
    """Return a function that gives a training with a run in the folder BEGUN, killed once it had a state."""
    folder, works = campaign

    @cache
    def begun(training: str) -> Work:
        work = works[training]
        own = dataclasses.replace(work, folder=lambda name: work.folder(f"{training}_{name}"),
                                  out=lambda name: work.out(f"{training}_{name}"))
        killed_once_saved(own, "begun", folder / f"{training}.log")
        return own

    return begun


@pytest.fixture(scope="module")
def others(campaign, tiny_checkpoint, tiny_policy, clicks) -> Path:
    """Return a folder of files that say something else than those the runs were begun with."""
    folder = campaign[0] / "others"
    (folder / "data").mkdir(parents=True)
    for name, source in (("model", tiny_checkpoint), ("policy", tiny_policy)):
        shutil.copy(source.with_suffix(".json"), folder / f"{name}.json")
        save_file({key: value + 1 for key, value in load_file(source).items()}, folder / f"{name}.safetensors")
    arrays = dict(np.load(paths.open_body()))
    np.savez(folder / "body.npz", **arrays | {"v_template": 1.01 * arrays["v_template"]})
    clicks(folder / "song.wav", 13)
    shutil.copy(campaign[0] / "clips" / "one.pkl", folder / "data" / "other.pkl")
    rewards = (paths.REPOSITORY / "code" / "rl_finetune" / "reward.yaml").read_text()
    (folder / "reward.yaml").write_text(rewards.replace("weight: ", "weight: 1", 1))
    (folder / "list.txt").write_text("second\n")
    return folder


def config_of(name: str) -> type:
    return TrainBailandoConfig if name == "bailando" else settings_of(name)


def leaves(cls: type, before: str = "") -> Iterator[tuple[str, dataclasses.Field]]:
    """Yield the settings of a dataclass by their dotted names."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint) and field.name not in NEVER_TRIED:
            yield from leaves(hint, f"{before}{field.name}.")
        elif field.name not in NEVER_TRIED:
            yield f"{before}{field.name}", field


def other_value(name: str, field: dataclasses.Field, now: Any, others: Path) -> str | None:
    """Return another value to be typed, None where this campaign has none."""
    limits: Limits = limits_of(field)
    if name.split(".")[-1] in OTHER:
        value = OTHER[name.split(".")[-1]]
        return value and value.replace("{others}", str(others))
    if isinstance(now, bool):
        return str(not now).lower()
    candidates = [choice for choice in limits.choices if choice != now] or _numbers(now)
    for value in (value for value in candidates if value != now):
        try:
            limits.check(value, name)
            return str(value)
        except UserError:
            continue
    return None


def _numbers(now: Any) -> list[float]:
    if isinstance(now, int):
        return [now + 1, now - 1]
    return [now * 0.5, now + 0.25, 0.125] if isinstance(now, float) else []


def written(work: Work, name: str) -> dict[str, Any]:
    return yaml.safe_load((work.folder(name) / "config.yaml").read_text())


def at(content: dict[str, Any], name: str) -> Any:
    for part in name.split("."):
        content = content[part]
    return content


def weights(work: Work, name: str) -> dict[str, torch.Tensor]:
    path = next(path for pattern in work.results for path in sorted(work.folder(name).glob(pattern))
                if path.suffix == ".safetensors")
    return load_file(path)


def check(work: Work, setting: str, field: dataclasses.Field, owner: object, others: Path, log: Path) -> str:
    """Change a setting when a run goes on, and return whether it was "used" or "refused".

    Asserts that it was as it is declared, that a refusal names it, and that config.yaml says what was used alone.
    """
    before = written(work, "begun")
    value = other_value(setting, field, at(before, setting), others)
    if value is None:
        return "untried"
    shutil.rmtree(work.folder("again"), ignore_errors=True)
    shutil.copytree(work.folder("begun"), work.folder("again"))
    status = finished(work, work.typed("again", f"{setting}={value}"), log)
    said = log.read_text()
    told = f"{setting}={value}: {status} {said[-800:]}"
    if not may_change(owner, field):
        sentence = next((line for line in said.splitlines() if line.startswith("error: ")), "")
        assert status == 2 and setting.split(".")[-1] in sentence and written(work, "again") == before, told
        return "refused"
    assert status == 0 and "goes on with" in said and f"{setting}=" in said, told
    assert str(at(written(work, "again"), setting)) != str(at(before, setting)), told
    return "used"


class Owner:
    """Stands for the dataclass of a setting that may change where others allow it: the rate stays where it is."""

    cool_down = 0.0

    @staticmethod
    def training() -> BailandoTraining:
        return tiny()


@pytest.mark.parametrize(("training", "setting", "expected"), SAMPLED)
def test_some_settings_changed_are_used_or_refused(begin, others, tmp_path, training, setting, expected):
    field = next(field for name, field in leaves(config_of(training)) if name == setting)
    assert check(begin(training), setting, field, Owner, others, tmp_path / "log") == expected


@pytest.mark.slow
@pytest.mark.parametrize("training", TRAININGS)
def test_every_setting_changed_is_used_or_refused(begin, others, tmp_path, training):
    work, log = begin(training), tmp_path / "log"
    assert finished(work, work.typed("whole"), log) == 0, log.read_text()
    whole, found = weights(work, "whole"), {}
    for setting, field in leaves(config_of(training)):
        found[setting] = check(work, setting, field, Owner, others, log)
        if found[setting] == "used" and setting not in ("epochs", "steps"):
            again = weights(work, "again")
            for name, value in whole.items():  # what may change changes rounding at most
                np.testing.assert_allclose(value.float(), again[name].float(), rtol=1e-3, atol=1e-5)
    counts = {kind: [name for name, one in found.items() if one == kind] for kind in ("used", "refused", "untried")}
    print(f"{training}: {len(found)} settings; " + "; ".join(f"{len(names)} {kind}" for kind, names in counts.items()))
    print("  used:", ", ".join(counts["used"]), "  untried:", ", ".join(counts["untried"]))
    assert len(counts["refused"]) >= 5
