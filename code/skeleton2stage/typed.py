"""What is typed as `key=value`, read by the type of the setting it is for, so that it arrives as typed.

Text and paths are taken literally, to the last apostrophe. Numbers, true and false are read as such; null stands for
nothing where a setting may have none (a file of that name is ./null). Lists are [A,B], whose items are split at commas
alone: one with a comma, or with spaces at an end, stands in quotes, ["A, live.json",B.json], in which a doubled quote
is one. A list's only item may be given without brackets. Mappings are YAML, {imitation: 1.0}.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from skeleton2stage.errors import UserError, unknown_name

NULL = "null"
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_LINE = 10**6  # characters, more than any mapping has
_SCALARS = (str, Path, int, float, bool)


def split_argument(argument: str) -> tuple[str, str]:
    """Return key and value of `key=value`; raise UserError for anything else."""
    key, sign, value = argument.partition("=")
    if not sign or not key:
        raise UserError(f"'{argument}' is not of the form key=value (see --help)")
    return key, value


def read_value(text: str, hint: Any, key: str) -> Any:  # noqa: ANN401 - the types are data here
    """Return a value of a type as plain data: text (paths too), numbers, booleans, None, lists and dicts.

    Raises UserError that names the key, the value and what is allowed.
    """
    inner = without_none(hint)
    if inner is not hint and text == NULL:
        return None
    if inner in _SCALARS:
        return _scalar(text, inner, key)
    if typing.get_origin(inner) is tuple and typing.get_args(inner)[0] in _SCALARS:
        item = typing.get_args(inner)[0]
        return [_scalar(part, item, key) for part in split_list(text, key)]
    return _from_tree(_yaml_tree(text, key), inner, key)


def as_typed(value: Any) -> str:  # noqa: ANN401 - settings are of many types
    """Return plain data as one types it: what `read_value` reads as the same."""
    if isinstance(value, Mapping) or isinstance(value, list) and any(isinstance(one, list | Mapping) for one in value):
        return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=_LINE).strip()
    if isinstance(value, list):
        return f"[{','.join(_item(as_typed(one)) for one in value)}]"
    if value is None or isinstance(value, bool):
        return {None: NULL, True: "true", False: "false"}[value]
    return str(value)


def _item(text: str) -> str:
    """Return an item of a list, in quotes where it could be taken for something else."""
    plain = text and text == text.strip() and text[0] not in "'\"" and "," not in text
    return text if plain else '"' + text.replace('"', '""') + '"'


def without_none(hint: Any) -> Any:  # noqa: ANN401 - the types are data here
    """Return the type that an optional one stands for, any other unchanged."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(choice for choice in typing.get_args(hint) if choice is not type(None))
    return hint


def split_list(text: str, key: str) -> list[str]:
    """Return the items of [A,B], or the one item that text without brackets is."""
    if not (text.startswith("[") and text.endswith("]") and len(text) > 1):
        if not text:
            raise UserError(f"'{key}' must be a list such as [A,B], or [] for none, not empty")
        return [text]
    rest, items = text[1:-1].strip(), []
    while rest:
        item, rest, more = _first_item(rest, text, key)
        items.append(item)
        if more and not rest:
            raise UserError(f"'{key}' must be a list such as [A,B], and {text!r} ends in a comma")
    return items


def _first_item(rest: str, text: str, key: str) -> tuple[str, str, bool]:
    """Return the first item of a list, what comes after its comma, and whether there is a comma."""
    if rest[0] in "'\"":
        quoted = _quoted(rest)
        if quoted is not None:
            item, rest = quoted
            if rest and rest[0] != ",":
                raise UserError(f"'{key}' must be a list such as [A,B], and {text!r} lacks a comma before {rest!r}")
            return item, rest[1:].lstrip(), bool(rest)
    item, comma, rest = rest.partition(",")
    if not item.strip():
        raise UserError(f"'{key}' must be a list such as [A,B], and an item of {text!r} is empty")
    return item.strip(), rest.lstrip(), bool(comma)


def _quoted(text: str) -> tuple[str, str] | None:
    """Return what stands in the quotes that text begins with, and what follows; None where they do not close.

    They close before a comma or at the end alone: an apostrophe within a name is one.
    """
    quote, end = text[0], 1
    while end < len(text):
        if text.startswith(2 * quote, end):
            end += 2
        elif text[end] == quote and text[end + 1 :].lstrip()[:1] in ("", ","):
            return text[1:end].replace(2 * quote, quote), text[end + 1 :].lstrip()
        else:
            end += 1
    return None


def _scalar(text: str, hint: type, key: str) -> Any:  # noqa: ANN401 - the types are data here
    if hint is Path and (not text or "\0" in text):
        raise UserError(f"'{key}' must be a path, not {text!r}")
    if hint in (str, Path):
        return text
    if hint is bool:
        if text.lower() not in _TRUE + _FALSE:
            raise UserError(f"'{key}' must be true or false, not {text!r}")
        return text.lower() in _TRUE
    return _number(text, hint, key)


def _number(text: str, hint: type, key: str) -> float:
    try:
        if hint is float:
            return float(text)
        number = float(text)
        return int(text) if set(text.strip()) <= set("+-_0123456789") else _whole(number)
    except (ValueError, OverflowError):
        kind = "a whole number" if hint is int else "a number"
        raise UserError(f"'{key}' must be {kind}, not {text!r}") from None


def _whole(number: float) -> int:
    if not number.is_integer():
        raise ValueError(number)
    return int(number)


def _yaml_tree(text: str, key: str) -> Any:  # noqa: ANN401 - lists, dicts and text
    """Return YAML as lists and dicts of text: what the text stands for is the setting's to say."""
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes nothing but text, lists and dicts
    except (yaml.YAMLError, RecursionError):
        raise UserError(f"'{key}' must be a list or mapping such as [A,B] or {{A: 1}}, not {text!r}") from None


def _from_tree(node: Any, hint: Any, key: str) -> Any:  # noqa: ANN401 - the types are data here
    inner = without_none(hint)
    if inner is not hint and node == NULL:
        return None
    if inner in _SCALARS:
        if not isinstance(node, str):
            raise UserError(f"'{key}' must be one value, not {node!r}")
        return _scalar(node, inner, key)
    if typing.get_origin(inner) is tuple:
        if not isinstance(node, list):
            raise UserError(f"'{key}' must be a list such as [A,B], not {node!r}")
        return [_from_tree(item, typing.get_args(inner)[0], key) for item in node]
    if not isinstance(node, dict):
        raise UserError(f"'{key}' must be a mapping such as {{A: 1}}, not {node!r}")
    pairs = [_pair(name, value) for name, value in node.items()]
    return {name: _from_tree(value, field_type(inner, name, key), f"{key}.{name}") for name, value in pairs}


def _pair(name: Any, value: Any) -> tuple[str, Any]:  # noqa: ANN401 - nodes of YAML
    """Return an entry of a mapping; {A:1}, without the space that YAML wants, is one too."""
    if value == "" and isinstance(name, str) and ":" in name:
        return tuple(name.split(":", 1))
    return str(name), value


def field_type(hint: Any, name: str, where: str) -> Any:  # noqa: ANN401 - the types are data here
    """Return the type of an entry of a mapping or a dataclass; raise UserError that lists a dataclass' fields."""
    if typing.get_origin(hint) is dict:
        return typing.get_args(hint)[1]
    known = [field.name for field in dataclasses.fields(hint)] if dataclasses.is_dataclass(hint) else []
    if name not in known:
        full = f"{where}.{name}" if where else name
        raise unknown_name("key", full, known) if known else UserError(f"unknown key '{full}': '{where}' has no parts")
    return typing.get_type_hints(hint)[name]
