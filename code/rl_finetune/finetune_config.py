"""Fine-tuning's configuration as a frozen dataclass."""

from dataclasses import dataclass
from pathlib import Path

from dance_model.diffusion.predictor import PRECISIONS
from dance_model.diffusion.schedule import N_TIMES
from dance_model.families import family_setting
from rl_finetune.algorithms.direct import DirectConfig
from rl_finetune.credit_assignment import BY_DANCE, BY_FRAME
from skeleton2stage.body.body_model import OPEN
from skeleton2stage.curves import tracker_setting
from skeleton2stage.demo_files import BASE_MODEL, IMITATION_POLICY, REWARDS, TRACKS
from skeleton2stage.devices import device_setting
from skeleton2stage.errors import UserError
from skeleton2stage.physics.simulators.simulator_options import SimulatorSettings
from skeleton2stage.settings import run_name_setting, seed_setting, setting

POLICY_GRADIENT, PAPER, DIRECT = "policy_gradient", "paper", "direct"
ALGORITHMS = (POLICY_GRADIENT, PAPER, DIRECT)


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig(SimulatorSettings):
    """Fine-tuning by rewards: everything a run is determined by."""

    name: str = run_name_setting("the run's folder under runs/train", default="demo")
    epochs: int = setting("one epoch samples, scores and updates once", default=20, minimum=1, may_change=True)
    batch_size: int = setting("prompts (pieces of music) per process and epoch", default=16, minimum=1)
    checkpoint: Path = setting("base dance model, of any family", default=BASE_MODEL)
    family: str | None = family_setting()
    policy: Path = setting("imitation policy that judges", default=IMITATION_POLICY)
    algorithm: str = setting(
        "how to learn: policy_gradient, paper (as published), direct (geometry alone, for CPUs): docs/finetuning.md",
        default=POLICY_GRADIENT, choices=ALGORITHMS,
    )
    direct_epochs: int = setting(
        "so many epochs of `direct` first: most of the penetration goes in a few of them", default=0, minimum=0
    )
    direct_learning_rate: float = setting(
        "AdamW's of those, which have an optimiser of their own", default=2.0e-5, above=0
    )
    direct: DirectConfig = setting(
        "epochs by geometry alone, direct_epochs and algorithm=direct; numbers of dances are one process's",
        default=DirectConfig(),
    )
    rewards: Path = setting("which rewards, with which weights, and what is held", default=REWARDS)
    reward_weights: dict[str, float] | None = setting(
        "other weights for some of the rewards, such as {imitation: 1.0}; null: those of the file `rewards`",
        default=None,
    )
    hold: dict[str, float] | None = setting(
        "what is held at which share of the base model's level, such as {mot_mag: 1.0}; null: as the file says; {}: "
        "nothing",
        default=None,
    )
    base_rounds: int = setting(
        "the base model's level is measured on at most so many epochs' dances, four a prompt at most; prompts without "
        "have the mean",
        default=2, minimum=1,
    )
    credit: str = setting(
        "whom credit is given to: frame, or dance (the whole dance alike)", default=BY_FRAME,
        choices=(BY_FRAME, BY_DANCE),
    )
    energy_neutral: bool = setting(
        "take out of each reward's credit what is owed to a dance's energy, so that calm dances gain nothing by it",
        default=True,
    )
    shuffle_advantages: bool = setting(
        "true: a control, whose dances get each other's advantages; what it changes no reward caused", default=False
    )
    music: Path = setting(
        "what to dance to: percussion tracks (.json), a song, a folder of songs or of cached features", default=TRACKS
    )
    max_prompts: int = setting(
        "prompts are drawn from this many windows spread over the music; 0: from all", default=0, minimum=0
    )
    samples_per_prompt: int = setting(
        "dances per prompt and epoch, which are compared with each other", default=4, minimum=1
    )
    body: str = setting(
        "body the humanoid is cut from, and whose penetrations count: open, smpl, or a file", default=OPEN
    )
    device: str = device_setting("where the dance model lives", may_change=True)
    precision: str = setting(
        "of products and attention, in sampling and gradient alike: float32, or bf16 on NVIDIA GPUs",
        default="float32", choices=PRECISIONS,
    )
    compiled: bool = setting(
        "fuse kernels of sampling and gradient: a minute or two at the start, pays with large models",
        default=False, may_change=True,
    )
    seed: int = seed_setting(
        "reaches torch, numpy and every draw; the same seed gives the same run (with physics on a GPU: nearly)",
        default=0,
    )
    n_steps: int = setting(
        "DDIM steps of a dance", default=50, minimum=2, why="the last adds no noise to learn from"
    )
    eta: float = setting("scale of DDIM's noise; the policy gradient needs it above 0", default=1.0, above=0)
    guidance: float | None = setting(
        "classifier-free guidance weight; null: the model's own (2 for EDGE's)", default=None
    )
    learning_rate: float = setting(
        "AdamW's, whose first steps move every weight by it whatever the gradient", default=4.0e-6, above=0
    )
    trained_steps: int = setting(
        "denoising steps drawn for each update, of those that have a density; 0: all", default=0, minimum=0
    )
    min_trained_time: int = setting(
        "denoising times below this are not trained: they set details no reward sees, with most of the gradient's "
        "noise",
        default=0, minimum=0, maximum=N_TIMES - 2,
    )
    dances_per_pass: int = setting("dances in one backward pass", default=16, minimum=1, may_change=True)
    steps_per_pass: int = setting("denoising steps in one backward pass", default=4, minimum=1, may_change=True)
    ema_decay: float = setting(
        "of the averaged weights that are saved and evaluated", default=0.99, minimum=0, below=1
    )
    max_grad_norm: float = setting("the gradient is clipped to this norm", default=1.0, above=0)
    adam_betas: tuple[float, ...] = setting(
        "AdamW's, of the means of gradient and squared gradient", default=(0.9, 0.99), length=2, minimum=0, below=1
    )
    weight_decay: float = setting("AdamW's, per update", default=0.0, minimum=0)
    inner_epochs: int = setting(
        "optimiser steps on the same dances, by clipped importance ratios where there are several",
        default=1, minimum=1,
    )
    clip_range: float = setting(
        "the ratio's, for inner_epochs above 1, such as 0.001", default=0.0, minimum=0
    )
    lora_rank: int = setting(
        "above 0: only products of this rank learn, added to the matrices of linear and attention layers (LoRA); they "
        "want a learning rate some ten times as high. What is saved has them added in",
        default=0, minimum=0,
    )
    save_every: int = setting(
        "epochs between saved weights (the last is always saved)", default=1, minimum=1, may_change=True
    )
    trackers: tuple[str, ...] = tracker_setting()

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
    def performs_beside(self) -> bool:
        """Whether the simulator can run beside other work on a GPU: Warp's needs recorded steps for it.

        A launch of Warp's goes to the stream that is its device's at the moment, whichever thread set it.
        """
        return self.simulator != "mujoco_warp" or self.simulator_options.use_graph

    @property
    def dances_per_process(self) -> int:
        """Dances sampled by one process in one epoch."""
        return self.batch_size * self.samples_per_prompt
