"""The rewards that reward.yaml switches on, and their weighted sum."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import yaml

from rl_finetune.rewards.base import Dances, Reward, RewardContext, known_rewards, make_reward
from skeleton2stage.config import to_dataclass
from skeleton2stage.errors import UserError, unknown_name


@dataclass(frozen=True)
class RewardSetting:
    """A line of reward.yaml."""

    name: str
    enabled: bool
    weight: float


@dataclass(frozen=True)
class RewardFile:
    """A reward file: its settings, and what is held."""

    settings: list[RewardSetting]
    hold: dict[str, float]


def read_reward_file(path: Path) -> RewardFile:
    """Return a reward file's content."""
    return RewardFile(read_reward_settings(path), dict(yaml.safe_load(path.read_text()).get("hold") or {}))


def read_reward_settings(path: Path) -> list[RewardSetting]:
    """Return the settings of a reward file; raise UserError for an unknown reward or a bad weight."""
    if not path.is_file():
        raise UserError(f"no reward file at {path}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or not isinstance(content.get("rewards"), list):
        raise UserError(f"{path} must hold a list named 'rewards'")
    settings = [to_dataclass(line, RewardSetting, f"{path.name}: ") for line in content["rewards"]]
    for setting in settings:
        if setting.name not in known_rewards():
            raise unknown_name("reward", setting.name, known_rewards())
    if not any(setting.enabled for setting in settings):
        raise UserError(f"{path} enables no reward: set enabled: true for at least one")
    return settings


def reweighted(settings: list[RewardSetting], weights: dict[str, float]) -> list[RewardSetting]:
    """Return the settings with other weights for the rewards named; raise UserError for one that is not among them."""
    names = [setting.name for setting in settings]
    for name in weights:
        if name not in names:
            raise unknown_name("reward in reward_weights", name, names)
    return [replace(setting, weight=weights.get(setting.name, setting.weight)) for setting in settings]


class WeightedRewards:
    """The enabled rewards with their weights."""

    def __init__(self, settings: list[RewardSetting], context: RewardContext) -> None:
        enabled = [setting for setting in settings if setting.enabled]
        self.weights = {setting.name: setting.weight for setting in enabled}
        self._rewards: dict[str, Reward] = {s.name: make_reward(s.name, context) for s in enabled}

    def __call__(self, dances: Dances) -> dict[str, torch.Tensor]:
        """Return every reward by name, [N] or [N, T] each, not yet weighted.

        Raises ValueError where a reward gives another shape or a value that is not finite.
        """
        values = {name: reward(dances) for name, reward in self._rewards.items()}
        shapes = {(len(dances),), tuple(dances.translation.shape[:2])}
        for name, value in values.items():
            if tuple(value.shape) not in shapes:
                raise ValueError(f"reward {name} gave shape {tuple(value.shape)}, not [N] or [N, T]")
            if not torch.isfinite(value).all():
                raise ValueError(f"reward {name} gave NaN or infinity")
        return values

    def total(self, values: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the weighted sum of un-normalised rewards, [N]: the 'total reward' of the logs."""
        means = {name: value.flatten(1).mean(1) if value.ndim > 1 else value for name, value in values.items()}
        return sum(self.weights[name] * mean for name, mean in means.items())
