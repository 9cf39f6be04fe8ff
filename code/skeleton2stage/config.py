"""From `key=value` on a command line to frozen dataclasses: the only place that knows Hydra."""

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from skeleton2stage import paths
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.files import write_text

Config = TypeVar("Config")
_CONVERTERS = {int: int, float: float, str: str, bool: bool, Path: lambda value: Path(str(value)).expanduser()}


def help_wanted(arguments: list[str]) -> bool:
    """Return whether the command line asks for help."""
    return any(argument in ("-h", "--help") for argument in arguments)


def help_text(usage: str, name: str) -> str:
    """Return a usage line followed by the commented configuration file, which explains every key."""
    source = (paths.configs() / f"{name}.yaml").read_text(encoding="utf-8")
    return f"usage: {usage}\n\nKeys and their defaults (give any of them as key=value):\n\n{source}"


def load_config(name: str, overrides: list[str]) -> DictConfig:
    """Compose configs/NAME.yaml with `key=value` overrides; raise UserError for a key it does not have.

    `preset=P` lays configs/NAME/P.yaml over it, where the configuration has presets.
    """
    for override in overrides:
        if "=" not in override:
            raise UserError(f"'{override}' is not of the form key=value (see --help)")
    try:
        with initialize_config_dir(str(paths.configs()), version_base=None):
            config = compose(name, overrides=[_hydra_override(name, override) for override in overrides])
        OmegaConf.resolve(config)
    except MissingConfigException as error:
        raise UserError(f"no such configuration: {_first_line(error)}") from None
    except (ConfigCompositionException, OmegaConfBaseException) as error:
        raise UserError(_explain(error, name, overrides)) from None
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise UserError(f"give {' and '.join(f'{key}=…' for key in missing)} (see --help)")
    return config


def read_options(arguments: list[str], cls: type[Config]) -> Config:
    """Return a dataclass of plain `key=value` arguments, its own defaults where none is given.

    For commands without a configuration file. Raises UserError that names the key for an unknown or ill-typed one.
    """
    for argument in arguments:
        if "=" not in argument:
            raise UserError(f"'{argument}' is not of the form key=value")
    return to_dataclass(OmegaConf.from_dotlist(arguments), cls)


def presets(name: str) -> list[str]:
    """Return the presets of a configuration: the files of the folder configs/NAME."""
    return sorted(file.stem for file in (paths.configs() / name).glob("*.yaml"))


def _hydra_override(name: str, override: str) -> str:
    """Return an override in Hydra's grammar, which trips over paths with spaces or '=' unless quoted."""
    key, value = override.split("=", 1)
    if key == "preset" and presets(name):
        if value not in presets(name):
            raise unknown_name("preset", value, presets(name))
        return f"{name}@_global_={value}"
    plain = value and value[0] in "[{'\"" or not set(value) & set(" =(),:'\"\\$@")
    return override if plain else f"{key}='{value}'".replace("\\", "\\\\")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _explain(error: Exception, name: str, overrides: list[str]) -> str:
    with initialize_config_dir(str(paths.configs()), version_base=None):
        plain = compose(name)
    for override in overrides:
        key = override.split("=", 1)[0].lstrip("+~")
        if key == "preset" and presets(name):
            continue
        node: Any = plain
        for part in key.split("."):
            if not isinstance(node, DictConfig) or part not in node.keys():  # noqa: SIM118 - `in` denies ??? values
                known = sorted(str(k) for k in node) if isinstance(node, DictConfig) else []
                return f"unknown key '{key}': choose one of {', '.join(known)}"
            node = node._get_node(part)
    return f"bad configuration: {_first_line(error)} (given: {' '.join(overrides)})"


def to_dataclass(config: Any, cls: type[Config], where: str = "") -> Config:  # noqa: ANN401 - DictConfig or dict
    """Return a frozen dataclass filled from a mapping of exactly its fields, converted to their types.

    Raises UserError that names the key for a missing, unknown or ill-typed one.
    """
    values = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else dict(config)
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in values:
        if key not in fields:
            raise UserError(f"unknown key '{where}{key}': choose one of {', '.join(sorted(fields))}")
    arguments = {}
    for name, field in fields.items():
        if name in values:
            arguments[name] = _convert(values[name], hints[name], f"{where}{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise UserError(f"missing key '{where}{name}'")
    return cls(**arguments)


def _convert(value: Any, hint: Any, key: str) -> Any:  # noqa: ANN401 - the types are data here
    if dataclasses.is_dataclass(hint):
        return to_dataclass(value, hint, f"{key}.")
    origin, choices = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in choices:
            return None
        return _convert(value, next(choice for choice in choices if choice is not type(None)), key)
    if origin is tuple:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_convert(item, choices[0], key) for item in items)
    if origin is dict:
        return {str(k): _convert(v, choices[1], f"{key}.{k}") for k, v in value.items()}
    return _convert_scalar(value, hint, key)


def _convert_scalar(value: Any, hint: Any, key: str) -> Any:  # noqa: ANN401 - the types are data here
    if hint in (int, float) and (isinstance(value, bool) or value is None):
        raise UserError(f"'{key}' must be a number, not {value!r}")
    if hint is bool and not isinstance(value, bool):
        raise UserError(f"'{key}' must be true or false, not {value!r}")
    if hint is int and isinstance(value, float) and not value.is_integer():
        raise UserError(f"'{key}' must be a whole number, not {value!r}")
    try:
        return _CONVERTERS[hint](value)
    except (TypeError, ValueError):
        raise UserError(f"'{key}' must be {_describe(hint)}, not {value!r}") from None


def _describe(hint: type) -> str:
    return {int: "a whole number", float: "a number"}.get(hint, f"of type {hint.__name__}")


def save_config(path: Path, config: DictConfig) -> None:
    """Write a resolved configuration as YAML, so that a run can be repeated."""
    write_text(path, OmegaConf.to_yaml(config, resolve=True))
