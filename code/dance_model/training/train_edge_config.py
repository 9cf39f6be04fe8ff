"""Configuration of the base dance model's training."""

from dataclasses import asdict, dataclass
from pathlib import Path

from dance_model.diffusion.denoiser import Denoiser
from dance_model.diffusion_loading import DENOISERS
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from dance_model.popdg.popdg_denoiser import CONVOLUTIONS, PopdgConfig, PopdgDenoiser
from dance_model.training.dance_losses import LossConfig
from dance_model.training.popdg_losses import PopdgLossConfig
from dance_model.training.window_config import WindowConfig
from dance_model.training.windows import AugmentConfig
from skeleton2stage.curves import tracker_setting
from skeleton2stage.demo_files import CMU_DANCE, HELD_OUT
from skeleton2stage.devices import device_setting
from skeleton2stage.settings import part_of, run_name_setting, setting

PRECISIONS = ("float32", "tf32", "bf16")


@dataclass(frozen=True)
class PopdgOptions:
    """What family popdg has besides (see `PopdgConfig` and `PopdgLossConfig`)."""

    joint_heads: int = setting(
        "heads of the attention among joints, each as wide as a frame of motion", default=4, minimum=1
    )
    frame_heads: int = setting(
        "heads of the attention among features of music, which share a window's frames", default=5, minimum=1
    )
    convolutions: str = setting(
        "those before means over frames: none, idle (there and not used, as in POPDG's released network), used",
        default="none", choices=CONVOLUTIONS, called="choice of convolutions",
    )
    variational: float = setting(
        "weight of the bound by which the variance is learned, which DDIM does not use", default=0.01, minimum=0
    )


@dataclass(frozen=True, kw_only=True)
class TrainEdgeConfig(WindowConfig):
    """The base dance model, EDGE's or POPDG's: everything a training run is determined by. The defaults are EDGE's."""

    family: str = setting(
        "kind of dance model: edge or popdg (bailando: family=bailando --help)",
        default=DanceDecoder.family, choices=tuple(DENOISERS), called="family of diffusion models",
    )
    name: str = run_name_setting(
        "the run's folder under runs/train_edge; a run of that name goes on where it stopped", default="edge"
    )
    data: Path = setting(
        "folder of motions, songs of the same stem beside them or none; or a prepared .npz", default=CMU_DANCE
    )
    start_from: Path | None = setting(
        "dance model whose weights and scaler of motions to begin with: ours, or EDGE's checkpoint.pt. `denoiser`, "
        "layout and music must be its own, though frame_music may be added. A run that goes on keeps the weights it "
        "has",
        default=None,
    )
    out: Path | None = setting("folder of the run, if not runs/train_edge/NAME", default=None, may_change=True)
    held_out: tuple[str, ...] = setting(
        "clips (file stems) never trained on; their loss is logged", default=HELD_OUT
    )
    train_list: Path | None = setting(
        "text file of clips, one name a line, as EDGE has them for AIST++ (scripts/get_aist_lists.sh fetches those): "
        "train on these alone",
        default=None,
    )
    test_list: Path | None = setting("such a list: hold these out, in place of held_out's", default=None)
    ignore_list: Path | None = setting("such a list: use these for nothing", default=None)
    device: str = device_setting("where the model is trained", may_change=True)
    precision: str = setting(
        "of the denoiser's products: float32, tf32 (on NVIDIA GPUs) or bf16; losses: float32",
        default="tf32", choices=PRECISIONS,
    )
    cuda_graph: bool = setting(
        "on one GPU, replay each step's kernels instead of starting them one by one", default=True, may_change=True
    )
    compiled: bool = setting(
        "fuse each step's kernels: a minute or two at the start, quicker steps after it; needs a C++ compiler",
        default=False, may_change=True,
    )
    # The rate's way down is a share of them.
    steps: int = setting(
        "optimiser steps, global", default=270_000, minimum=1, may_change=lambda config: not config.cool_down
    )
    max_minutes: float = setting(
        "stop, saved, after this many minutes; 0: no limit", default=0.0, minimum=0, may_change=True
    )
    batch_size: int = setting("windows per step and process", default=128, minimum=1)
    learning_rate: float = setting("Adan's", default=4.0e-4, above=0)
    warm_up: int = setting(
        "steps, the first, over which the learning rate comes up from 0; wanted with start_from", default=0, minimum=0
    )
    cool_down: float = setting(
        "share of the steps, the last, over which the learning rate goes down to 0", default=0.0, minimum=0, maximum=1
    )
    max_grad_norm: float = setting("above 0: gradients are clipped to this norm", default=0.0, minimum=0)
    weight_decay: float = setting("Adan's", default=0.02, minimum=0)
    ema_decay: float = setting("of the averaged weights that are saved", default=0.9999, minimum=0, below=1)
    cond_drop_prob: float = setting(
        "share of windows trained without music, which guidance needs", default=0.25, minimum=0, below=1
    )
    guidance: float = setting(
        "classifier-free guidance weight that the saved model is sampled with unless told otherwise", default=2.0
    )
    standardise_music: bool = setting(
        "train on music features of mean 0 and deviation 1, folded into the saved weights", default=False
    )
    half_storage: bool = setting("store weights in 16 bits", default=True)
    log_every: int = setting("steps between points of the curves", default=100, minimum=1, may_change=True)
    save_every: int = setting(
        "steps between saved weights (the last are always saved)", default=10_000, minimum=1, may_change=True
    )
    preview_dances: int = setting(
        "dances sampled at each save, whose figures are logged beside the data's; 0: none",
        default=16, minimum=0, may_change=True,
    )
    trackers: tuple[str, ...] = tracker_setting()
    denoiser: DenoiserConfig = setting("sizes and form of the denoiser", default=DenoiserConfig())
    augment: AugmentConfig = setting(
        "minutes of mocap are few: show every window in other places and directions", default=AugmentConfig()
    )
    losses: LossConfig = setting("weights of EDGE's loss terms", default=LossConfig())
    popdg: PopdgOptions = setting("of family popdg alone", default=PopdgOptions())

    def window_config(self) -> WindowConfig:
        """Return how clips become windows."""
        return part_of(self, WindowConfig)

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
