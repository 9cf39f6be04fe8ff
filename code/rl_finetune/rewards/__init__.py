"""Rewards: small classes registered by name; add one in a file of this folder, or anywhere by `register`."""

from rl_finetune.rewards import (
    antifreezing,
    axis_rewards,
    beat_reward,
    fgcontact,
    imitation_reward,
    penetration_reward,
    penetration_spheres,
    pfc,
    skating,
)
from rl_finetune.rewards.reward import Dances, Reward, RewardContext, known_rewards, make_reward, register

__all__ = [
    "Dances",
    "Reward",
    "RewardContext",
    "antifreezing",
    "axis_rewards",
    "beat_reward",
    "fgcontact",
    "imitation_reward",
    "known_rewards",
    "make_reward",
    "penetration_reward",
    "penetration_spheres",
    "pfc",
    "register",
    "skating",
]
