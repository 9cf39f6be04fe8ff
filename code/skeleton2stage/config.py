"""From `key=value` on a command line to frozen dataclasses, which declare what settings there are and their defaults.

What is typed lies over a preset (`skeleton2stage.presets`), and that over the dataclass' defaults. It is read by the
type of its setting (`skeleton2stage.typed`). Paths among defaults and in presets are relative to the repository, paths
that are typed are relative to the folder the command is started in (`skeleton2stage.paths`).
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from skeleton2stage import paths
from skeleton2stage.commands import settings_of
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_text
from skeleton2stage.presets import chosen_preset, names_preset, read_preset
from skeleton2stage.settings import check_settings
from skeleton2stage.typed import field_type, read_value, split_argument, without_none

Config = TypeVar("Config")
_SHOWN = 80  # characters of a wrong value
_CONVERTERS = {int: int, float: float, str: str, bool: bool, Path: lambda value: Path(value).expanduser()}


def load_config(name: str, arguments: list[str]) -> dict[str, Any]:
    """Lay what is typed over a command's preset and defaults; raise UserError for a key it does not have.

    `preset=P`, or `protocol=P`, chooses the preset, where the command has some. Returns plain data with every key;
    paths that are typed stay as typed, all others are absolute.
    """
    cls, given = settings_of(name), [split_argument(argument) for argument in arguments]
    content = composed(name, chosen_preset(name, given))
    _anchor(content, cls)
    for key, text in given:
        if not names_preset(key, name):
            _lay(content, key, text, cls)
    missing = [field.name for field in dataclasses.fields(cls) if field.name not in content]
    if missing:
        raise UserError(f"give {' and '.join(f'{key}=…' for key in missing)} (see --help)")
    return content


def composed(name: str, preset: str | None) -> dict[str, Any]:
    """Return a command's defaults with a preset laid over them, as plain data without the keys that must be given."""
    cls = settings_of(name)
    content = defaults(cls)
    if preset is not None:
        laid = read_preset(name, preset)
        _check_keys(laid, cls, f"configs/{name}/{preset}.yaml")
        _merge(content, laid)
    return content


def defaults(cls: type) -> dict[str, Any]:
    """Return the defaults of a dataclass' settings as plain data; those without one are left out."""
    content = {}
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            content[field.name] = _plain(field.default, paths.shown)
        elif field.default_factory is not dataclasses.MISSING:
            content[field.name] = _plain(field.default_factory(), paths.shown)
    return content


def read_options(arguments: list[str], cls: type[Config]) -> Config:
    """Return a dataclass of plain `key=value` arguments, its own defaults where none is given.

    For commands without presets. Raises UserError that names the key for an unknown or ill-typed one.
    """
    content = defaults(cls)
    _anchor(content, cls)
    for argument in arguments:
        _lay(content, *split_argument(argument), cls)
    return to_dataclass(content, cls)


def _lay(content: dict[str, Any], key: str, text: str, cls: type) -> None:
    """Put what is typed in the place of a key, such as `losses.foot`, whose type says how to read it."""
    name, _, rest = key.partition(".")
    hint, place, where = field_type(cls, name, ""), content, name
    while rest:
        hint = without_none(hint)
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
        # Entries of a mapping may have dots in their names, as rewards of one's own have.
        name, rest = (rest, "") if typing.get_origin(hint) is dict else rest.partition(".")[::2]
        hint, where = field_type(hint, name, where), f"{where}.{name}"
    value = read_value(text, hint, key)
    if isinstance(value, dict) and isinstance(place.get(name), dict) and dataclasses.is_dataclass(hint):
        _merge(place[name], value)
    else:
        place[name] = value


def _check_keys(content: Mapping[str, Any], hint: Any, file: str, where: str = "") -> None:  # noqa: ANN401 - a type
    """Raise UserError that names the file where a key, at any depth, is none of the settings'."""
    for key, value in content.items():
        try:
            inner = without_none(field_type(hint, key, where))
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
        if isinstance(value, Mapping) and dataclasses.is_dataclass(inner):
            _check_keys(value, inner, file, f"{where}.{key}" if where else key)


def _merge(content: dict[str, Any], given: dict[str, Any]) -> None:
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(content.get(key), dict):
            _merge(content[key], value)
        else:
            content[key] = value


def _anchor(content: dict[str, Any], cls: type) -> None:
    """Make paths among defaults and in presets absolute: these are the project's."""
    for name, hint in typing.get_type_hints(cls).items():
        value = content.get(name)
        if without_none(hint) is Path and isinstance(value, str):
            content[name] = str(paths.of_project(Path(value).expanduser()))


def to_dataclass(config: Mapping[str, Any], cls: type[Config], where: str = "") -> Config:
    """Return a frozen dataclass filled from a mapping of exactly its fields, converted to their types.

    Raises UserError that names the key for a missing or unknown one, and for one of another type or out of its range.
    """
    if where and not isinstance(config, Mapping):
        raise UserError(f"'{where.rstrip('.: ')}' must be a mapping of keys to values, not {_short(config)}")
    config, hints = dict(config), typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in config:
        if key not in fields:
            raise UserError(f"unknown key '{where}{key}': choose one of {', '.join(sorted(fields))}")
    values = {}
    for name, field in fields.items():
        if name in config:
            values[name] = _convert(config[name], hints[name], f"{where}{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise UserError(f"missing key '{where}{name}'")
    check_settings(values, cls, where)
    return cls(**values)


def _convert(value: Any, hint: Any, key: str) -> Any:  # noqa: ANN401 - the types are data here
    if dataclasses.is_dataclass(hint):
        return to_dataclass(value, hint, f"{key}.")
    origin, choices = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None and type(None) in choices else _convert(value, without_none(hint), key)
    if origin is tuple:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_convert(item, choices[0], key) for item in items)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise UserError(f"'{key}' must be a mapping of names to values, not {_short(value)}")
        return {str(k): _convert(v, choices[1], f"{key}.{k}") for k, v in value.items()}
    return _convert_scalar(value, hint, key)


def _convert_scalar(value: Any, hint: Any, key: str) -> Any:  # noqa: ANN401 - the types are data here
    if hint in (int, float) and (isinstance(value, bool) or value is None):
        raise UserError(f"'{key}' must be a number, not {_short(value)}")
    if hint is bool and not isinstance(value, bool):
        raise UserError(f"'{key}' must be true or false, not {_short(value)}")
    if hint is int and isinstance(value, float) and not value.is_integer():
        raise UserError(f"'{key}' must be a whole number, not {_short(value)}")
    if hint in (str, Path) and not isinstance(value, str | Path):
        raise UserError(f"'{key}' must be text, not {_short(value)}: in a file, put it in quotes")
    try:
        return _CONVERTERS[hint](value)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"'{key}' must be {_describe(hint)}, not {_short(value)}") from None
    except RuntimeError:  # pathlib's, where ~NAME is nobody's home
        return Path(value)


def _short(value: Any) -> str:  # noqa: ANN401 - data of any depth
    """Return a value as one writes it, cut to what fits in a sentence."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _describe(hint: type) -> str:
    return {int: "a whole number", float: "a number"}.get(hint, f"of type {hint.__name__}")


def save_config(path: Path, config: Any, notes: Sequence[str] = ()) -> None:  # noqa: ANN401 - any dataclass
    """Write a dataclass as YAML, notes above it, its paths absolute, so that a run can be repeated from any folder."""
    head = "".join(f"# {note}\n" for note in notes)
    content = _plain(config, lambda place: str(place.absolute()))
    write_text(path, head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _plain(value: Any, of_path: Callable[[Path], str]) -> Any:  # noqa: ANN401 - data of any depth
    if dataclasses.is_dataclass(value):
        value = vars(value)
    if isinstance(value, Mapping):
        return {key: _plain(item, of_path) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, of_path) for item in value]
    return of_path(value) if isinstance(value, Path) else value
