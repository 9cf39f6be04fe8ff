"""Configuration of the base dance model's training; configs/train_edge.yaml explains the fields."""

from dataclasses import asdict, dataclass
from pathlib import Path

from dance_model.diffusion.denoiser import Denoiser
from dance_model.diffusion_loading import DENOISERS
from dance_model.edge.edge_denoiser import DenoiserConfig
from dance_model.popdg.popdg_denoiser import CONVOLUTIONS, PopdgConfig, PopdgDenoiser
from dance_model.training.dance_losses import LossConfig
from dance_model.training.popdg_losses import PopdgLossConfig
from dance_model.training.windows import AugmentConfig
from skeleton2stage.devices import DEVICES
from skeleton2stage.settings import run_name_setting, seed_setting, setting

PRECISIONS = ("float32", "tf32", "bf16")
TRACKERS = ("tensorboard", "wandb")


@dataclass(frozen=True)
class PopdgOptions:
    """What family popdg has besides (see `PopdgConfig` and `PopdgLossConfig`)."""

    joint_heads: int = setting(default=4, minimum=1)
    frame_heads: int = setting(default=5, minimum=1)
    convolutions: str = setting(default="none", choices=CONVOLUTIONS, called="choice of convolutions")
    variational: float = setting(default=0.01, minimum=0)


@dataclass(frozen=True)
class TrainEdgeConfig:
    """Everything a training run is determined by."""

    name: str = run_name_setting()
    family: str = setting(choices=tuple(DENOISERS), called="family of diffusion models")
    data: Path
    start_from: Path | None
    out: Path | None = setting(may_change=True)
    held_out: tuple[str, ...]
    train_list: Path | None
    test_list: Path | None
    ignore_list: Path | None
    stride_s: float = setting(above=0)
    renditions: int = setting(minimum=1)
    accent: float = setting(minimum=0, below=1)
    layout: str
    music: str
    seed: int = seed_setting()
    device: str = setting(choices=DEVICES, may_change=True)
    precision: str = setting(choices=PRECISIONS)
    cuda_graph: bool = setting(may_change=True)
    compiled: bool = setting(may_change=True)
    # The rate's way down is a share of them.
    steps: int = setting(minimum=1, may_change=lambda config: not config.cool_down)
    max_minutes: float = setting(minimum=0, may_change=True)
    batch_size: int = setting(minimum=1)
    learning_rate: float = setting(above=0)
    warm_up: int = setting(minimum=0)
    cool_down: float = setting(minimum=0, maximum=1)
    max_grad_norm: float = setting(minimum=0)
    weight_decay: float = setting(minimum=0)
    ema_decay: float = setting(minimum=0, below=1)
    cond_drop_prob: float = setting(minimum=0, below=1)
    guidance: float
    standardise_music: bool
    half_storage: bool
    log_every: int = setting(minimum=1, may_change=True)
    save_every: int = setting(minimum=1, may_change=True)
    preview_dances: int = setting(minimum=0, may_change=True)
    trackers: tuple[str, ...] = setting(choices=TRACKERS, called="tracker", may_change=True)
    denoiser: DenoiserConfig
    augment: AugmentConfig
    losses: LossConfig
    popdg: PopdgOptions

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
