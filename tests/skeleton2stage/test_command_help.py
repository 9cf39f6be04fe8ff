"""`--help`: every setting with its default, its meaning and its range, as it can be typed."""

import dataclasses
import re
import subprocess
import typing
from dataclasses import dataclass
from pathlib import Path

import pytest

from dance_model.bailando.train_bailando import TrainBailandoConfig
from skeleton2stage import paths
from skeleton2stage.command_help import help_text, help_wanted, options_help
from skeleton2stage.commands import SETTINGS, settings_of
from skeleton2stage.config import composed, defaults, read_options
from skeleton2stage.download import DownloadConfig
from skeleton2stage.errors import UserError
from skeleton2stage.presets import presets, purpose
from skeleton2stage.settings import limits_of, setting
from skeleton2stage.typed import as_typed, read_value, without_none

WITHOUT_PRESETS = (TrainBailandoConfig, DownloadConfig)
HELPED = [*SETTINGS, *WITHOUT_PRESETS]


def class_of(what: str | type) -> type:
    return settings_of(what) if isinstance(what, str) else what


def page(what: str | type, *arguments: str) -> str:
    return help_text("x", what, list(arguments)) if isinstance(what, str) else options_help("x", what)


def leaves(cls: type, before: str = "") -> typing.Iterator[tuple[str, dataclasses.Field, typing.Any]]:
    """Yield the dotted names, fields and types of all settings, those in lists of dataclasses as well."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        hint = without_none(hints[field.name])
        item = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
        yield f"{before}{field.name}", field, hints[field.name]
        if dataclasses.is_dataclass(item):
            yield from leaves(item, f"{before}{field.name}.")


def words(text: str) -> str:
    return " ".join(text.replace("\n# ", "\n").split())


@pytest.mark.parametrize("what", HELPED)
def test_every_setting_has_its_meaning(what):
    assert [name for name, field, _ in leaves(class_of(what)) if not limits_of(field).help.strip()] == []


@pytest.mark.parametrize("what", HELPED)
def test_no_setting_has_a_default_or_range_in_words_only(what):
    """Choices that a text lists are those there are: what it says of a number that it may be is said by its range."""
    for name, field, hint in leaves(class_of(what)):
        assert not re.search(r"default(s| is| to)\b", limits_of(field).help), name
        if hint is bool:
            assert not limits_of(field).choices, name


@pytest.mark.parametrize("what", HELPED)
def test_help_has_every_setting_with_its_meaning_and_range(what):
    said = words(page(what))
    for name, field, _ in leaves(class_of(what)):
        limits = limits_of(field)
        assert words(limits.help) in said, name
        assert not limits.described() or f"[{limits.described()}]" in said, name


@pytest.mark.parametrize("what", HELPED)
def test_what_help_prints_can_be_typed(what):
    """Each line's KEY=VALUE is read as the default that it stands for."""
    cls = class_of(what)
    printed = dict(re.findall(r"^([\w.]+)=(\S.*?)(?:  .*)?$", page(what).split("key=value):\n\n")[1], re.MULTILINE))
    known = composed(what, {"eval_checkpoint": "plain"}.get(what, "demo" if presets(what) else None)) if isinstance(
        what, str) else defaults(cls)
    types = {name: hint for name, _, hint in leaves(cls)}
    for name, text in printed.items():
        place = known
        for part in name.split("."):
            place = place.get(part, "to be given") if isinstance(place, dict) else place
        if text == "…":
            assert place == "to be given"
        else:
            assert numbers(read_value(text, types[name], name)) == numbers(place), name
    plain = [name for name, _, hint in leaves(cls) if not dataclasses.is_dataclass(without_none(hint))]
    inner = [name for name in plain if name.rpartition(".")[0] in ("stages",)]
    assert set(printed) == set(plain) - set(inner)


def numbers(value: object) -> object:
    """Return plain data with the numbers in texts as numbers: in lists of mappings, whatever is typed is text first."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    return [numbers(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [name for name in SETTINGS if presets(name)])
def test_presets_are_listed_with_what_they_are_for_and_can_be_looked_at(name):
    said = words(page(name))
    for preset in presets(name):
        assert f"preset={preset} {purpose(name, preset)}" in said
        assert f"values with preset={preset} (" in page(name, "--help", f"preset={preset}")
    with pytest.raises(UserError, match="unknown preset 'fast'"):
        page(name, "preset=fast")


def test_help_under_a_preset_has_its_values():
    assert "\nlearning_rate=1e-06 " in page("finetune", "--help", "preset=paper")
    assert "\nlearning_rate=4e-06 " in page("finetune", "--help")
    assert "\nfoot_lock=true " in page("eval_checkpoint", "protocol=paper", "-h")


def test_pages_are_as_wide_as_a_terminal(monkeypatch):
    for columns, most in ((10, 70), (80, 80), (300, 150)):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = page("features").split("key=value):")[1].split("Text and paths")[0].splitlines()
        assert most - 30 < max(map(len, lines)) <= most


def test_help_wanted():
    assert help_wanted(["a=b", "--help"]) and help_wanted(["-h"]) and not help_wanted(["out=--help"])


def test_scripts_print_the_help_of_a_preset():
    script = paths.REPOSITORY / "code" / "pretrain" / "train.sh"
    done = subprocess.run(["bash", str(script), "--help", "preset=paper"], capture_output=True, text=True)
    assert done.returncode == 0 and "values with preset=paper" in done.stdout, done.stderr


@dataclass(frozen=True)
class Options:
    """A command's.

    This is not shown.
    """

    rate: float = setting("how fast", default=1e-6, above=0, maximum=1)
    kind: str = setting("which", default="a b", choices=("a b", "c"))
    known: str = setting("a, or b", default="a", choices=("a", "b"))
    pair: tuple[float, ...] = setting("two", default=(0.0, 1.0), length=2, minimum=0)
    names: tuple[str, ...] = setting("of files", default=("it's, live", "b", ""))
    place: Path = setting("where", default=paths.REPOSITORY / "README.md")


def test_a_page_line_by_line():
    assert options_help("do", Options).split("\n\n")[:3] == [
        "usage: do", "A command's.", "Keys and their defaults (give any of them as key=value):",
    ]
    assert options_help("do", Options).split("\n\n")[3].splitlines() == [
        "rate=1e-06                 how fast [above 0 and at most 1]",
        "kind=a b                   which [one of a b, c]",
        "known=a                    a, or b",
        "pair=[0.0,1.0]             two [2 values, at least 0]",
        "names=[\"it's, live\",b,\"\"]  of files",
        "place=README.md            where",
    ]
    assert read_options([], Options) == Options()
    assert as_typed(["a,b", " c"]) == '["a,b"," c"]'
