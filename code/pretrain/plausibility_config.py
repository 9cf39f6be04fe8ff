"""The configuration of `python -m pretrain.plausibility`."""

from dataclasses import dataclass
from pathlib import Path

from pretrain.damage.catalogue import DAMAGES
from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions
from skeleton2stage.settings import output_setting, seed_setting, setting


@dataclass(frozen=True)
class PlausibilityConfig:
    """The keys of configs/plausibility.yaml, which explains them."""

    policy: tuple[Path, ...] | None
    data: Path
    held_out: tuple[str, ...]
    out: Path = output_setting(may_change=True)
    damages: tuple[str, ...] = setting(choices=tuple(DAMAGES), called="damage", may_change=True)
    simulator: str
    simulator_options: SimulatorOptions
    wrench_scale: float | None = setting(minimum=0)
    body: str
    seed: int = seed_setting()
    skipped_s: float = setting(minimum=0)
