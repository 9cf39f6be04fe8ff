"""Configuration of the base dance model's training; configs/train_edge.yaml explains the fields."""

from dataclasses import dataclass
from pathlib import Path

from dance_model.edge.denoiser import DenoiserConfig
from dance_model.training.losses import LossConfig
from dance_model.training.windows import AugmentConfig
from skeleton2stage.errors import UserError, unknown_name

PRECISIONS = ("float32", "tf32", "bf16")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class TrainEdgeConfig:
    """Everything a training run is determined by."""

    name: str
    data: Path
    start_from: Path | None
    out: Path | None
    held_out: tuple[str, ...]
    train_list: Path | None
    test_list: Path | None
    ignore_list: Path | None
    stride_s: float
    renditions: int
    accent: float
    layout: str
    music: str
    seed: int
    device: str
    precision: str
    cuda_graph: bool
    compiled: bool
    steps: int
    max_minutes: float
    batch_size: int
    learning_rate: float
    warm_up: int
    cool_down: float
    max_grad_norm: float
    weight_decay: float
    ema_decay: float
    cond_drop_prob: float
    guidance: float
    standardise_music: bool
    half_storage: bool
    log_every: int
    save_every: int
    preview_dances: int
    trackers: tuple[str, ...]
    denoiser: DenoiserConfig
    augment: AugmentConfig
    losses: LossConfig

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "log_every", "save_every"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("learning_rate", "ema_decay"):
            if getattr(self, name) <= 0:
                raise UserError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("warm_up", "max_grad_norm"):
            if getattr(self, name) < 0:
                raise UserError(f"{name} must not be negative, not {getattr(self, name)}")
        if not 0 <= self.cool_down <= 1:
            raise UserError(f"cool_down is a share of the steps, in [0, 1], not {self.cool_down}")
        if not 0 <= self.cond_drop_prob < 1:
            raise UserError(f"cond_drop_prob must be in [0, 1), not {self.cond_drop_prob}")
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, list(PRECISIONS))
        if self.device not in DEVICES:
            raise unknown_name("device", self.device, list(DEVICES))
