"""Fine-tuning's configuration as a frozen dataclass; configs/finetune.yaml explains the fields."""

from dataclasses import dataclass
from pathlib import Path

from dance_model.diffusion.predictor import PRECISIONS
from dance_model.diffusion.schedule import N_TIMES
from rl_finetune.algorithms.direct import DirectConfig
from rl_finetune.credit_assignment import BY_DANCE, BY_FRAME
from skeleton2stage.devices import DEVICES
from skeleton2stage.errors import UserError
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import run_name_setting, seed_setting, setting

POLICY_GRADIENT, PAPER, DIRECT = "policy_gradient", "paper", "direct"
ALGORITHMS = (POLICY_GRADIENT, PAPER, DIRECT)
TRACKERS = ("tensorboard", "wandb")


@dataclass(frozen=True)
class FinetuneConfig:
    """Everything a fine-tuning run is determined by."""

    name: str = run_name_setting()
    epochs: int = setting(minimum=1, may_change=True)
    batch_size: int = setting(minimum=1)
    checkpoint: Path
    family: str | None
    policy: Path
    algorithm: str = setting(choices=ALGORITHMS)
    direct_epochs: int = setting(minimum=0)
    direct_learning_rate: float = setting(above=0)
    direct: DirectConfig
    rewards: Path
    reward_weights: dict[str, float] | None
    hold: dict[str, float] | None
    base_rounds: int = setting(minimum=1)
    credit: str = setting(choices=(BY_FRAME, BY_DANCE))
    energy_neutral: bool
    shuffle_advantages: bool
    music: Path
    body: str
    simulator: str
    simulator_options: SimulatorOptions
    device: str = setting(choices=DEVICES, may_change=True)
    precision: str = setting(choices=PRECISIONS)
    compiled: bool = setting(may_change=True)
    seed: int = seed_setting()
    n_steps: int = setting(minimum=2, why="the last adds no noise to learn from")
    eta: float = setting(above=0)
    guidance: float | None
    ema_decay: float = setting(minimum=0, below=1)
    max_grad_norm: float = setting(above=0)
    adam_betas: tuple[float, ...] = setting(length=2, minimum=0, below=1)
    weight_decay: float = setting(minimum=0)
    inner_epochs: int = setting(minimum=1)
    clip_range: float = setting(minimum=0)
    lora_rank: int = setting(minimum=0)
    trackers: tuple[str, ...] = setting(choices=TRACKERS, called="tracker", may_change=True)
    max_prompts: int = setting(minimum=0)
    samples_per_prompt: int = setting(minimum=1)
    trained_steps: int = setting(minimum=0)
    min_trained_time: int = setting(minimum=0, maximum=N_TIMES - 2)
    learning_rate: float = setting(above=0)
    dances_per_pass: int = setting(minimum=1, may_change=True)
    steps_per_pass: int = setting(minimum=1, may_change=True)
    save_every: int = setting(minimum=1, may_change=True)

    def __post_init__(self) -> None:
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
