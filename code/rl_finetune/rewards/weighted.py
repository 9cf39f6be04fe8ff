"""The rewards that a reward file switches on, and their weighted sum."""

import torch

from rl_finetune.rewards.reward import Dances, Reward, RewardContext, make_reward
from rl_finetune.rewards.reward_file import RewardSetting
from rl_finetune.rewards.side_by_side import SideBySide, one_by_one


class WeightedRewards:
    """The enabled rewards with their weights.

    side_by_side: dances are on a GPU, and rewards that have them performed are worked out beside the others.
    """

    def __init__(self, settings: list[RewardSetting], context: RewardContext, side_by_side: bool = False) -> None:
        enabled = [setting for setting in settings if setting.enabled]
        self.weights = {setting.name: setting.weight for setting in enabled}
        self._rewards: dict[str, Reward] = {s.name: make_reward(s.name, context) for s in enabled}
        self._work_out = SideBySide() if side_by_side else one_by_one

    def __call__(self, dances: Dances, geometric_only: bool = False) -> dict[str, torch.Tensor]:
        """Return every reward by name, [N] or [N, T] each, not yet weighted; only those without a simulator if asked.

        Raises ValueError where a reward gives another shape or a value that is not finite.
        """
        chosen = {n: reward for n, reward in self._rewards.items() if not (geometric_only and reward.needs_simulator)}
        values = self._work_out(chosen, dances)
        shapes = {(len(dances),), tuple(dances.translation.shape[:2])}
        for name, value in values.items():
            if tuple(value.shape) not in shapes:
                raise ValueError(f"reward {name} gave shape {tuple(value.shape)}, not [N] or [N, T]")
            if not torch.isfinite(value).all():
                raise ValueError(f"reward {name} gave NaN or infinity")
        return values

    def total(self, values: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the weighted sum of un-normalised rewards, [N]: the 'total reward' of the logs, 0 of none."""
        means = {name: value.flatten(1).mean(1) if value.ndim > 1 else value for name, value in values.items()}
        return sum(self.weights[name] * mean for name, mean in means.items()) if means else torch.zeros(1)
