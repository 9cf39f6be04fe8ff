"""Rewards: small classes registered by name; add one in a file of this folder, or anywhere by `register`."""

from rl_finetune.rewards import antifreezing, fgcontact, imitation, penetration, penetration_spheres
from rl_finetune.rewards.base import Dances, Reward, RewardContext, known_rewards, register

__all__ = [
    "Dances",
    "Reward",
    "RewardContext",
    "antifreezing",
    "fgcontact",
    "imitation",
    "known_rewards",
    "penetration",
    "penetration_spheres",
    "register",
]
