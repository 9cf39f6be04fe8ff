"""What settings may be: declared with them, checked in one place."""

import dataclasses
import math
import typing
from dataclasses import dataclass

import pytest

from skeleton2stage.commands import SETTINGS, settings_of
from skeleton2stage.config import load_config, read_options, to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.settings import Limits, check_own_settings, run_name_setting, setting

REQUIRED = ("name=n", "epoch=1", "motion_save_root=m", "ckpt_root=c", "music=s")
NAMED = {"finetune": (), "train_edge": (), "pretrain": (), "eval_checkpoint": REQUIRED}
BAD_NAMES = ("", " ", "..", ".", "../a", "a/../b", "/a", "a/", "a//b", "./a", "a\nb", "a\0b")


@dataclass(frozen=True)
class Settings:
    """One setting of each kind."""

    name: str = run_name_setting("the run's folder", default="a")
    steps: int = setting("how many", default=1, minimum=1)
    share: float = setting("of all", default=0.5, minimum=0, below=1)
    rate: float = setting("step size", default=1.0, above=0, why="the model would go backwards")
    pair: tuple[float, ...] = setting("two", default=(0.0, 0.0), length=2, maximum=1)
    limit: float | None = setting("at most", default=None, above=0, infinite=True)
    weights: dict[str, float] | None = setting("by name", default=None, minimum=0)
    kind: str = setting("which", default="a", choices=("a", "b"), called="kind of thing")
    plain: float = 0.0


@pytest.mark.parametrize(("values", "said"), [
    ({"steps": 0}, "steps must be at least 1, not 0"),
    ({"share": 1}, "share must be from 0 to under 1, not 1.0"),
    ({"share": -0.1}, "share must be from 0 to under 1"),
    ({"share": math.nan}, "share must be from 0 to under 1, not nan"),
    ({"rate": 0}, "rate must be above 0, not 0.0: the model would go backwards"),
    ({"rate": math.inf}, "rate must be above 0, not inf"),
    ({"pair": [1]}, r"pair must be 2 values, not \[1.0\]"),
    ({"pair": [1, 2]}, "pair must be at most 1, not 2.0"),
    ({"limit": math.nan}, "limit must be above 0, not nan"),
    ({"weights": {"x": 1, "y": -1}}, "weights must be at least 0, not -1"),
    ({"kind": "c"}, "unknown kind of thing 'c': choose one of a, b"),
    ({"plain": -math.inf}, "plain must be a finite number, not -inf"),
    ({"name": ""}, "name must name a folder of its own"),
])
def test_what_is_out_of_range_is_one_sentence(values, said):
    with pytest.raises(UserError, match=said) as caught:
        to_dataclass(values, Settings)
    assert "\n" not in str(caught.value)


def test_bounds_that_are_allowed_are():
    values = {"steps": 1, "share": 0, "pair": [1, -5], "limit": math.inf, "weights": {"x": 0}, "kind": "b"}
    assert to_dataclass(values, Settings).limit == math.inf


def test_a_nested_setting_is_named_with_where_it_is():
    @dataclass(frozen=True)
    class Outer:
        inner: Settings

    with pytest.raises(UserError, match="inner.steps must be at least 1"):
        to_dataclass({"inner": {"steps": 0}}, Outer)


def test_what_code_makes_can_be_checked_alike():
    with pytest.raises(UserError, match="steps must be at least 1"):
        check_own_settings(Settings(steps=0))


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("command", NAMED)
def test_a_runs_name_stays_in_its_folder(command, name):
    cls = settings_of(command)
    with pytest.raises(UserError, match="name must (name a folder|be without)") as caught:
        to_dataclass(load_config(command, [*NAMED[command], f"name={name}"]), cls)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bailandos_too(name):
    from dance_model.bailando.train_bailando import TrainBailandoConfig

    with pytest.raises(UserError, match="name must"):
        read_options([f"name={name}"], TrainBailandoConfig)


@pytest.mark.parametrize("name", ["2024_11_26", "it's #1", "canción", "sweep/lr=1e-4", "a..b", "...", ".hidden"])
def test_other_names_are_fine(name):
    cls = settings_of("finetune")
    assert to_dataclass(load_config("finetune", [f"name={name}"]), cls).name == name


def numbers(cls: type) -> list[str]:
    hints = typing.get_type_hints(cls)
    return [f.name for f in dataclasses.fields(cls) if hints[f.name] in (float, float | None)]


@pytest.mark.parametrize("command", SETTINGS)
def test_no_command_takes_what_is_not_a_number(command):
    cls = settings_of(command)
    names = {field.name for field in dataclasses.fields(cls)}
    texts = ("music", "out", "motions", "source", "checkpoint", "name", "motion_save_root", "ckpt_root")
    given = [f"{key}=x.pt" for key in texts if key in names] + (["epoch=1"] if "epoch" in names else [])
    content = load_config(command, given)
    to_dataclass(content, cls)
    for key in numbers(cls):
        for value in (math.nan, math.inf, -math.inf):
            with pytest.raises(UserError, match=f"{key} must be "):
                to_dataclass(content | {key: value}, cls)


@pytest.mark.parametrize("argument", [
    "max_grad_norm=-1", "n_steps=1", "seed=-1", "ema_decay=7", "learning_rate=nan", "seed=1e30", "epochs=0.5",
    "device=tpu", "direct.min_time=-1", "direct.optimiser_steps=0", "reward_weights={imitation: nan}",
])
def test_a_program_says_so_in_one_sentence(argument):
    cls = settings_of("finetune")
    key, value = argument.split("=", 1)
    with pytest.raises(UserError, match=key) as caught:
        to_dataclass(load_config("finetune", [argument]), cls)
    assert "\n" not in str(caught.value)


def test_booleans_are_not_numbers():
    Limits(minimum=5).check(True, "flag")
