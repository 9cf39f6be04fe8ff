"""Reward files: which rewards count, with which weights, what is held, and where rewards of one's own come from.

docs/rewards.md describes the format. Read besides: the original project's reward.yaml, a mapping of the same names.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from rl_finetune.rewards.own import import_modules, register_dotted
from rl_finetune.rewards.reward import known_rewards
from skeleton2stage.config import to_dataclass
from skeleton2stage.errors import UserError, unknown_name

_REWARDS, _HOLD, _MODULE = "rewards", "hold", "module"


@dataclass(frozen=True)
class RewardSetting:
    """A line of a reward file."""

    name: str
    enabled: bool
    weight: float


@dataclass(frozen=True)
class RewardFile:
    """What a reward file says.

    settings: its rewards, in its order. hold: of metrics that fine-tuning is to hold, the share of the base model's
    value. modules: what was imported before names were checked, as the file names it.
    """

    settings: list[RewardSetting]
    hold: dict[str, float]
    modules: tuple[str, ...]


def read_reward_file(path: Path) -> RewardFile:
    """Return what a reward file says, its modules imported; raise UserError, one sentence, for what is wrong in it."""
    content = _read_yaml(path)
    lines = _reward_lines(content, path)
    modules = _modules(content.get(_MODULE), path)
    import_modules(modules, path)
    settings = [_setting(line, path) for line in lines]
    register_dotted([setting.name for setting in settings], path)
    _check_settings(settings, path)
    return RewardFile(settings, _hold(content.get(_HOLD), path), modules)


def reweighted(settings: list[RewardSetting], weights: dict[str, float]) -> list[RewardSetting]:
    """Return the settings with other weights for the rewards named.

    Raises UserError for a reward that is not among them or is switched off, and for a weight that is not finite.
    """
    enabled = {setting.name: setting.enabled for setting in settings}
    for name, weight in weights.items():
        if name not in enabled:
            raise unknown_name("reward in reward_weights", name, list(enabled))
        if not enabled[name]:
            raise UserError(f"reward_weights names '{name}', which the reward file disables: set enabled: true there")
        if not math.isfinite(weight):
            raise UserError(f"the weight of '{name}' in reward_weights must be a finite number, not {weight}")
    return [replace(setting, weight=weights.get(setting.name, setting.weight)) for setting in settings]


class _UniqueKeyLoader(yaml.SafeLoader):
    """Reads YAML as ever, but refuses a key that a mapping has twice, of which YAML would keep the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        repeated = _repeated(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if repeated is not None:
            raise UserError(f"'{repeated}' stands twice from line {node.start_mark.line + 1} on: keep one of them")
        return super().construct_mapping(node, deep)


def _repeated(names: Iterable[str]) -> str | None:
    """Return the first name that comes up a second time."""
    seen = set()
    return next((name for name in names if name in seen or seen.add(name)), None)


def _read_yaml(path: Path) -> dict[Any, Any]:
    if not path.is_file():
        raise UserError(f"no reward file at {path}")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeyLoader)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path} must hold 'rewards', a list of {{name, enabled, weight}}")
    return content


def _reward_lines(content: dict[Any, Any], path: Path) -> list[dict[str, Any]]:
    """Return {name, enabled, weight} of every reward, however the file lists them, not yet checked."""
    if _REWARDS not in content:
        named = {key: value for key, value in content.items() if key not in (_HOLD, _MODULE)}
        return [_line_of(name, value, path) for name, value in named.items()]
    for key in content:
        if key not in (_REWARDS, _HOLD, _MODULE):
            raise UserError(f"{path}: unknown key '{key}': choose one of {_HOLD}, {_MODULE}, {_REWARDS}")
    rewards = content[_REWARDS]
    if isinstance(rewards, dict):
        return [_line_of(name, value, path) for name, value in rewards.items()]
    if not isinstance(rewards, list) or not all(isinstance(line, dict) for line in rewards):
        raise UserError(f"{path}: 'rewards' must hold a list of {{name, enabled, weight}}, not {rewards!r}")
    return rewards


def _line_of(name: str, value: Any, path: Path) -> dict[str, Any]:  # noqa: ANN401 - what YAML holds
    """Return the line of a mapping's entry, `name: weight` or `name: {enabled, weight}`."""
    if isinstance(value, dict):
        return {"name": name} | value
    if isinstance(value, int | float | str):
        return {"name": name, "enabled": True, "weight": value}
    raise UserError(f"{path}: '{name}' must be a weight or {{enabled, weight}} of a reward, not {str(value)[:80]!r}")


def _setting(line: dict[str, Any], path: Path) -> RewardSetting:
    where = f"{line['name']}." if "name" in line else ""
    return to_dataclass(line, RewardSetting, f"{path}: {where}")


def _check_settings(settings: list[RewardSetting], path: Path) -> None:
    for setting in settings:
        if setting.name not in known_rewards():
            raise UserError(f"{path}: {unknown_name('reward', setting.name, known_rewards())}")
    repeated = _repeated(setting.name for setting in settings)
    if repeated is not None:
        raise UserError(f"{path} lists '{repeated}' twice: keep one of the lines")
    if not any(setting.enabled for setting in settings):
        raise UserError(f"{path} enables no reward: set enabled: true for at least one")


def _modules(value: Any, path: Path) -> tuple[str, ...]:  # noqa: ANN401 - what YAML holds
    modules = () if value is None else tuple(value) if isinstance(value, list) else (value,)
    if not all(isinstance(module, str) and module for module in modules):
        raise UserError(f"{path}: 'module' must be a file such as my_rewards.py, a module's name, or a list of these")
    return modules


def _hold(value: Any, path: Path) -> dict[str, float]:  # noqa: ANN401 - what YAML holds
    if not isinstance(value, dict | None):
        raise UserError(f"{path}: 'hold' must map metrics to shares, such as {{mot_mag: 1.0}}, not {value!r}")
    return {str(metric): _share(metric, share, path) for metric, share in (value or {}).items()}


def _share(metric: str, value: Any, path: Path) -> float:  # noqa: ANN401 - what YAML holds
    try:
        share = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        share = math.nan
    if not (math.isfinite(share) and share > 0):
        raise UserError(f"{path}: the share at which '{metric}' is held must be a number above 0, not {value!r}")
    return share
