"""What `--help` prints: a command's settings with defaults, meaning and range, as their dataclass declares them."""

import dataclasses
import inspect
import shutil
import textwrap
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from skeleton2stage.commands import settings_of
from skeleton2stage.config import composed, defaults
from skeleton2stage.presets import PRESET, chosen_preset, presets, purpose
from skeleton2stage.settings import limits_of
from skeleton2stage.typed import as_typed, split_argument, without_none

_NARROWEST, _WIDTH, _WIDEST = 70, 120, 150  # columns: at least, where there is no terminal, and at most
_COLUMN = 36  # where explanations begin at the latest
_NO_BREAK = "\N{NO-BREAK SPACE}"
_HOW_TO_TYPE = """\
Text and paths arrive as typed (to your shell, quote spaces and the like); null: nothing. Paths that you give are
relative to your folder, those above to the project's. Lists: [A,B], items with commas in quotes, as in
'["A, live.json",B.json]'. Mappings: '{A: 1, B: 2}', or one entry as KEY.A=1."""


def help_wanted(arguments: list[str]) -> bool:
    """Return whether the command line asks for help."""
    return any(argument in ("-h", "--help") for argument in arguments)


def help_text(usage: str, name: str, arguments: list[str]) -> str:
    """Return the help of a command: usage, purpose, presets, and every key with its value under the chosen preset.

    arguments: the command line; of it a preset counts, `--help preset=P`.
    """
    preset = chosen_preset(name, [split_argument(argument) for argument in arguments if "=" in argument])
    keys = "Keys and their defaults" if preset is None else f"Keys and their values with {PRESET}={preset}"
    return _page(usage, settings_of(name), composed(name, preset), _presets(name), keys)


def options_help(usage: str, cls: type) -> str:
    """Return the help of a command without presets, whose settings are a dataclass' alone."""
    return _page(usage, cls, defaults(cls), "", "Keys and their defaults")


def _page(usage: str, cls: type, content: Mapping[str, Any], about_presets: str, keys: str) -> str:
    about = "\n".join(textwrap.wrap(_first_sentence(cls), _width()))
    groups = [_group(title, list(lines)) for title, lines in _groups(cls, content)]
    listed = f"{keys} (give any of them as key=value):\n\n" + "\n\n".join(groups)
    return "\n\n".join(part for part in (f"usage: {usage}", about, about_presets, listed, _HOW_TO_TYPE) if part)


def _presets(name: str) -> str:
    lines = [(f"{PRESET}={preset}", purpose(name, preset)) for preset in presets(name)]
    return _group("Presets:", lines) if lines else ""


def _first_sentence(cls: type) -> str:
    """Return the first paragraph of a docstring as one line: what its settings are for."""
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


def _groups(cls: type, content: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """Yield titles and entries: a dataclass' own settings, those it shares with others, and those with parts."""
    shown = {field.name: field for field in dataclasses.fields(cls)}
    parts = {name: part for name, field in shown.items() if (part := _parts_of(cls, field))}
    left = [name for name in shown if name not in parts]
    for owner in _owners(cls):
        own = [shown[name] for name in left if name in inspect.get_annotations(owner)]
        left = [name for name in left if shown[name] not in own]
        if own:
            title = "" if owner is cls else f"# {_first_sentence(owner)}"
            yield title, (_entry(field, field.name, content) for field in own)
    for name, part in parts.items():
        yield f"# {name}: {limits_of(shown[name]).help}", _nested(part, name, content.get(name))


def _owners(cls: type) -> list[type]:
    """Return a dataclass and those it inherits settings from."""
    return [owner for owner in cls.__mro__ if dataclasses.is_dataclass(owner)]


def _parts_of(cls: type, field: dataclasses.Field) -> type | None:
    """Return the dataclass that a setting, or each item of a list, is; None for plain ones."""
    hint = without_none(typing.get_type_hints(cls)[field.name])
    item = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
    return item if dataclasses.is_dataclass(item) else None


def _nested(part: type, where: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain data
    """Yield the entries of a setting with parts; a list's as a whole, then what each of its items has."""
    if isinstance(value, list):
        yield f"{where}={as_typed(value)}", "each of them with"
    for field in sorted(dataclasses.fields(part), key=lambda field: _parts_of(part, field) is not None):
        name, inner = f"{where}.{field.name}", _parts_of(part, field)
        if isinstance(value, list):
            yield f"  {field.name}", _explained(field)
        elif inner:
            yield f"{name}.*", limits_of(field).help
            yield from _nested(inner, name, value[field.name])
        else:
            yield _entry(field, name, value)


def _entry(field: dataclasses.Field, name: str, content: Mapping[str, Any]) -> tuple[str, str]:
    if field.name not in content:
        return f"{name}=…", f"to be given: {_explained(field)}"
    return f"{name}={as_typed(content[field.name])}", _explained(field)


def _explained(field: dataclasses.Field) -> str:
    limits = limits_of(field)
    bounds = limits.described()
    bounds = bounds.replace(" ", _NO_BREAK) if len(bounds) < _COLUMN else bounds
    return f"{limits.help} [{bounds}]" if bounds else limits.help


def _group(title: str, entries: list[tuple[str, str]]) -> str:
    """Return entries below a title, explanations in a column; under what is too long for it."""
    column = min(_COLUMN, max(len(entry) for entry, _ in entries) + 2)
    lines = textwrap.wrap(title, _width(), subsequent_indent="# ")
    for entry, explanation in entries:
        wrapped = textwrap.wrap(explanation, _width() - column, break_on_hyphens=False)
        fits = len(entry) + 2 <= column
        head = f"{entry:<{column}}{wrapped.pop(0)}" if fits and wrapped else entry
        lines += [head, *(" " * column + line for line in wrapped)]
    return "\n".join(lines).replace(_NO_BREAK, " ")


def _width() -> int:
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDTH, 0)).columns))
