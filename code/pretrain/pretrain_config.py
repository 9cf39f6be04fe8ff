"""The imitation training's configuration as frozen dataclasses; configs/pretrain.yaml explains the fields."""

from dataclasses import dataclass
from pathlib import Path

from pretrain.clip_sampler import SamplingConfig
from pretrain.curriculum import WrenchConfig
from pretrain.environment import ClosenessConfig
from skeleton2stage.devices import DEVICES
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import run_name, run_name_setting, seed_setting, setting


@dataclass(frozen=True)
class StageConfig:
    """One stage of training: which clips (a file-name pattern), for how long, how fast."""

    name: str = setting(rule=run_name)
    clips: str
    iterations: int = setting(minimum=0)
    learning_rate: float = setting(above=0)
    final_learning_rate: float = setting(above=0)


@dataclass(frozen=True)
class PretrainConfig:
    """Everything a run of imitation training is determined by."""

    name: str = run_name_setting()
    data: Path
    held_out: tuple[str, ...]
    start_from: Path | None
    critic_iterations: int = setting(minimum=0)
    mirror: bool
    body: str
    simulator: str
    simulator_options: SimulatorOptions
    device: str = setting(choices=DEVICES, may_change=True)
    seed: int = seed_setting()
    episode_frames: int = setting(minimum=1)
    fall_height_m: float = setting(minimum=0)
    stray_m: float = setting(above=0)
    log_std: float
    learn_std: bool
    gamma: float = setting(above=0, maximum=1)
    lam: float = setting(minimum=0, maximum=1)
    clip: float = setting(above=0)
    horizon: int = setting(minimum=1)
    max_grad_norm: float = setting(above=0)
    schedule: str = setting(choices=("fixed", "adaptive"))
    desired_kl: float = setting(above=0)
    value_weight: float = setting(minimum=0)
    save_every: int = setting(minimum=1, may_change=True)
    minutes: float = setting(minimum=0, may_change=True)
    hidden: tuple[int, ...] = setting(minimum=1)
    worlds: int = setting(minimum=1)
    epochs: int = setting(minimum=1)
    minibatches: int = setting(minimum=1)
    wrench: WrenchConfig
    closeness: ClosenessConfig
    sampling: SamplingConfig
    stages: tuple[StageConfig, ...]
