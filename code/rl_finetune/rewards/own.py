"""Rewards that live outside this package: modules that a reward file names, and classes named by a dotted path."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from rl_finetune.rewards.base import Reward, known_rewards, register
from skeleton2stage.errors import UserError

_FILE_MODULE_PREFIX = "reward_file_module_"  # keeps a user's torch.py from standing in for torch


def import_modules(modules: tuple[str, ...], reward_file: Path) -> None:
    """Import modules, whose decorators make rewards known: files beside the reward file, or names Python finds.

    Names are looked for in the reward file's folder too. Raises UserError with the module's own error in a line.
    """
    for module in modules:
        if module.endswith(".py"):
            file = reward_file.parent / Path(module).expanduser()
            if not file.is_file():
                raise UserError(f"{reward_file}: no module file at {file}: 'module' is relative to the reward file")
            _import(module, reward_file, lambda file=file: _execute(file))
        else:
            _import(module, reward_file, lambda module=module: importlib.import_module(module))


def register_dotted(names: list[str], reward_file: Path) -> None:
    """Make rewards known that are named by a dotted path, such as my_package.my_module.MyReward."""
    for name in names:
        module_name, _, class_name = name.rpartition(".")
        if not module_name or name in known_rewards():
            continue
        module = _import(module_name, reward_file, lambda module=module_name: importlib.import_module(module))
        cls = getattr(module, class_name, None)
        if not (isinstance(cls, type) and issubclass(cls, Reward)):
            raise UserError(
                f"{reward_file}: module '{module_name}' has no reward class '{class_name}': name a subclass of "
                "rl_finetune.rewards.Reward"
            )
        register(name)(cls)


def _import(name: str, reward_file: Path, load: Callable[[], ModuleType]) -> ModuleType:
    try:
        with _folder_on_path(reward_file.resolve().parent):
            return load()
    except UserError as error:
        raise UserError(f"{reward_file}: {error}") from None
    except Exception as error:  # noqa: B902 - whatever a user's module raises
        first_line = (str(error).strip().splitlines() or [""])[0]
        raise UserError(f"{reward_file}: cannot import module '{name}': {type(error).__name__}: {first_line}") from None


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
