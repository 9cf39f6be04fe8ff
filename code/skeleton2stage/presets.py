"""Presets of commands, the files of configs/COMMAND: the only place that knows Hydra, which composes them.

A preset sets a few keys over the defaults that the command's dataclass declares. One that begins with
`defaults: [OTHER, _self_]` is laid over another. The comment at its top says in a sentence or two what it is for.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from skeleton2stage import paths
from skeleton2stage.commands import DEFAULT_PRESETS
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.read_boundary import first_words

PRESET = "preset"
PROTOCOL = "protocol"  # the same, as papers call the settings of an evaluation


def presets(name: str) -> list[str]:
    """Return the presets of a command: the files of the folder configs/NAME."""
    return sorted(file.stem for file in (paths.configs() / name).glob("*.yaml"))


def names_preset(key: str, name: str) -> bool:
    """Return whether a key chooses a preset, of a command that has some."""
    return key in (PRESET, PROTOCOL) and bool(presets(name))


def chosen_preset(name: str, given: Sequence[tuple[str, str]]) -> str | None:
    """Return the preset that typed keys and values choose, the command's own where none does; None where it has none.

    Raises UserError that lists the presets for an unknown one.
    """
    chosen = next((value for key, value in reversed(given) if names_preset(key, name)), DEFAULT_PRESETS.get(name))
    if chosen is not None and chosen not in presets(name):
        raise unknown_name(PRESET, chosen, presets(name))
    return chosen


def read_preset(name: str, preset: str) -> dict[str, Any]:
    """Return what a preset sets, as plain data; raise UserError where its file, or one that it is over, is damaged."""
    # Commands without presets should not wait for it.
    from hydra import compose, initialize_config_dir
    from hydra.errors import ConfigCompositionException, MissingConfigException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    damaged = (MissingConfigException, ConfigCompositionException, OmegaConfBaseException, yaml.YAMLError, KeyError)
    try:
        with initialize_config_dir(str(paths.configs()), version_base=None):
            config = compose(f"{name}/{preset}")
        return OmegaConf.to_container(config, resolve=True)[name]
    except damaged as error:
        raise UserError(f"{_file(name, preset)} cannot be read as a preset: {first_words(error)}") from None


def purpose(name: str, preset: str) -> str:
    """Return what the comment at the top of a preset's file says it is for."""
    words = []
    for line in _file(name, preset).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        words.append(line.removeprefix("#").strip())
    return " ".join(words)


def _file(name: str, preset: str) -> Path:
    return paths.configs() / name / f"{preset}.yaml"
