"""The configuration of `python -m skeleton2stage.physics.score`."""

from dataclasses import dataclass
from pathlib import Path

from skeleton2stage.physics.simulators.simulator_options import SimulatorOptions


@dataclass(frozen=True)
class ScoreConfig:
    """The keys of configs/score.yaml, which explains them."""

    motions: Path
    out: Path
    save: Path | None
    format: str
    window_s: float | None
    policy: str
    simulator: str
    simulator_options: SimulatorOptions
    wrench_scale: float | None
    body: str
    max_worlds: int | None
