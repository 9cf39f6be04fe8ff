"""Fine-tuning's configuration as a frozen dataclass; configs/finetune.yaml explains the fields."""

import math
from dataclasses import dataclass
from pathlib import Path

from dance_model.diffusion.predictor import PRECISIONS
from rl_finetune.algorithms.direct import DirectConfig
from rl_finetune.credit_assignment import BY_DANCE, BY_FRAME
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions

POLICY_GRADIENT, PAPER, DIRECT = "policy_gradient", "paper", "direct"
ALGORITHMS = (POLICY_GRADIENT, PAPER, DIRECT)
TRACKERS = ("tensorboard", "wandb")


@dataclass(frozen=True)
class FinetuneConfig:
    """Everything a fine-tuning run is determined by."""

    name: str
    epochs: int
    batch_size: int
    checkpoint: Path
    family: str | None
    policy: Path
    algorithm: str
    direct_epochs: int
    direct_learning_rate: float
    direct: DirectConfig
    rewards: Path
    reward_weights: dict[str, float] | None
    hold: dict[str, float] | None
    base_rounds: int
    credit: str
    energy_neutral: bool
    shuffle_advantages: bool
    music: Path
    body: str
    simulator: str
    simulator_options: SimulatorOptions
    device: str
    precision: str
    compiled: bool
    seed: int
    n_steps: int
    eta: float
    guidance: float | None
    ema_decay: float
    max_grad_norm: float
    adam_betas: tuple[float, ...]
    weight_decay: float
    inner_epochs: int
    clip_range: float
    trackers: tuple[str, ...]
    max_prompts: int
    samples_per_prompt: int
    trained_steps: int
    min_trained_time: int
    learning_rate: float
    dances_per_pass: int
    steps_per_pass: int
    save_every: int

    def __post_init__(self) -> None:
        for name in (
            "epochs", "batch_size", "samples_per_prompt", "dances_per_pass", "steps_per_pass", "save_every",
            "inner_epochs", "base_rounds",
        ):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.n_steps < 2:
            raise UserError(f"n_steps must be at least 2, not {self.n_steps}: the last adds no noise to learn from")
        for name in ("eta", "learning_rate", "direct_learning_rate", "max_grad_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise UserError(f"{name} must be a number above 0, not {getattr(self, name)}")
        for name in ("max_prompts", "trained_steps", "weight_decay", "clip_range", "seed", "direct_epochs"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UserError(f"{name} must be a number from 0 on, not {getattr(self, name)}")
        if not 0 <= self.min_trained_time < 999:
            raise UserError(f"min_trained_time must be from 0 to 998, not {self.min_trained_time}")
        if not 0 <= self.ema_decay < 1:
            raise UserError(f"ema_decay must be from 0 to under 1, not {self.ema_decay}")
        if len(self.adam_betas) != 2 or not all(0 <= beta < 1 for beta in self.adam_betas):
            raise UserError(f"adam_betas must be two numbers from 0 to under 1, not {list(self.adam_betas)}")
        self._check_choices()

    def _check_choices(self) -> None:
        choices = {"algorithm": ALGORITHMS, "credit": (BY_FRAME, BY_DANCE), "precision": PRECISIONS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise unknown_name(name, getattr(self, name), list(known))
        for tracker in self.trackers:
            if tracker not in TRACKERS:
                raise unknown_name("tracker", tracker, list(TRACKERS))
        if self.inner_epochs > 1 and self.clip_range <= 0:
            raise UserError(f"inner_epochs={self.inner_epochs} uses dances again: give clip_range, such as 0.001, too")
        if self.algorithm == PAPER and self.direct_epochs:
            raise UserError("direct_epochs come before algorithm=policy_gradient: the published algorithm has none")
        if self.algorithm == POLICY_GRADIENT and self.samples_per_prompt < 2:
            raise UserError(
                "algorithm=policy_gradient compares dances to the same music: samples_per_prompt must be at least 2, "
                f"not {self.samples_per_prompt}"
            )

    def is_direct(self, epoch: int) -> bool:
        """Return whether an epoch, counted from 0, goes by geometry alone."""
        return self.algorithm == DIRECT or epoch < self.direct_epochs

    @property
    def dances_per_process(self) -> int:
        """Dances sampled by one process in one epoch."""
        return self.batch_size * self.samples_per_prompt
