"""Fine-tuning's configuration as a frozen dataclass; configs/finetune.yaml explains the fields."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.errors import UserError
from skeleton2stage.physics.simulator_options import SimulatorOptions


@dataclass(frozen=True)
class FinetuneConfig:
    """Everything a fine-tuning run is determined by."""

    name: str
    epochs: int
    batch_size: int
    checkpoint: Path
    policy: Path
    rewards: Path
    reward_weights: dict[str, float] | None
    shuffle_advantages: bool
    music: Path
    body: str
    simulator: str
    simulator_options: SimulatorOptions
    device: str
    seed: int
    n_steps: int
    eta: float
    guidance: float | None
    ema_decay: float
    max_grad_norm: float
    weight_decay: float
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
        for name in ("epochs", "batch_size", "n_steps", "samples_per_prompt", "dances_per_pass", "steps_per_pass"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.min_trained_time < 999:
            raise UserError(f"min_trained_time must be from 0 to 998, not {self.min_trained_time}")
        if self.eta <= 0:
            raise UserError(f"eta must be above 0, not {self.eta}: without noise no step has a probability")
        if self.learning_rate <= 0:
            raise UserError(f"learning_rate must be above 0, not {self.learning_rate}")
        if self.save_every < 1:
            raise UserError(f"save_every must be at least 1, not {self.save_every}")

    @property
    def dances_per_process(self) -> int:
        """Dances sampled by one process in one epoch."""
        return self.batch_size * self.samples_per_prompt
