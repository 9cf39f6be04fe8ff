"""Whether a run that goes on is the run that was begun: its settings, kept with its state, against those given now.

Every setting counts as one that changes the result unless its dataclass declares `may_change`. A file or folder that a
setting names counts by its content: a checkpoint that has moved is the same, one written anew under its name is not.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from skeleton2stage.errors import UserError
from skeleton2stage.settings import may_change
from skeleton2stage.typed import as_typed

_CONTENT, _PATH = "content", "path"
_MISSING = "missing"
_PROCESSES = "number of processes"
_SHOWN = 6  # a preset stands for dozens of settings
_BESIDE = (".safetensors", ".json")  # what belongs to a checkpoint, whichever of its files is named


class RunSettings:
    """A run's settings as plain values by their dotted names, and what was changed in them when the run went on.

    configs: dataclasses whose settings they are, the one that people type first. changes: a line for each time that a
    run went on with other settings than before.
    """

    def __init__(self, *configs: Any, processes: int = 1) -> None:  # noqa: ANN401 - any dataclass
        found = [setting for config in configs for setting in _flat(config)]
        self.values = {name: value for name, value, _ in found} | {_PROCESSES: processes}
        self.free = {name for name, _, free in found if free} | {_PROCESSES}
        self.changes: list[str] = []

    def state(self) -> dict[str, Any]:
        """Return what a run's state keeps."""
        return {"values": self.values, "changes": self.changes}

    def go_on_from(self, kept: Mapping[str, Any] | None, run: Path) -> None:
        """Take up the changes so far, and add those that there are now.

        Raises UserError that names the settings which differ from those of a kept state and change the result.
        """
        if kept is None:
            raise UserError(
                f"{run} was begun by a version that did not keep its settings, so that nobody knows whether these are "
                "the same: give another name, and another run begins"
            )
        before = kept["values"]
        changed = [name for name in {**before, **self.values} if not self._same(before, name)]
        refused = [name for name in changed if name not in self.free]
        if refused:
            raise UserError(_refusal(run, before, self.values, refused))
        self.changes = list(kept["changes"])
        names = [name for name in changed if name in before]  # others are new in this version, and may change
        if names:
            now = ", ".join(f"{name}={_typed(self.values[name])} (before: {_typed(before[name])})" for name in names)
            self.changes.append(now)

    def _same(self, before: Mapping[str, Any], name: str) -> bool:
        if name not in before or name not in self.values:
            return False
        return _alike(before[name], self.values[name])


def _alike(old: Any, new: Any) -> bool:  # noqa: ANN401 - settings are of many types
    """Return whether two plain values mean the same: files, in lists too, by their content."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_alike, old, new))
    if _is_place(old) and _is_place(new) and _MISSING not in (old[_CONTENT], new[_CONTENT]):
        return old[_CONTENT] == new[_CONTENT]
    return old == new


def _refusal(run: Path, before: Mapping[str, Any], now: Mapping[str, Any], names: list[str]) -> str:
    differences = []
    for name in names[:_SHOWN]:
        old, new = before.get(name), now.get(name)
        if name not in before or name not in now:
            differences.append(
                f"without {name}, which is new in this version" if name not in before
                else f"with {name}, which is no more in this version"
            )
        elif _is_place(old) and _is_place(new) and old[_PATH] == new[_PATH]:
            differences.append(f"with {name}={_typed(old)} as it was then: its content has changed")
        else:
            differences.append(f"with {name}={_typed(old)}, not {_typed(new)}")
    if len(names) > _SHOWN:
        differences.append(f"{len(names) - _SHOWN} more")
    return (
        f"{run} was begun {'; '.join(differences)}; this changes the result: give what it was begun with to go "
        "on, or another name for another run"
    )


def _flat(value: Any, name: str = "", free: bool = False) -> Iterator[tuple[str, Any, bool]]:  # noqa: ANN401 - any data
    """Yield dotted names, plain values, and whether they may change, of a dataclass with all that it holds."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            inner = f"{name}.{field.name}" if name else field.name
            yield from _flat(getattr(value, field.name), inner, free or may_change(value, field))
    elif isinstance(value, list | tuple) and any(dataclasses.is_dataclass(item) for item in value):
        yield f"{name}.count", len(value), free
        for number, item in enumerate(value):
            yield from _flat(item, f"{name}[{number}]", free)
    else:
        yield name, _plain(value, free), free


def _plain(value: Any, free: bool) -> Any:  # noqa: ANN401 - settings are of many types
    if isinstance(value, Path):
        return {_PATH: str(value.absolute()), _CONTENT: "" if free else content_of(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item, free) for key, item in sorted(value.items())}
    return [_plain(item, free) for item in value] if isinstance(value, list | tuple) else value


def content_of(path: Path) -> str:
    """Return what changes with a file's content, a checkpoint's json included, or with a folder's names and sizes."""
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                digest.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0".encode())
        return digest.hexdigest()
    files = [path, *(path.with_suffix(suffix) for suffix in _BESIDE)] if _is_checkpoint(path) else [path]
    found = [file for file in dict.fromkeys(files) if file.is_file()]
    for file in found:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest() if found else _MISSING


def _is_checkpoint(path: Path) -> bool:
    return path.suffix in ("", *_BESIDE) and path.with_suffix(_BESIDE[0]).is_file()


def _is_place(value: Any) -> bool:  # noqa: ANN401 - settings are of many types
    return isinstance(value, Mapping) and set(value) == {_PATH, _CONTENT}


def _typed(value: Any) -> str:  # noqa: ANN401 - settings are of many types
    """Return a plain value as one would type it."""
    return value[_PATH] if _is_place(value) else as_typed(value)
