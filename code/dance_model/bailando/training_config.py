"""What a training run of a Bailando model is determined by."""

from dataclasses import dataclass, field, replace

from dance_model.bailando.bailando_losses import LossWeights
from dance_model.bailando.codebook import CodebookRule
from dance_model.bailando.conv import ConvSizes
from dance_model.bailando.network import NetworkConfig, network_config
from dance_model.training.windows import AugmentConfig
from skeleton2stage.demo_files import HELD_OUT
from skeleton2stage.errors import unknown_name
from skeleton2stage.music.kinds import BASELINE
from skeleton2stage.settings import check_own_settings, seed_setting, setting

# Bailando crops and mirrors; turning and moving do nothing to features that have no place nor direction.
_AUGMENT = AugmentConfig(
    mirror=True, any_start=True, shuffle_timbre=True, timbre_shift=2.0, softest_onset=0.1, onset_noise=2.0
)


@dataclass(frozen=True)
class StageConfig:
    """One of the two stages: the VQ-VAE, then the GPT."""

    # The rate's way down is a share of them.
    steps: int = setting("of AdamW", minimum=1, may_change=lambda stage: not stage.cool_down)
    batch_size: int = setting("windows a step", minimum=1)
    learning_rate: float = setting("AdamW's", above=0)
    warm_up: int = setting("steps, the first, over which the learning rate comes up from 0", default=100, minimum=0)
    cool_down: float = setting(
        "share of the steps, the last, over which it goes down to 0", default=0.3, minimum=0, maximum=1
    )
    weight_decay: float = setting("AdamW's", default=0.0, minimum=0)
    max_grad_norm: float = setting("gradients are clipped to this norm", default=1.0, above=0)

    def __post_init__(self) -> None:
        check_own_settings(self)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        up = (step + 1) / (self.warm_up + 1)
        down = (self.steps - step) / (self.cool_down * self.steps) if self.cool_down else 1.0
        return self.learning_rate * min(1.0, up, down)


@dataclass(frozen=True)
class BailandoTraining:
    """A training run."""

    network: NetworkConfig
    vqvae: StageConfig
    gpt: StageConfig
    free_steps: int = setting(
        "of the VQ-VAE's, the first, without codes: the codebooks begin with what encoders have learned by then",
        default=200, minimum=0,
    )
    losses: LossWeights = field(default_factory=LossWeights)
    codebook: CodebookRule = field(default_factory=CodebookRule)
    augment: AugmentConfig = _AUGMENT
    held_out: tuple[str, ...] = setting("names of clips never trained on", default=HELD_OUT)
    music: str = setting("kind of music features", default=BASELINE)
    seed: int = seed_setting("of weights, batches and noise", default=0)
    log_every: int = setting("steps between points of the curves", default=100, minimum=1, may_change=True)
    save_every: int = setting("steps between saved states", default=1000, minimum=1, may_change=True)

    def __post_init__(self) -> None:
        check_own_settings(self)


def demo() -> BailandoTraining:
    """Return a size of 5.7 MB in 16 bits, for minutes on a GPU: a window is 30 codes of 5 frames, Bailando's 30 of 8.

    Of minutes of mocap the GPT soon learns all by heart: after some 16,000 windows held-out codes become less likely.
    """
    conv = ConvSizes(strides=(5,), code_width=64, width=128, depth=3)
    network = network_config(conv, n_codes=512, gpt_width=112, gpt_heads=4, gpt_layers=6, dropout=0.3)
    return BailandoTraining(
        network,
        vqvae=StageConfig(steps=8_000, batch_size=64, learning_rate=1e-3),
        gpt=StageConfig(steps=1_200, batch_size=16, learning_rate=7e-4, cool_down=0.5, weight_decay=0.1),
        free_steps=150,
        log_every=50,
        save_every=200,
    )


def tiny() -> BailandoTraining:
    """Return a size and a length for tests: seconds on one core."""
    conv = ConvSizes(strides=(2, 3), code_width=8, width=16, depth=2)
    network = network_config(conv, n_codes=16, gpt_width=16, gpt_heads=2, gpt_layers=2, window_frames=30)
    stage = StageConfig(steps=6, batch_size=4, learning_rate=1e-3, warm_up=1)
    return BailandoTraining(
        network, stage, replace(stage, steps=4), free_steps=2, held_out=(), log_every=2, save_every=3
    )


PRESETS = {"demo": demo, "tiny": tiny}


def preset(name: str) -> BailandoTraining:
    """Return a preset by name; raise UserError that lists the known ones."""
    if name not in PRESETS:
        raise unknown_name("preset", name, list(PRESETS))
    return PRESETS[name]()
