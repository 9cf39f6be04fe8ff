"""Configuration of the base dance model's training; configs/train_edge.yaml explains the fields."""

from dataclasses import asdict, dataclass
from pathlib import Path

from dance_model.diffusion.denoiser import Denoiser
from dance_model.diffusion_loading import DENOISERS
from dance_model.edge.edge_denoiser import DenoiserConfig
from dance_model.popdg.popdg_denoiser import PopdgConfig, PopdgDenoiser
from dance_model.training.dance_losses import LossConfig
from dance_model.training.popdg_losses import PopdgLossConfig
from dance_model.training.windows import AugmentConfig
from skeleton2stage.errors import UserError, unknown_name

PRECISIONS = ("float32", "tf32", "bf16")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class PopdgOptions:
    """What family popdg has besides (see `PopdgConfig` and `PopdgLossConfig`)."""

    joint_heads: int = 4
    frame_heads: int = 5
    convolutions: str = "none"
    variational: float = 0.01


@dataclass(frozen=True)
class TrainEdgeConfig:
    """Everything a training run is determined by."""

    name: str
    family: str
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
    popdg: PopdgOptions

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
        if self.family not in DENOISERS:
            raise unknown_name("family of diffusion models", self.family, list(DENOISERS))
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, list(PRECISIONS))
        if self.device not in DEVICES:
            raise unknown_name("device", self.device, list(DEVICES))

    @property
    def is_popdg(self) -> bool:
        """Whether the family is popdg."""
        return self.family == PopdgDenoiser.family

    def sizes(self) -> DenoiserConfig:
        """Return the sizes of the family's denoiser."""
        if not self.is_popdg:
            return self.denoiser
        own = self.popdg
        return PopdgConfig(
            **asdict(self.denoiser), joint_heads=own.joint_heads, frame_heads=own.frame_heads,
            convolutions=own.convolutions,
        )

    def network(self) -> Denoiser:
        """Return an untrained denoiser of the family."""
        return DENOISERS[self.family][0](self.sizes())

    def loss_weights(self) -> LossConfig | PopdgLossConfig:
        """Return the weights of the family's loss terms; popdg's term of body contacts has that of EDGE's feet."""
        own = self.losses
        if not self.is_popdg:
            return own
        return PopdgLossConfig(
            own.reconstruction, own.velocity, own.joints, own.foot, self.popdg.variational, own.fk_space
        )
