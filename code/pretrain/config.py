"""The imitation training's configuration as frozen dataclasses; configs/pretrain.yaml explains the fields."""

from dataclasses import dataclass
from pathlib import Path

from pretrain.curriculum import WrenchConfig
from pretrain.environment import ClosenessConfig
from pretrain.sampling import SamplingConfig
from skeleton2stage.physics.simulator_options import SimulatorOptions


@dataclass(frozen=True)
class StageConfig:
    """One stage of training: which clips (a file-name pattern), for how long, how fast."""

    name: str
    clips: str
    iterations: int
    learning_rate: float
    final_learning_rate: float


@dataclass(frozen=True)
class PretrainConfig:
    """Everything a run of imitation training is determined by."""

    name: str
    data: Path
    held_out: tuple[str, ...]
    start_from: Path | None
    critic_iterations: int
    mirror: bool
    body: str
    simulator: str
    simulator_options: SimulatorOptions
    device: str
    seed: int
    episode_frames: int
    fall_height_m: float
    stray_m: float
    log_std: float
    learn_std: bool
    gamma: float
    lam: float
    clip: float
    horizon: int
    max_grad_norm: float
    schedule: str
    desired_kl: float
    value_weight: float
    save_every: int
    minutes: float
    hidden: tuple[int, ...]
    worlds: int
    epochs: int
    minibatches: int
    wrench: WrenchConfig
    closeness: ClosenessConfig
    sampling: SamplingConfig
    stages: tuple[StageConfig, ...]
