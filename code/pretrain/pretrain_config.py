"""The imitation training's configuration as frozen dataclasses."""

from dataclasses import dataclass
from pathlib import Path

from pretrain.clip_sampler import SamplingConfig
from pretrain.curriculum import WrenchConfig
from pretrain.environment import ClosenessConfig
from skeleton2stage.body.body_model import OPEN
from skeleton2stage.curves import tracker_setting
from skeleton2stage.demo_files import CMU_DANCE, HELD_OUT
from skeleton2stage.devices import device_setting
from skeleton2stage.physics.imitation.imitation_policy import future_frames_setting
from skeleton2stage.physics.simulators.simulator_options import SimulatorSettings
from skeleton2stage.settings import run_name, run_name_setting, seed_setting, setting


@dataclass(frozen=True)
class StageConfig:
    """One stage of training: which clips, for how long, how fast."""

    name: str = setting("its folder and its name in curves", rule=run_name)
    clips: str = setting("pattern for the files' names within `data`; with ! before it, all others")
    iterations: int = setting("each an update on `horizon` control steps of every world", minimum=0)
    learning_rate: float = setting("at the stage's beginning", above=0)
    final_learning_rate: float = setting("at its end; in between the rate goes along a line", above=0)


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(SimulatorSettings):
    """The imitation policy: everything a run of its training is determined by."""

    name: str = run_name_setting("the run's folder under runs/pretrain", default="imitation")
    data: Path = setting("folder of prepared motions (written-form .pkl)", default=CMU_DANCE)
    held_out: tuple[str, ...] = setting(
        "clips (file stems) never trained on, scored beside the training set", default=HELD_OUT
    )
    start_from: Path | None = setting(
        "a trained imitation policy to go on from (.safetensors); null: begin from nothing", default=None
    )
    critic_iterations: int = setting(
        "first iterations after start_from in which the new critic learns and the policy is kept",
        default=20, minimum=0,
    )
    mirror: bool = setting("add every clip mirrored left to right", default=True)
    body: str = setting("body the humanoid is cut from: open, smpl, or a file", default=OPEN)
    device: str = device_setting("where the networks live", may_change=True)
    seed: int = seed_setting("reaches torch, numpy and the episodes' starts", default=0)
    hidden: tuple[int, ...] = setting("hidden layers of policy and critic", default=(256, 256), minimum=1)
    future_frames: tuple[int, ...] = future_frames_setting()
    worlds: int = setting("worlds in parallel, per process", default=256, minimum=1)
    episode_frames: int = setting("longest episode, frames (30 a second)", default=300, minimum=1)
    fall_height_m: float = setting("an episode ends when the head is lower", default=0.2, minimum=0)
    stray_m: float = setting("an episode ends when the mean body error is larger", default=0.5, above=0)
    log_std: float = setting(
        "log standard deviation of the policy's Gaussian, rad or wrench units", default=-1.756
    )
    learn_std: bool = setting("whether it is learned from there, for each action; false: it stays", default=False)
    gamma: float = setting("discount per control step", default=0.99, above=0, maximum=1)
    lam: float = setting("GAE's lambda", default=0.95, minimum=0, maximum=1)
    clip: float = setting("PPO's clipping range", default=0.2, above=0)
    horizon: int = setting("control steps per world between updates", default=32, minimum=1)
    epochs: int = setting("passes over each batch of experience", default=4, minimum=1)
    minibatches: int = setting("parts each pass is cut into", default=4, minimum=1)
    max_grad_norm: float = setting("of the gradients of policy and critic, each", default=1.0, above=0)
    schedule: str = setting(
        "of the learning rate: fixed (the stages' line) or adaptive (follows desired_kl from the first stage's rate)",
        default="fixed", choices=("fixed", "adaptive"),
    )
    desired_kl: float = setting(
        "KL divergence of an update that an adaptive schedule aims at", default=0.01, above=0
    )
    value_weight: float = setting("weight of the value loss", default=1.0, minimum=0)
    save_every: int = setting("iterations between checkpoints", default=20, minimum=1, may_change=True)
    minutes: float = setting(
        "stop, save and score after this long; running again goes on from there (0: no limit)",
        default=0.0, minimum=0, may_change=True,
    )
    trackers: tuple[str, ...] = tracker_setting()
    stages: tuple[StageConfig, ...] = setting(
        "trained one after another, each from the last one's weights",
        default=(StageConfig("broad", "*", 600, 1.0e-4, 1.0e-4), StageConfig("dance", "6*", 200, 1.0e-4, 1.0e-4)),
    )
    wrench: WrenchConfig = setting(
        "the residual wrench on the pelvis; its scale falls as tracking improves", default=WrenchConfig()
    )
    closeness: ClosenessConfig = setting(
        "added to the published reward in training: weight x exp(-mean body error / scale_m)",
        default=ClosenessConfig(),
    )
    sampling: SamplingConfig = setting("where episodes start", default=SamplingConfig())
