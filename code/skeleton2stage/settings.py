"""What a setting means and may be, declared once where its dataclass has it, and the one check of all of them."""

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, TypeVar

from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.outputs import check_output

Config = TypeVar("Config")
LARGEST_SEED = 2**32 - 1  # numpy's
_KEY = "setting"


@dataclass(frozen=True)
class Limits:
    """What a setting means, and what values it takes; of a list or a mapping, what each of its values may be.

    help: what it means, with its unit, for `--help`. minimum, maximum: bounds that are allowed themselves. above,
    below: bounds that are not. infinite: whether infinity is allowed; NaN never is. choices: the known names. length:
    of a list. rising: whether each value of a list must be larger than the one before. rule: returns what is wrong with
    a value, as the end of "NAME must …", or None. called: what the setting holds, for errors; its name if empty. why:
    the reason. may_change: whether a run that goes on may have another value, as it changes how the run goes and not
    what comes of it (rounding apart); or a function of the dataclass that has the setting. What says nothing may not.
    """

    help: str = ""
    minimum: float = -math.inf
    maximum: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    infinite: bool = False
    choices: tuple[str, ...] = ()
    length: int | None = None
    rising: bool = False
    rule: Callable[[Any], str | None] | None = None
    called: str = ""
    why: str = ""
    may_change: bool | Callable[[Any], bool] = False

    def check(self, value: Any, key: str) -> None:  # noqa: ANN401 - settings are of many types
        """Raise UserError that names the key and what it may be, where a value is something else."""
        if self.length is not None and value is not None and len(value) != self.length:
            raise UserError(f"{key} must be {self.length} values, not {list(value)}")
        if self.rising and any(earlier >= later for earlier, later in pairwise(value)):
            raise UserError(f"{key} must rise from one value to the next, not {list(value)}")
        for item in _items(value):
            if isinstance(item, int | float) and not isinstance(item, bool):
                self._check_number(item, key)
            if self.choices and item not in self.choices:
                raise unknown_name(self.called or key, str(item), list(self.choices))
            wrong = self.rule(item) if self.rule else None
            if wrong:
                raise UserError(f"{key} must {wrong}, not {item!r}")

    def described(self) -> str:
        """Return what values may be, as `--help` has it; nothing of choices that its text names already."""
        named = all(re.search(rf"(?<!\w){re.escape(choice)}(?!\w)", self.help) for choice in self.choices)
        choices = "" if named else f"one of {', '.join(self.choices)}"
        length = "" if self.length is None else f"{self.length} values"
        return ", ".join(part for part in (choices, length, self._bounds()) if part)

    def _check_number(self, value: float, key: str) -> None:
        inside = self.minimum <= value <= self.maximum and (value > self.above or self.above == -math.inf)
        inside = inside and (value < self.below or self.below == math.inf)
        if not inside or not (isinstance(value, int) or math.isfinite(value) or self.infinite):
            reason = f": {self.why}" if self.why else ""
            raise UserError(f"{key} must be {self._bounds() or 'a finite number'}, not {str(value)[:60]}{reason}")

    def _bounds(self) -> str:
        if math.isfinite(self.minimum) and math.isfinite(min(self.maximum, self.below)):
            upper = f"{self.maximum:.12g}" if math.isfinite(self.maximum) else f"under {self.below:.12g}"
            return f"from {self.minimum:.12g} to {upper}"
        bounds = (("at least", self.minimum), ("above", self.above), ("at most", self.maximum), ("under", self.below))
        return " and ".join(f"{words} {bound:.12g}" for words, bound in bounds if math.isfinite(bound))


def setting(
    help_text: str,
    *,
    default: Any = MISSING,  # noqa: ANN401 - as dataclasses.field
    default_factory: Any = MISSING,  # noqa: ANN401 - as dataclasses.field
    **limits: Any,  # noqa: ANN401 - those of Limits
) -> Any:  # noqa: ANN401 - stands for a value of the field's type
    """Return a dataclass field with its help, its default if it has one, and `Limits`."""
    metadata = {_KEY: Limits(help_text, **limits)}
    return dataclasses.field(default=default, default_factory=default_factory, metadata=metadata)


def limits_of(field: dataclasses.Field) -> Limits:
    """Return what a dataclass says of one of its fields; where it is no setting, only that numbers are finite."""
    return field.metadata.get(_KEY, Limits())


def check_settings(values: Mapping[str, Any], cls: type, where: str = "") -> None:
    """Raise UserError for the first of a dataclass' values that is outside its limits; `where` comes before its name.

    Numbers of fields that declare nothing must be finite.
    """
    for field in dataclasses.fields(cls):
        if field.name in values:
            limits_of(field).check(values[field.name], f"{where}{field.name}")


def check_own_settings(instance: Any) -> None:  # noqa: ANN401 - any dataclass
    """Check a dataclass that code makes too, not `to_dataclass` alone: for its `__post_init__`."""
    check_settings(vars(instance), type(instance))


def part_of(instance: Any, cls: type[Config]) -> Config:  # noqa: ANN401 - any dataclass
    """Return the settings that a dataclass inherits from another as an instance of that one alone."""
    return cls(**{field.name: getattr(instance, field.name) for field in dataclasses.fields(cls)})


def run_name(name: str) -> str | None:
    """Return why a run must not have this name, which becomes a folder; None where it may."""
    parts = name.split("/")
    if not name.strip() or any(part in ("", ".", "..") for part in parts) or PurePosixPath(name).is_absolute():
        return "name a folder of its own, without empty parts, '.' and '..', and not begin with '/'"
    if not name.isprintable():
        return "be without line breaks and other characters that do not print"
    return None


def run_name_setting(help_text: str, **default: Any) -> Any:  # noqa: ANN401 - stands for the text
    """Return the field of a run's name, which becomes a folder under `runs/`; a run whose folder is renamed goes on."""
    return setting(help_text, rule=run_name, may_change=True, **default)


def output_setting(help_text: str, **default: Any) -> Any:  # noqa: ANN401 - stands for the path
    """Return the field of a file or folder that a command writes, which is tried before its work begins."""
    return setting(help_text, rule=check_output, **default)


def may_change(owner: Any, field: dataclasses.Field) -> bool:  # noqa: ANN401 - any dataclass
    """Return whether a run that goes on may have another value of a field of its settings."""
    allowed = limits_of(field).may_change
    return allowed(owner) if callable(allowed) else allowed


def seed_setting(help_text: str, **default: Any) -> Any:  # noqa: ANN401 - stands for the number
    """Return the field of a seed: what torch and numpy both take."""
    return setting(help_text, minimum=0, maximum=LARGEST_SEED, **default)


def _items(value: Any) -> Iterator[Any]:  # noqa: ANN401 - settings are of many types
    """Yield the values of a setting: itself, or those in a list or mapping; none of None and of other dataclasses."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _items(item)
    elif value is not None and not dataclasses.is_dataclass(value):
        yield value
