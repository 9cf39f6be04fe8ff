"""From `key=value` on a command line to frozen dataclasses: the only place that knows Hydra.

Hydra composes files: configs/NAME.yaml and the preset laid over it. What is typed never meets its grammar: it is read
by the type of its setting (`skeleton2stage.typed`). Paths in those files are relative to the repository, paths that are
typed are relative to the folder the command is started in (`skeleton2stage.paths`).
"""

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from skeleton2stage import paths
from skeleton2stage.commands import settings_of
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.files import write_text
from skeleton2stage.settings import check_settings
from skeleton2stage.typed import field_type, read_value, split_argument, without_none

Config = TypeVar("Config")
PRESET = "preset"
PROTOCOL = "protocol"  # the same, as papers call the settings of an evaluation
_MISSING = "???"
_SHOWN = 80  # characters of a wrong value
_CONVERTERS = {int: int, float: float, str: str, bool: bool, Path: lambda value: Path(value).expanduser()}
_HOW_TO_TYPE = """
Text and paths arrive as typed (to your shell, quote spaces and the like); null: nothing. Paths that you give are
relative to your folder, those in the files above to the project's. Lists: [A,B], items with commas in quotes, as in
'["A, live.json",B.json]'. Mappings: '{A: 1, B: 2}', or one entry as KEY.A=1.
"""


def help_wanted(arguments: list[str]) -> bool:
    """Return whether the command line asks for help."""
    return any(argument in ("-h", "--help") for argument in arguments)


def help_text(usage: str, name: str) -> str:
    """Return a usage line followed by the commented configuration file, which explains every key."""
    source = (paths.configs() / f"{name}.yaml").read_text(encoding="utf-8")
    return f"usage: {usage}\n\nKeys and their defaults (give any of them as key=value):\n\n{source}{_HOW_TO_TYPE}"


def load_config(name: str, arguments: list[str]) -> dict[str, Any]:
    """Compose configs/NAME.yaml and lay what is typed over it; raise UserError for a key it does not have.

    `preset=P`, or `protocol=P`, lays configs/NAME/P.yaml over it first, where the configuration has presets. Returns
    plain data; paths that are typed stay as typed, those of the files are absolute.
    """
    given = [split_argument(argument) for argument in arguments]
    preset = next((value for key, value in reversed(given) if _names_preset(key, name)), None)
    content = _compose(name, preset)
    classes = settings_of(name)
    for cls in classes:
        _anchor(content, cls)
    typed = set()
    for key, text in given:
        if not _names_preset(key, name):
            _lay(content, key, text, classes)
            typed.add(key)
    missing = sorted(key for key, value in content.items() if value == _MISSING and key not in typed)
    if missing:
        raise UserError(f"give {' and '.join(f'{key}=…' for key in missing)} (see --help)")
    return content


def read_options(arguments: list[str], cls: type[Config]) -> Config:
    """Return a dataclass of plain `key=value` arguments, its own defaults where none is given.

    For commands without a configuration file. Raises UserError that names the key for an unknown or ill-typed one.
    """
    content: dict[str, Any] = {}
    for argument in arguments:
        _lay(content, *split_argument(argument), (cls,))
    return to_dataclass(content, cls)


def _names_preset(key: str, name: str) -> bool:
    """Return whether a key chooses a preset, of a configuration that has some."""
    return key in (PRESET, PROTOCOL) and bool(presets(name))


def presets(name: str) -> list[str]:
    """Return the presets of a configuration: the files of the folder configs/NAME."""
    return sorted(file.stem for file in (paths.configs() / name).glob("*.yaml"))


def _compose(name: str, preset: str | None) -> dict[str, Any]:
    """Return the content of configs/NAME.yaml with a preset laid over it, the default one where None is given."""
    if preset is not None and preset not in presets(name):
        raise unknown_name(PRESET, preset, presets(name))
    chosen = [] if preset is None else [f"{name}@_global_={preset}"]
    try:
        with initialize_config_dir(str(paths.configs()), version_base=None):
            config = compose(name, overrides=chosen)
        return OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    except (MissingConfigException, ConfigCompositionException, OmegaConfBaseException) as error:
        line = str(error).strip().splitlines()[0]
        raise UserError(f"configs/{name}.yaml or one of its presets cannot be read: {line}") from None


def _lay(content: dict[str, Any], key: str, text: str, classes: tuple[type, ...]) -> None:
    """Put what is typed in the place of a key, such as `losses.foot`, whose type says how to read it."""
    name, _, rest = key.partition(".")
    hint, place, where = _first_type(name, classes), content, name
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


def _first_type(name: str, classes: tuple[type, ...]) -> Any:  # noqa: ANN401 - the types are data here
    hints = {field.name: typing.get_type_hints(cls)[field.name] for cls in classes for field in dataclasses.fields(cls)}
    if name not in hints:
        raise unknown_name("key", name, list(hints))
    return hints[name]


def _merge(content: dict[str, Any], given: dict[str, Any]) -> None:
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(content.get(key), dict):
            _merge(content[key], value)
        else:
            content[key] = value


def _anchor(content: dict[str, Any], cls: type) -> None:
    """Make paths of the configuration's own files absolute: these are the project's."""
    for name, hint in typing.get_type_hints(cls).items():
        value = content.get(name)
        if without_none(hint) is Path and isinstance(value, str) and value != _MISSING:
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
    write_text(path, head + yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True))


def _plain(value: Any) -> Any:  # noqa: ANN401 - data of any depth
    if dataclasses.is_dataclass(value):
        value = vars(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value.absolute()) if isinstance(value, Path) else value
