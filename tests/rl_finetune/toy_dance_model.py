"""The smallest dance model of one's own: `family=toy_dance_model.py:ToyPolicy`."""

import math

import torch
from torch import nn
from torch.distributions import Normal

from dance_model.batch import DanceBatch
from dance_model.dance_policy import DancePolicy, Rollout
from skeleton2stage.motion.skeleton import N_JOINTS, joint_index
from skeleton2stage.music.kinds import WIDTHS

ARMS = [joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "elbow")]
DEVIATION_RAD = 0.1


class ToyPolicy(DancePolicy):
    """A body that stands and waves: music gives the arms' mean angles, and one Gaussian step a dance draws them."""

    family = "toy"

    def __init__(self, hidden: int = 32, music: str = "baseline") -> None:
        angles = 3 * len(ARMS)
        super().__init__(nn.Sequential(nn.Linear(WIDTHS[music], hidden), nn.Tanh(), nn.Linear(hidden, angles)), music)

    @torch.no_grad()
    def roll_out(self, music: torch.Tensor, generator: torch.Generator, record: bool = True) -> Rollout:
        drawn = self._arms(music)
        noise = torch.randn(drawn.mean.shape, generator=generator, device=music.device)
        angles = drawn.mean + DEVIATION_RAD * noise
        return Rollout(music, (angles, drawn.log_prob(angles).sum(dim=-1)), n_steps=1)

    def dances(self, rollout: Rollout) -> DanceBatch:
        angles, _ = rollout.trace
        poses = angles.new_zeros(*angles.shape[:2], N_JOINTS, 3)
        poses[:, :, 0, 0] = math.pi / 2  # SMPL's bodies are y up, dances z up
        poses[:, :, ARMS] = angles.unflatten(-1, (len(ARMS), 3))
        translation = angles.new_tensor([0.0, 0.0, 0.95]).expand(*angles.shape[:2], 3)
        return DanceBatch(poses, translation)

    def log_prob(self, rollout: Rollout, dances: slice, steps: list[int]) -> torch.Tensor:
        angles, _ = rollout.trace
        log_prob = self._arms(rollout.music[dances]).log_prob(angles[dances]).sum(dim=-1)
        return log_prob.expand(len(steps), -1, -1)  # of the one step there is

    def recorded_log_prob(self, rollout: Rollout) -> torch.Tensor:
        return rollout.trace[1][None]

    def config(self) -> dict[str, int]:
        return {"hidden": self.module[0].out_features}

    @classmethod
    def from_config(cls, config: dict) -> "ToyPolicy":
        return cls(config["hidden"], config["music"])

    def _arms(self, music: torch.Tensor) -> Normal:
        return Normal(self.module(music), DEVIATION_RAD)
