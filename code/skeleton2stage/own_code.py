"""People's own Python, imported by a file's path or by a dotted name, with their errors in one sentence."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from skeleton2stage.errors import UserError

_FILE_MODULE_PREFIX = "own_file_"  # keeps a user's torch.py from standing in for torch


def import_module(name: str, folder: Path, asked_by: str) -> ModuleType:
    """Return a module: a file ending in .py, relative to a folder, or a dotted name, looked for in that folder too.

    Raises UserError, which begins with `asked_by`, with the module's own error in a line.
    """
    if name.endswith(".py"):
        file = folder / Path(name).expanduser()
        if not file.is_file():
            raise UserError(f"{asked_by}: no module file at {file}: the path is relative to {folder}")
        with _folder_on_path(file.parent.resolve()):
            return _guarded(name, folder, asked_by, lambda: _execute(file))
    return _guarded(name, folder, asked_by, lambda: importlib.import_module(name))


def import_class(path: str, base: type, folder: Path, asked_by: str) -> type:
    """Return a class named MODULE:CLASS or package.module.CLASS, MODULE being a file ending in .py or a dotted name.

    Raises UserError where there is none, or none that is a subclass of `base`.
    """
    module_name, class_name, module = _module_of(path, folder, asked_by)
    cls = getattr(module, class_name, None)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise UserError(
            f"{asked_by}: module '{module_name}' has no class '{class_name}' that is a subclass of "
            f"{base.__module__}.{base.__qualname__}"
        )
    return cls


def import_function(path: str, folder: Path, asked_by: str) -> Callable[..., Any]:
    """Return a function named as `import_class` takes names; raise UserError where there is none."""
    module_name, name, module = _module_of(path, folder, asked_by)
    function = getattr(module, name, None)
    if not callable(function):
        raise UserError(f"{asked_by}: module '{module_name}' has no function '{name}'")
    return function


def is_own(name: str) -> bool:
    """Return whether a name says where code is to be found, as MODULE:NAME or package.module.NAME do."""
    return ":" in name or "." in name


def first_line(error: Exception) -> str:
    """Return an error of somebody's own code in a line."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def _module_of(path: str, folder: Path, asked_by: str) -> tuple[str, str, ModuleType]:
    module_name, _, name = path.rpartition(":") if ":" in path else path.rpartition(".")
    return module_name, name, import_module(module_name, folder, asked_by)


def _guarded(name: str, folder: Path, asked_by: str, load: Callable[[], ModuleType]) -> ModuleType:
    try:
        with _folder_on_path(folder.resolve()):
            return load()
    except UserError as error:
        raise UserError(f"{asked_by}: {error}") from None
    except Exception as error:  # noqa: B902 - whatever a user's module raises
        raise UserError(f"{asked_by}: cannot import module '{name}': {first_line(error)}") from None


def _execute(file: Path) -> ModuleType:
    """Run a file as a module; `sys.modules` gets it first, as dataclasses in it ask for."""
    spec = importlib.util.spec_from_file_location(_FILE_MODULE_PREFIX + file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def _folder_on_path(folder: Path) -> Iterator[None]:
    """Let imports find what lies in a folder, after everything else."""
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
