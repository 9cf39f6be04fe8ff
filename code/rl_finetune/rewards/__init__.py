"""Rewards: small classes registered by name; add one in a file of this folder, or anywhere by `register`."""

from rl_finetune.rewards import (
    antifreezing,
    beat,
    fgcontact,
    imitation,
    penetration,
    penetration_spheres,
    pfc,
    skating,
)
from rl_finetune.rewards.base import Dances, Reward, RewardContext, known_rewards, register

__all__ = [
    "Dances",
    "Reward",
    "RewardContext",
    "antifreezing",
    "beat",
    "fgcontact",
    "imitation",
    "known_rewards",
    "penetration",
    "penetration_spheres",
    "pfc",
    "register",
    "skating",
]
